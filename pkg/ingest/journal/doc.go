// Package journal keeps records that can't be read again, such as syslog messages, until the lake has committed them.
//
// It is a numbered sequence of records in segment files. Append returns when its records are on the disk; appends that
// come while the disk is busy share one fsync (a group). A Reader gives the records that are durable, in order, from any
// number on. Cut removes what is committed elsewhere. The bytes on disk are bounded; what an Append does at the bound is its
// [Mode].
//
// Beside the segments lie the files lock (held while the journal is open) and id (the journal's id in hex). A segment is
// named by the number of its first record in 20 digits with the suffix .seg; integers are little-endian:
//
//	header  8 bytes "LEATJ002", 16 bytes id of the journal, 8 bytes number of the first record, 4 bytes CRC-32C of these
//	group   4 bytes "LGRP", 8 bytes number of its first record, 4 bytes how many, 4 bytes length of what follows behind the
//	        next field, 4 bytes CRC-32C of these; then the records:
//	record  4 bytes length, 4 bytes CRC-32C of the contents, contents
//
// # Delivery
//
// A record for which Append returned nil survives a crash of the process and of the machine, as far as the disk keeps its
// word. When the journal is opened, an unfinished end is told apart from damage:
//
//   - The last segment ends within a group, or in nothing but zeros: no Append vouched for that. It is cut, with a line in
//     the log. (Bytes that a disk loses off the end of a file, at the border of a group, can't be noticed.)
//   - All else that is not as it was written is damage in what perhaps was acknowledged. It stays where it is, and a Reader
//     tells it as *Damage with the numbers that are missing, and goes on behind it: behind the record where that alone is
//     damaged, else behind the group, or where the next whole group begins.
//
// It is not a queue between processes: one process has it open.
package journal
