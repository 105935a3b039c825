// Package faults breaks the built programs on purpose and then reads the lake as a stranger would, through Python's duckdb over
// `leat files`, to see that nothing was lost and nothing doubled.
//
// It has four words:
//
//	feed    writes numbered lines into a log that is rotated (feed_test.go); what the log holds is what must arrive
//	chain   keeps a pipe alive in one of the forms in which people run it, and types the command again when it ends (chain_test.go)
//	fault   what is done to it; a file for each kind: kill, stop, end, disk, fsync, torn, clock, pipes, input
//	check   every line once in the lake by content, every alert once by id, the log and all files whole (check_test.go)
//
// Each fault has a short form, which `make test` runs, and a long one: `go run ./bench/faults -kills 1000 -seed N`.
// proof_test.go shows that the harness can fail: it runs programs whose safeguards are off.
//
// It needs the programs in bin/ (make build; LEAT_BIN names another folder), a Python with duckdb (make test installs
// one; LEAT_PYTHON names another), and strace for the faults of system calls.
package faults
