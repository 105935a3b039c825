// Package ingest reads records from their sources and wraps each as one event:
//
//	{"event":{"id":"…","dataset":"…if told","original":"<the record>"},"log":{"file":{"path":"…"},"offset":0}}
//	{"event":{"id":"…","original":"<13>…"},"log":{"source":{"address":"192.0.2.7:51514"}}}
//
// Everything that a sender wrote stands inside the string event.original, so none of its fields can become a key of the
// event, and no record a control line. Bytes that JSON can't carry are escaped reversibly (leat.escaped: true).
// A line is a record, without its line feed and a carriage return before that; blank lines are none. [Multiline] makes one of
// several. RFC 3164 and RFC 5424
// are framed here, not parsed: that is normalize's.
//
// # Sources
//
// Files and globs (gzip, zstd and Windows event logs by their first bytes), followed or read once; standard input, FIFOs and the output of
// programs; the system's journal by journalctl; syslog over UDP, TCP and TLS; bodies of HTTP requests. [Source] is a stage.Source: one goroutine reads all files, one each stream, listener and connection; an
// emitter hands on one batch at a time, and moves the position in the same step, so that no event crosses a mark.
//
// # What a file is
//
// A file keeps its identity when it is renamed, copied away and truncated, or compressed. Its source name is
//
//	file:<family>#<label>/<generation>
//
// The family is the path without what rotation appends (.1, .2.gz, -20261124); the label is a hash of its beginning up to
// the end of the first line that is no comment, at most 256 bytes; the generation counts files of one family whose
// beginnings are equal. So the id of a record, which is event.ID of that name, the offset and the bytes, is the same whether
// it is read from auth.log today or from auth.log.2.gz tomorrow. Two paths of different families are different sources,
// whatever they hold.
//
// A position is the offset (of compressed files: of their contents), and with it device and inode, a hash of the first 256
// bytes and one of the last 256 bytes before the offset. A file is found again by these hashes, among the paths of the
// patterns and their rotated siblings; inodes only decide between files that are equal. The hash before the offset also
// shows a file that was truncated and has grown past its old size. Files that were written and rotated away between two
// looks, or while ingest was not running, are read too, as long as an older one of the family is known.
//
// A Windows event log (package evtx) is read by records, not lines. Its source is evtx:<path>, and the position the number of the
// last record, with a fingerprint of it: so one that wrapped around goes on, and one that was archived is found in its folder.
//
// What can't be found again becomes an event, never silence:
//
//	event.action source_gap       event.kind event; leat.gap.{source,reason,from,to,dropped}: bounds as far as they are known
//	event.action source_damaged   event.kind pipeline_error; a compressed file ended early: what could be read went on
//
// both of event.dataset leat.ingest. A file that is there and can't be read (permission, an I/O error, a stale handle) is no
// gap: it is told on stderr, and its position stays. A truncation whose old contents are nowhere is a gap even if, perhaps,
// nothing was missed: nobody can tell.
//
// # Limits
//
// A line that is written without its line feed while its file is rotated by copying may be seen only in part. A file that
// is rotated by copying loses, as always, what its writer writes between copy and truncation. Equal contents under two
// names of one family count as one file. Of a syslog message longer than max_message only the head is kept.
//
// # Delivery
//
// Without --resume: at least once; what was read when the process dies may be lost with the pipe.
// With --resume the stream is marked (stage.Mark): files are read again from the last committed position, so that the lake
// holds every line exactly once. What can't be read again goes into the journal first (package journal) and counts as
// received only when it is durable there; a full journal holds TCP senders back, answers HTTP senders 429, and datagrams that
// find no room are counted and told. HTTP acknowledges: 2xx is durable. Syslog has no acknowledgement: what a sender had given
// to the kernel when this machine died is lost. What still stood in a pipe on standard input was never ingest's.
//
// When the run is stopped, what was taken from a sender is made durable, above the journal's bound if need be; of a TCP
// connection that is what the kernel had by then. What the disk refuses even so is counted, told, and [ErrLost]. Notices of
// losses go through the journal themselves, so that the lake holds each once.
package ingest
