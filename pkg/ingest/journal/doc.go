// Package journal keeps records that can't be read again, such as syslog messages, until the lake has committed them.
//
// It is a numbered sequence of records in segment files. Append returns when its records are on the disk; appends that
// come while the disk is busy share one fsync. A Reader gives the records that are durable, in order, from any number on.
// Cut removes what is committed elsewhere. The bytes on disk are bounded: full, Append waits (or says ErrFull).
//
// Segment file, named by the number of its first record in 20 digits with the suffix .seg; integers are little-endian:
//
//	header  8 bytes "LEATJ001", 16 bytes id of the journal, 8 bytes number of the first record, 4 bytes CRC-32C of these
//	record  4 bytes length, 4 bytes CRC-32C of (8 bytes number, contents), contents
//
// Delivery: a record for which Append returned nil survives a crash of the process and of the machine, as far as the disk
// keeps its word. A torn end, which no Append vouched for, is cut when the journal is opened. Damage elsewhere is found by
// the checksums and told by the Reader as a *Damage with the numbers that are missing, never skipped in silence.
//
// It is not a queue between processes: one process has it open (a lock file says so).
package journal
