// Package faults kills, fills and forges: it runs the built programs as a user does, breaks them on purpose, and then reads
// the lake as a stranger would, through Python's duckdb, to see that nothing was lost and nothing doubled.
//
// It needs the programs in bin/ (make build; LEAT_BIN names another folder) and a Python with duckdb (make test installs
// one; LEAT_PYTHON names another).
package faults
