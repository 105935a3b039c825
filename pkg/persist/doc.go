// Package persist is the end of a pipe: it writes events to a lake as Parquet, in partitions of dataset and date, and
// commits them.
//
// Events become rows (pkg/row) in one spill file for each partition; each spill becomes a sorted Parquet file (internal/parquet) in the
// writer's staging folder; pkg/lake publishes and commits the files. A single goroutine converts and commits while the next events are
// taken in, one step ahead at most, so that a commit does not hold up the pipe.
//
// Delivery. In a marked pipe (a hello came first) exactly once: only a mark commits, and what came after the last mark
// is thrown away, because ingest will send it again. In any other pipe at least once: what was taken in is committed by number, age and
// at the end of input; what is in the spill when the process is killed comes again if its source is read again, and is lost if not.
// A spill is never fsynced: it is no journal, and is swept at the next start.
//
// Commits of a few events do not make many small files: each merges what this process has written to the same partition before, by the rows
// that it has kept of it, and takes the small files out with the same log entry.
//
// No event is refused. A row that was damaged on its way through the spill becomes a pipeline_error that holds it as text.
//
// It is not for changing what is in the lake already: that is pkg/retain.
package persist
