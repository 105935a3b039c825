// Package normalize gives every log record the same vocabulary: it recognises where a record came from, parses it, and
// writes what it says into the fields of the Elastic Common Schema, as a mapping tells it. A mapping is a YAML file, data
// and not Go; the package embeds those of its folder mappings and reads others from folders.
//
// [Load] compiles mappings, [New] makes the stage. The stage takes raw lines, records as ingest wraps them, and plain JSON
// objects; what is normal already passes.
//
// It is not for looking things up (enrich does), not for dropping or judging events, and it is no general transformation
// language: a mapping has no loops and no state.
//
// Delivery: every input line becomes at least one event, at its place; but lines that only name the columns of the rows behind them
// (logheader.go) are counted and go into those. A record that no mapping recognises passes as
// event.kind: event with its original; one that its mapping can't take becomes a pipeline_error that says why. Nothing is
// dropped. There is no state between events but what header lines said, by stream.
package normalize
