package detect

import (
	"bytes"
	"slices"

	"leat/pkg/event"
)

// A window that is decided when it is over has no event at hand then. A sample is what is kept of its newest one: the
// identity of the rule that matched it, a line feed, and the event, without what is too large.
const (
	maxSampleLine = 2 << 10
	maxSampleText = 256
)

// sampleFirst are the members of an event that are kept before all others: an alert is made from them.
var sampleFirst = []string{"@timestamp", "event", "user", "host", "source", "destination", "process", "file"}

func appendSample(dst []byte, rule string, e *event.Event) []byte {
	dst = append(append(dst, rule...), '\n')
	if line := e.Line(); len(line) <= maxSampleLine {
		return append(dst, line...)
	}
	most := len(dst) + maxSampleLine
	dst = append(dst, '{')
	for _, first := range [2]bool{true, false} {
		for i := e.First(e.Root()); i != event.None; i = e.Next(i) {
			if slices.Contains(sampleFirst, string(e.RawKey(i))) == first {
				dst = appendMember(dst, e, i, most)
			}
		}
	}
	return append(dst, '}')
}

// appendMember appends a member where it is short, and of an object its short members, up to a length of about most.
func appendMember(dst []byte, e *event.Event, i event.Node, most int) []byte {
	v := e.ValueAt(i)
	long := len(v.Raw) > maxSampleText
	if len(dst) > most || long && v.Kind != event.Object {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), e.RawKey(i)...), '"', ':')
	if !long {
		return append(dst, v.Raw...)
	}
	dst = append(dst, '{')
	for j := e.First(i); j != event.None; j = e.Next(j) {
		dst = appendMember(dst, e, j, most)
	}
	return append(dst, '}')
}

func readSample(sample []byte) (rule string, line []byte) {
	id, line, _ := bytes.Cut(sample, []byte{'\n'})
	return string(id), line
}
