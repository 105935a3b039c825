// Package query reads a lake with SQL: views over the committed files of one state of its log, pinned as long as they are
// read, and, where asked, over what running persists have not committed yet. Nothing but those files can be reached, and nothing
// can be written but the one file that the caller names for a result.
//
// The views are events (what is neither an alert nor a pipeline_error), alerts, errors and everything. Their columns are those
// of pkg/row, with objects as STRUCTs (source.ip, user.name), and dataset and date of the partition; [Schema] lists them. The SQL function
// event_json gives a whole row back as the event that it was: SELECT event_json(e) FROM events e.
//
// A statement is planned before it is run: conditions on @timestamp, date and dataset leave out files by what the log says of them, so that
// they are not even opened. A condition that can't be judged leaves out nothing.
//
// It is not for changing data. Delivery: a query sees one state of the lake, every commit wholly or not at all. With Config.Hot it also sees
// rows that may yet be taken back and come again; each row once, whether it is committed meanwhile or not.
package query
