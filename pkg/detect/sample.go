package detect

import (
	"bytes"

	"leat/pkg/event"
)

// A window that is decided when it is over has no event at hand then. A sample is what is kept of its newest one: the
// identity of the rule that matched it, a line feed, and the event, without what is too large.
const (
	maxSampleLine = 3 << 10
	maxSampleText = 256
)

func appendSample(dst []byte, rule string, e *event.Event) []byte {
	dst = append(append(dst, rule...), '\n')
	if line := e.Line(); len(line) <= maxSampleLine {
		return append(dst, line...)
	}
	return appendSmall(dst, e, e.Root(), len(dst)+maxSampleLine)
}

// appendSmall appends an object without its long texts and lists, up to a length of about most.
func appendSmall(dst []byte, e *event.Event, n event.Node, most int) []byte {
	dst = append(dst, '{')
	first := true
	for i := e.First(n); i != event.None; i = e.Next(i) {
		v := e.ValueAt(i)
		if len(dst) > most || len(v.Raw) > maxSampleText && v.Kind != event.Object {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), e.RawKey(i)...), '"', ':')
		if len(v.Raw) > maxSampleText {
			dst = appendSmall(dst, e, i, most)
		} else {
			dst = append(dst, v.Raw...)
		}
	}
	return append(dst, '}')
}

func readSample(sample []byte) (rule string, line []byte) {
	id, line, _ := bytes.Cut(sample, []byte{'\n'})
	return string(id), line
}
