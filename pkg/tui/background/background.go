// Package background keeps the terminal libraries from asking the terminal for its background colour.
//
// Every program that links them, also one that draws nothing, asks as soon as it starts, and waits up to five seconds for
// an answer that some terminals never give. They ask no terminal that calls itself dumb: so this package, which needs
// nothing but os and is therefore initialised before them (Go initialises packages by import path as soon as their own
// imports are ready), names the terminal so, and Restore, which pkg/tui calls once they are initialised, takes it back.
// A test in pkg/tui measures the start on a mute terminal. Our colours are readable on either background.
package background

import "os"

// saved is TERM as the program was given it.
var saved, wasSet = rename()

func rename() (string, bool) {
	term, ok := os.LookupEnv("TERM")
	if ok {
		// An error leaves the terminal asked, as without this package.
		_ = os.Setenv("TERM", "dumb")
	}
	return term, ok
}

// Restore gives the environment its TERM back. It returns true, so that a package variable can call it.
func Restore() bool {
	if wasSet {
		_ = os.Setenv("TERM", saved)
	}
	return true
}
