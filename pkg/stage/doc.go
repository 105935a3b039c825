// Package stage holds what all stages of leat share: the contracts between a source, the stages and a sink, the loop that
// reads lines and writes lines, the marks that make plain pipes exactly-once, and the counters.
//
// Data flows one way:
//
//	Source  ->  Chain of Stages  ->  Sink
//
// A [Source] is ingest, or [Lines], which reads NDJSON from a pipe. A [Chain] takes batches through its stages and hands
// them to the next Sink: the [Writer] of a pipe, or persist. A filter process is Lines -> Chain -> Writer; `leat run`
// links ingest, several stages and a Writer in one process, and the bytes that come out are the same.
//
// Delivery: the loop itself loses nothing and repeats nothing as long as the process lives. What happens when it dies is
// decided by the marks: see [Mark].
package stage
