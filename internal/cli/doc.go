// Package cli is the frame of every leat command: common flags, logging, signals, exit codes, help and version.
//
// A stage's own command lives in a package beside (ingestcmd, normalizecmd, ...), so that a small filter does not link
// what only another stage needs. Such a command says what it builds; RunSource, RunFilter and RunSink run it:
//
//	stdout is data only; every other word goes to stderr
//	exit status: 0 fine, 1 failed at run time, 2 usage or configuration, 3 needs a person, 130 interrupted
package cli
