// Package retain decides what must stay in a lake and takes the rest out, so that disks never fill.
//
// A [Policy] says how long datasets are kept and how much they may take; a [Plan] is computed from the lake's state, the
// policy, the clock and the disk, and says for every file whether it stays and why; applying it is dumb: one entry in the
// lake's log takes the files out, then they move to trash/, and later they are deleted. A legal hold wins over
// everything.
//
// It works beside a live persist and beside readers: a file that a reader has pinned stays until the reader is done.
// It takes whole files only. It is not for erasing single rows, for merging small files, or for backups.
//
// Delivery: the log entry is the decision. Whatever is killed afterwards, the next run goes on from the log: no file is
// half out. Each removed file is told in the ledger before it leaves the disk.
package retain
