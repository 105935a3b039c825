package normalize

import (
	"bytes"
	"strings"
	"time"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
	"leat/pkg/stage"
)

// Bounds of what an AuditJoin holds: an event is let go, as far as it came, where one of them is reached.
const (
	joinGroups  = 1024            // events
	joinBytes   = 8 << 20         // of all events' records
	joinText    = 256 << 10       // of one event's
	joinRecords = 64              // of one event
	joinLines   = 512             // lines since its first record
	joinTime    = 2 * time.Second // of later records of the same source
)

// AuditJoin stands in front of a stage and makes one record of the records of each event of the Linux audit system: those
// that bear the same audit(time:serial) and come from the same source, a line each. The mapping linux.auditd reads such a
// record as one event. It has the id, and all that ingest noted, of the event's first record.
//
// Delivery: a held record is given before the next mark, so none is lost or doubled by whatever is killed; an event that a
// mark cuts in two becomes two events, with the ids of their first records. In an unmarked pipe what is held is also given
// when a second passes without a line. An event that nothing cuts is given behind its record EOE, or once later ones show
// that no more will come. Records that programs send (USER_LOGIN ...) are events by themselves and pass at once. Other
// events keep their order and never wait.
type AuditJoin struct {
	next   stage.Stage
	groups map[string]*auditGroup
	order  []*auditGroup // by age; those before head are gone
	head   int
	free   []*auditGroup
	bytes  int
	line   int64
	last   int64 // line at the last tick
	idle   bool
	marked bool
	text   []byte
	key    []byte
}

// auditGroup is what is held of one event.
type auditGroup struct {
	key    string
	stream string
	line   []byte // the first record as it came
	raw    bool   // which is no JSON object
	text   []byte // the records, a line each
	count  int
	since  int64
	time   int64
}

// NewAuditJoin puts a join in front of next.
func NewAuditJoin(next stage.Stage) *AuditJoin {
	return &AuditJoin{next: next, groups: map[string]*auditGroup{}}
}

// Process holds the records of b that may be parts of an event, and gives b and what has become whole to the next stage.
func (j *AuditJoin) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if !e.Failed() {
			j.one(b, e)
		}
	}
	b.Compact()
	return j.next.Process(b)
}

func (j *AuditJoin) one(b *event.Batch, e *event.Event) {
	j.line++
	text, raw, stream := j.record(e)
	h, ok := parse.AuditRecord(text)
	var ns int64
	if ok {
		ns, _ = parse.Epoch(h.Time)
		if !h.Single() && len(text) <= joinText && bytes.IndexByte(text, '\n') < 0 {
			j.hold(b, e, heldRecord{text, raw, stream, ns}, h)
		}
	}
	for ; j.head < len(j.order); j.head++ {
		g := j.order[j.head]
		if g.count > 0 && len(j.groups) <= joinGroups && j.bytes <= joinBytes && j.line-g.since < joinLines &&
			(!ok || g.stream != stream || ns-g.time < int64(joinTime)) {
			break
		}
		if g.count > 0 {
			j.give(g, b.After(e, nil), b)
		}
		j.free = append(j.free, g)
	}
	// The places in front are taken anew once they are most.
	if j.head > 64 && 2*j.head > len(j.order) {
		j.order = append(j.order[:0], j.order[j.head:]...)
		j.head = 0
	}
}

// heldRecord is a record that may be part of an event.
type heldRecord struct {
	text   []byte
	raw    bool
	stream string
	time   int64
}

// hold adds e's record to its event, and gives the event where that was the last.
func (j *AuditJoin) hold(b *event.Batch, e *event.Event, rec heldRecord, h parse.AuditHeader) {
	j.key = append(append(append(j.key[:0], rec.stream...), 0), h.Node...)
	j.key = append(append(append(append(j.key, 0), h.Time...), ':'), h.Serial...)
	g := j.groups[string(j.key)]
	end := string(h.Kind) == "EOE"
	if g == nil {
		if end {
			return // of nothing that is held: a record like any other
		}
		g = j.begin(e, rec)
	}
	g.text = append(append(g.text, rec.text...), '\n')
	g.count++
	j.bytes += len(rec.text) + 1
	e.Drop()
	if end || g.count >= joinRecords || len(g.text) > joinText {
		j.give(g, b.After(e, nil), b)
	}
}

// record returns the text of the record that e is or wraps, if it may be one of audit's.
func (j *AuditJoin) record(e *event.Event) (text []byte, raw bool, stream string) {
	if r, ok := e.Record(); ok {
		if !bytes.Contains(r, auditSign) {
			return nil, false, ""
		}
		return r, false, streamOf(e)
	}
	line := e.Line()
	if !bytes.Contains(line, auditSign) {
		return nil, false, ""
	}
	if line[0] != '{' {
		return line, true, ""
	}
	inner, wrapped, err := e.Unwrap(j.text[:0])
	j.text = inner
	if err != nil || !wrapped || e.Get(pathEscaped).Kind == event.True || e.Get(pathKind).Exists() {
		return nil, false, ""
	}
	return inner, false, streamOf(e)
}

var auditSign = []byte("audit(")

// streamOf names where e came from, for as long as e stays.
func streamOf(e *event.Event) string {
	if f := e.Get(pathFile); f.Exists() {
		return view(f)
	}
	if f := e.Get(pathSource); f.Exists() {
		return view(f)
	}
	return ""
}

func (j *AuditJoin) begin(e *event.Event, rec heldRecord) *auditGroup {
	var g *auditGroup
	if n := len(j.free); n > 0 {
		g, j.free = j.free[n-1], j.free[:n-1]
	} else {
		g = &auditGroup{}
	}
	g.key, g.stream, g.raw, g.count, g.since, g.time = string(j.key), strings.Clone(rec.stream), rec.raw, 0, j.line, rec.time
	g.text = g.text[:0]
	if rec.raw {
		g.line = append(g.line[:0], e.Line()...)
	} else {
		g.line = e.Append(g.line[:0])
	}
	j.bytes += len(g.line)
	j.groups[g.key] = g
	j.order = append(j.order, g)
	return g
}

// give makes n the record of the whole group, which is then no longer held. Its place in order is freed later.
func (j *AuditJoin) give(g *auditGroup, n *event.Event, b *event.Batch) {
	delete(j.groups, g.key)
	j.bytes -= len(g.line) + len(g.text)
	text := bytes.TrimSuffix(g.text, []byte("\n"))
	switch {
	case g.count == 1:
		n.Replace(b.End(append(b.Begin(len(g.line)), g.line...)))
	case g.raw:
		dst := append(b.Begin(2*len(text)+64), `{"event":{"original":`...)
		n.Replace(b.End(append(event.AppendString(dst, text), "}}"...)))
	default:
		n.Replace(b.End(append(b.Begin(len(g.line)), g.line...)))
		if n.Parse() == nil {
			_ = n.SetString(pathOriginal, string(text))
		}
	}
	g.count = 0
}

// all gives everything that is held, oldest first, through the next stage.
func (j *AuditJoin) all(b *event.Batch) error {
	for _, g := range j.order[j.head:] {
		if g.count > 0 {
			j.give(g, b.Push(nil), b)
		}
		j.free = append(j.free, g)
	}
	j.order, j.head = j.order[:0], 0
	return j.next.Process(b)
}

// Flush gives what is held, before a mark and at the end.
func (j *AuditJoin) Flush(b *event.Batch) error { return j.all(b) }

// Hello tells that marks will come: then time alone gives nothing.
func (j *AuditJoin) Hello(h stage.Hello) error {
	j.marked = true
	if m, ok := j.next.(stage.Marker); ok {
		return m.Hello(h)
	}
	return nil
}

// Mark has nothing to keep: Flush gave all.
func (j *AuditJoin) Mark(m stage.Mark) error {
	if k, ok := j.next.(stage.Marker); ok {
		return k.Mark(m)
	}
	return nil
}

// Tick notes whether a line came since the last one.
func (j *AuditJoin) Tick(time.Time) error {
	j.idle = j.line == j.last
	j.last = j.line
	return nil
}

// Release gives what is held where nothing more comes.
func (j *AuditJoin) Release(b *event.Batch) error {
	if j.marked || !j.idle {
		return nil
	}
	return j.all(b)
}
