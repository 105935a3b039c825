package sigma

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"leat/pkg/yamlfile"
)

// Fault says why a document is not among the rules that were loaded.
type Fault struct {
	File         string
	Line, Column int    // from 1
	Rule         string // the document's id, or else its title, as far as it could be read
	Key          string // the offending key, such as detection.selection.Image|re
	Reason       string
	Text         string // the line itself
}

// Error returns file:line:column: key: reason, then the line with a caret.
func (f *Fault) Error() string {
	msg := f.Reason
	if f.Key != "" {
		msg = f.Key + ": " + msg
	}
	if f.Rule != "" {
		msg += " (rule " + f.Rule + ")"
	}
	y := yamlfile.Fault{File: f.File, Line: f.Line, Column: f.Column, Message: msg, Text: f.Text}
	return y.Error()
}

// keyed is an error at a node, before file and rule are known.
type keyed struct {
	node   *yaml.Node
	key    string
	reason string
}

func (k *keyed) Error() string { return k.key + ": " + k.reason }

func bad(n *yaml.Node, key, format string, args ...any) error {
	return &keyed{node: n, key: key, reason: fmt.Sprintf(format, args...)}
}
