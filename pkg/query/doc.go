// Package query reads a lake with SQL: views over the committed files of one state of its log, pinned as long as they are
// read. Nothing but those files can be reached, and nothing can be written.
//
// The views are events (what is neither an alert nor a pipeline_error), alerts, errors and everything. Their columns are those
// of pkg/row, with objects as STRUCTs (source.ip, "user".name), and dataset and date of the partition. The SQL function event_json
// gives a whole row back as the event that it was: SELECT event_json(e) FROM events e.
//
// It is not for changing data, nor for what was not committed yet. A query sees one state of the lake: every commit wholly or not at all.
package query
