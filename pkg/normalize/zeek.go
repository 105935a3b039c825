package normalize

import (
	"bytes"
	"strings"
	"sync"

	"leat/pkg/normalize/parse"
)

// maxZeekStreams bounds how many streams' headers are remembered; beyond that the mapping's own columns hold.
const maxZeekStreams = 4096

// zeekHeaders are the #fields lines of Zeek's TSV logs, by stream. They are the only thing that outlives a record; a
// process that begins in the middle of a file falls back to the columns of the mapping. Clones share them.
type zeekHeaders struct {
	mu sync.Mutex
	by map[string][][]byte
}

// note remembers a header line. It tells whether line was one.
func (z *zeekHeaders) note(stream string, line []byte) bool {
	names, ok := bytes.CutPrefix(line, []byte("#fields\t"))
	if !ok {
		return bytes.HasPrefix(line, []byte("#")) && isZeekHeader(line)
	}
	var cols [][]byte
	for c := range bytes.SplitSeq(bytes.TrimRight(names, "\r\n"), []byte{'\t'}) {
		cols = append(cols, bytes.Clone(c))
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.by == nil {
		z.by = map[string][][]byte{}
	}
	if _, known := z.by[stream]; known || len(z.by) < maxZeekStreams {
		z.by[strings.Clone(stream)] = cols
	}
	return true
}

func isZeekHeader(line []byte) bool {
	for _, w := range []string{"#separator ", "#set_separator\t", "#empty_field\t", "#unset_field\t", "#path\t", "#open\t", "#close\t", "#types\t"} {
		if bytes.HasPrefix(line, []byte(w)) {
			return true
		}
	}
	return false
}

func (z *zeekHeaders) columns(stream string) [][]byte {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.by[stream]
}

// zeekLine reads a line of Zeek's TSV. "-" is no value, "(empty)" an empty one.
func (r *runner) zeekLine(parent int32, st *step, line []byte) bool {
	n := bytes.Count(line, []byte{'\t'}) + 1
	cols := r.zeek.columns(r.stream)
	if len(cols) != n {
		cols = st.csv.Columns
	}
	if n < 2 || len(cols) < n {
		return false
	}
	i := 0
	for v := range bytes.SplitSeq(bytes.TrimRight(line, "\r\n"), []byte{'\t'}) {
		if string(v) != "-" && string(v) != "(empty)" {
			r.rec.Add(parent, parse.Cell{Key: cols[i], Val: v, Kind: stringKind})
		}
		i++
	}
	return true
}
