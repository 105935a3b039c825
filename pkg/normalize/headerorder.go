package normalize

import (
	"bytes"

	"leat/pkg/event"
)

// InOrder tells whether a header line may be in b: then the rows behind it must be read behind it, so clones must not share the batch
// out among them (see [stage.Ordered]). It only looks at how records begin: a comment costs no more than one core's work on its batch.
func (s *Stage) InOrder(b *event.Batch) bool {
	for _, e := range b.Events {
		if e.Failed() {
			continue
		}
		raw, ok := e.Record()
		if !ok {
			if raw = e.Line(); len(raw) > 0 && raw[0] == '{' {
				raw = wrappedText(raw)
			}
		}
		if maybeHeader(raw) {
			return true
		}
	}
	return false
}

var originalKey = []byte(`"original":"`)

// wrappedText is the record in an event of ingest's, with its JSON escapes and what stands behind it; nil where there is none.
func wrappedText(line []byte) []byte {
	at := bytes.Index(line, originalKey)
	if at < 0 {
		return nil
	}
	return line[at+len(originalKey):]
}

// maybeHeader tells whether text begins with '#', or begins with at least bareNames names in small letters and nothing else up to its end.
func maybeHeader(text []byte) bool {
	if len(text) == 0 || text[0] == '#' {
		return len(text) > 0
	}
	names := 1
	for _, c := range text {
		switch {
		case c == ' ':
			names++
		case c == '"' || c == '\\': // the end of a wrapped record, or of its line
			return names >= bareNames
		case c-'a' >= 26 && c != '-' && c != '\r' && c != '\n':
			return false
		}
	}
	return names >= bareNames
}
