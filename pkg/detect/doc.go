// Package detect is the stage that matches every event against Sigma rules and puts an alert behind each event that
// raised one.
//
// It is not for reading logs (ingest, normalize), for knowing who a user is (enrich), or for acting (respond).
//
// Delivery: every event goes on unchanged and in order, also one that matches nothing; an alert follows directly behind the
// event that raised or completed it. Alerts of single events depend on the event and the rules alone, those of correlations
// on the stream; their ids are hashes, so a replay after a crash gives the same alerts with the same ids. In a marked pipe
// what correlations remember is durable under each mark before the mark is handed on, and restored at exactly the mark from
// which the stream goes on. pipeline_errors and alerts of other runs pass untouched.
package detect
