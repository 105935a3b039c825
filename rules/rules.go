// Package rules is leat's own starter rules for detect, embedded into the program. Each rule has its tests beside it, in
// NAME.test.yml: events, or streams of them, that must raise it and such that must not. Those in correlation are about several events.
//
// They show what detect can do on an ordinary machine's logs from the first minute; they are no replacement for SigmaHQ's.
package rules

import "embed"

// FS holds the rules' folders.
//
//go:embed */*.yml
var FS embed.FS

// TestSuffix is what the files of the rules' tests end with; they are no rules.
const TestSuffix = ".test.yml"
