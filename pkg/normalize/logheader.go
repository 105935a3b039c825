package normalize

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"leat/pkg/normalize/parse"
)

// Zeek's logs and those in the W3C's extended format say in lines that begin with '#' what the columns of their rows are. Such a line is
// no event: what it says goes into the rows.

const (
	// maxHeaderStreams bounds how many streams' headers are remembered; beyond that the mappings' own columns hold.
	maxHeaderStreams = 4096
	// maxHeaderLine bounds a header line; a longer one is none.
	maxHeaderLine = 16 << 10
)

// logHeader is what header lines said of a stream's rows. It is not changed once it is shared.
type logHeader struct {
	isW3C  bool
	isBare bool // names without a '#' in front: prose looks alike, so one name that fits is not enough
	zeek   parse.ZeekTSV
	path   string // Zeek's #path: the log's name
	w3c    parse.W3C
	plan   *plan // for the rows; nil: it is found as for any record
	weak   bool  // plan takes logs of any software: a mapping that knows the row goes first
}

// fits tells whether a row has the columns that the header names.
func (h *logHeader) fits(row []byte) bool {
	if h.isW3C {
		return h.w3c.Columns(row) == len(h.w3c.Names)
	}
	return h.zeek.Columns(row) == len(h.zeek.Names)
}

// logHeaders are those seen, by stream. They are the only thing that outlives a record; a process that begins in the middle of a file
// has the file's name and the mapping's own columns (leat_rows_without_header_total). Clones share them.
type logHeaders struct {
	mu  sync.RWMutex
	by  map[string]*logHeader
	any atomic.Bool // by is not empty: most processes never see a header
}

func (l *logHeaders) of(stream string) *logHeader {
	if !l.any.Load() {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.by[stream]
}

// note tells whether line is a header line, and remembers what it says.
func (l *logHeaders) note(x *index, stream string, line []byte) bool {
	if len(line) < 6 || len(line) > maxHeaderLine {
		return false
	}
	if line[0] != '#' {
		return l.bare(x, stream, line)
	}
	line = bytes.TrimRight(line, "\r\n")
	if h := l.of(stream); h != nil {
		return l.next(x, stream, line, *h)
	}
	return l.next(x, stream, line, logHeader{})
}

// next remembers h, a copy of what is known, with what line adds.
func (l *logHeaders) next(x *index, stream string, line []byte, h logHeader) bool {
	if bytes.HasPrefix(line, []byte("#separator ")) {
		h = logHeader{}
	}
	changed, isHeader := h.zeekLine(line)
	if !isHeader {
		if changed, isHeader = h.w3cLine(line); !isHeader {
			return false
		}
	}
	if !changed {
		return true
	}
	h.plan, h.weak = x.planFor(&h)
	l.remember(stream, &h)
	return true
}

// remember keeps h for the stream's rows.
func (l *logHeaders) remember(stream string, h *logHeader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string]*logHeader{}
	}
	if _, known := l.by[stream]; known || len(l.by) < maxHeaderStreams {
		l.by[strings.Clone(stream)] = h
		l.any.Store(true)
	}
}

// zeekLine takes what one of Zeek's header lines says.
func (h *logHeader) zeekLine(line []byte) (changed, isHeader bool) {
	at := bytes.IndexAny(line, "\t ")
	if at < 0 {
		return false, false
	}
	rest := line[at+1:]
	switch string(line[1:at]) {
	case "separator":
		sep := parse.Unescape(rest)
		if len(sep) != 1 {
			return false, false
		}
		h.zeek.Separator = sep[0]
	case "set_separator":
		if len(rest) != 1 {
			return false, false
		}
		h.zeek.ListSeparator = rest[0]
	case "empty_field":
		h.zeek.Empty = bytes.Clone(rest)
	case "unset_field":
		h.zeek.Unset = bytes.Clone(rest)
	case "path":
		h.path = string(rest)
	case "fields":
		h.isW3C, h.zeek.Names, h.zeek.Types = false, h.columns(rest), nil
	case "types":
		if len(h.zeek.Names) == 0 {
			return false, false
		}
		h.zeek.Types = nil
		for _, t := range h.columns(rest) {
			h.zeek.Types = append(h.zeek.Types, parse.ParseZeekType(t))
		}
	case "open", "close":
		return false, len(rest) > 9 && rest[4] == '-'
	default:
		return false, false
	}
	return true, true
}

func (h *logHeader) columns(s []byte) [][]byte {
	sep := h.zeek.Separator
	if sep == 0 {
		sep = '\t'
	}
	return bytes.Split(bytes.Clone(s), []byte{sep})
}

// w3cLine takes what one of the directives of the W3C's format says.
func (h *logHeader) w3cLine(line []byte) (changed, isHeader bool) {
	name, rest, ok := bytes.Cut(line[1:], []byte(":"))
	if rest = bytes.TrimSpace(rest); !ok || len(rest) == 0 {
		return false, false
	}
	switch string(name) {
	case "Fields":
		h.isW3C, h.w3c.Commas = true, bytes.IndexByte(rest, ',') >= 0
		split := bytes.Fields
		if h.w3c.Commas {
			split = func(s []byte) [][]byte { return bytes.Split(s, []byte(",")) }
		}
		if h.w3c.Names = split(bytes.Clone(rest)); len(h.w3c.Names) < 2 {
			return false, false
		}
		return true, true
	case "Software", "Time Format", "Log-type", "Remark", "GMT-Offset":
		return false, true
	case "Version":
		return false, len(bytes.Trim(rest, "0123456789.")) == 0
	case "Date", "Start-Date", "End-Date":
		return false, len(rest) > 9 && rest[4] == '-' && rest[7] == '-'
	}
	return false, false
}

// weakHeader is the score from which on a sign by header lines tells more than what the rows themselves show.
const weakHeader = 20

// planFor returns the plan whose sign fits the header best, or nil, and whether that sign is a weak one.
func (x *index) planFor(h *logHeader) (p *plan, weak bool) {
	var best signRef
	for _, ref := range x.headers {
		if ref.sign.fitsHeader(h) && (best.plan == nil || ref.sign.score > best.sign.score || ref.sign.score == best.sign.score && ref.plan.name < best.plan.name) {
			best = ref
		}
	}
	return best.plan, best.plan != nil && best.sign.score < weakHeader
}

func (s *sign) fitsHeader(h *logHeader) bool {
	if !h.isW3C {
		return len(s.zeek) > 0 && h.path != "" && anyGlob(s.zeek, []byte(h.path))
	}
	if len(s.w3c) == 0 || h.isBare && len(s.w3c) < 2 {
		return false
	}
	for _, want := range s.w3c {
		if want != "*" && !slices.ContainsFunc(h.w3c.Names, func(n []byte) bool { return string(n) == want }) {
			return false
		}
	}
	return true
}

// zeekNamed returns the plan that asks for Zeek's log of that very name, or nil.
func (x *index) zeekNamed(path string) *plan {
	if path == "" {
		return nil
	}
	for _, ref := range x.headers {
		if slices.Contains(ref.sign.zeek, path) {
			return ref.plan
		}
	}
	return nil
}

// byHeader returns the plan that the stream's header lines call for, where the record is a row as they say; or, for a row of Zeek whose
// header was not seen, that of the file's name. weak: only where the row itself calls for none.
func (r *runner) byHeader(x *index, hint string) (p *plan, weak bool) {
	if len(x.headers) == 0 || r.isObj {
		return nil, false
	}
	if h := r.columns; h == nil {
		p = x.zeekNamed(zeekPath(r.stream, r.raw))
	} else if h.fits(r.raw) {
		p, weak = h.plan, h.weak
	}
	if p != nil && (hint == "" || slices.Contains(p.hints, hint)) {
		return p, weak
	}
	return nil, false
}

// zeekPath returns the log's name that a file's name tells, such as "conn" of conn.2026-11-24-08-00-00.log, where the row begins as
// Zeek's do: with seconds since 1970 and a tab. Else it is empty.
func zeekPath(file string, row []byte) string {
	i := 0
	for i < len(row) && i < 20 && (row[i]-'0' < 10 || row[i] == '.') {
		i++
	}
	if i < 9 || i == len(row) || row[i] != '\t' || bytes.IndexByte(row[:i], '.') < 0 {
		return ""
	}
	name := file[strings.LastIndexAny(file, `/\`)+1:]
	name, _, _ = strings.Cut(name, ".")
	return strings.TrimRight(name, "-_0123456789")
}

// zeekRow reads a record of Zeek: JSON, or a row with the columns of its header, or else with the mapping's own.
func (r *runner) zeekRow(parent int32, st *step, in []byte) bool {
	if r.isObj {
		r.rec.FromEvent(parent, r.obj, r.obj.Root())
		return true
	}
	if h := r.columns; h != nil && !h.isW3C && h.fits(in) {
		return h.zeek.Parse(&r.rec, parent, in)
	}
	r.ownColumns++
	return st.zeek.Parse(&r.rec, parent, in)
}

// w3cRow reads a row with the columns of its header, or else with the mapping's own.
func (r *runner) w3cRow(parent int32, st *step, in []byte) bool {
	if h := r.columns; h != nil && h.isW3C && h.fits(in) {
		return h.w3c.Parse(&r.rec, parent, in)
	}
	r.ownColumns++
	own := parse.W3C{Names: st.csv.Columns}
	return own.Parse(&r.rec, parent, in)
}

// zeekColumns splits a mapping's own columns, name:type.
func (st *step) zeekColumns() {
	st.zeek.Guessed = true
	for _, c := range st.csv.Columns {
		name, kind, _ := bytes.Cut(c, []byte(":"))
		st.zeek.Names = append(st.zeek.Names, name)
		st.zeek.Types = append(st.zeek.Types, parse.ParseZeekType(kind))
	}
}

// bareNames is how many names a line without '#' must have to be a header line.
const bareNames = 4

// bare tells whether line is nothing but names of columns that a sign asks for, as the flow logs of VPCs have them in front of their rows.
func (l *logHeaders) bare(x *index, stream string, line []byte) bool {
	for _, c := range line {
		if c-'a' >= 26 && c != '-' && c != ' ' && c != '\r' && c != '\n' {
			return false
		}
	}
	if !slices.ContainsFunc(x.headers, func(ref signRef) bool { return ref.sign.namedIn(line) }) {
		return false // prose: it is not taken apart
	}
	h := logHeader{isW3C: true, isBare: true}
	if h.w3c.Names = bytes.Fields(bytes.Clone(line)); len(h.w3c.Names) < bareNames {
		return false
	}
	if h.plan, h.weak = x.planFor(&h); h.plan == nil {
		return false
	}
	l.remember(stream, &h)
	return true
}

// namedIn tells whether the columns of a header without '#' that s asks for may be in line.
func (s *sign) namedIn(line []byte) bool {
	for _, want := range s.w3c {
		if !bytes.Contains(line, []byte(want)) {
			return false
		}
	}
	return len(s.w3c) > 1
}
