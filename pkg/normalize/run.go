package normalize

import (
	"bytes"
	"errors"
	"strconv"

	"leat/internal/wildcard"
	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// runner holds the memory for running plans over one record after the other.
type runner struct {
	lookups

	plan       *plan
	rec        parse.Record
	head       parse.Header
	hasHead    bool
	obj        *event.Event // the record's JSON, where isObj
	isObj      bool
	keyAt      []event.Node // where the record has the names that the index knows, by number
	found      []int32      // those that it has
	shape      *shape       // of the record, where it is known
	shapes     shapes
	own        event.Event // obj's place, where the record is only a part of the event
	multiline  bool        // there are line feeds in its text
	raw        []byte      // the record's text
	lineName   []byte
	line       []byte // what the line patterns were for
	names      *names // of namesOf's pairs
	namesOf    *plan
	allNames   map[*plan]*names
	cells      []int32   // by slot
	leaves     [][]value // by leaf
	present    bits      // leaves that have a value
	layouts    *layouts  // of the plan that wrote last
	allLayouts map[*plan]*layouts
	keyText    []byte // scratch for names
	mem        []byte
	item       value  // the element that an object is built of
	itemAt     int    // its number in its list
	ownColumns int    // rows read by a mapping's own columns since they were last counted
	objects    []byte // scratch for them
	clock      parse.Clock
	times      times
	minute     parse.Minute // of the header's time
	written    writtenTime
	choice     choice
	tried      tried
	program    program // of the last line that had one
	lastOf     *index  // that lastSign is of; nil = none
	lastSign   int32   // by which the last text was recognised
	there      there
	matcher    parse.Matcher
	inner      event.Event
	outer      *event.Event // the wrapping event, or nil
	headers    *logHeaders
	columns    *logHeader // of the record's stream, or nil
	stream     string
	noOriginal bool // event.original is not wanted
}

// record is what is known of a record besides its text.
type record struct {
	wrapped  bool
	dataset  string
	stream   string
	text     []byte // the record's own
	original []byte // it as a JSON string; nil = not made yet (Stage.original)
	escaped  bool   // original is, by event.EscapeText
	id       []byte // JSON text; an id that is not the wrapping event's
	depth    int    // of records in records
	around   []byte // what stood around a record that lay in another, as a JSON object; or nil
	aroundAt event.Path
}

func numberValue(b []byte) value { return value{b: b, kind: event.Number, json: true} }

func (r *runner) number(n int) value {
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, int64(n), 10)
	return numberValue(r.mem[start:len(r.mem):len(r.mem)])
}

func (r *runner) has(leaf int) bool { return len(r.leaves[leaf]) > 0 }

// put gives a field one value, in the place of those it has.
func (r *runner) put(leaf int, v value) { r.leaves[leaf] = append(r.leaves[leaf][:0], v) }

// look reads as much of the record's text as recognition needs: its syslog header, and whether it is a JSON object. Where it
// was read as one before, that is obj; else obj is nil.
func (r *runner) look(text []byte, obj *event.Event) {
	r.raw = text
	r.obj, r.isObj, r.hasHead = obj, obj != nil, false
	r.head = parse.Header{Priority: -1, Message: text}
	// A line has no line feeds, but may have the other sign that breaks lines.
	r.multiline = r.isObj && bytes.IndexByte(text, '\r') >= 0
	if r.isObj {
		return
	}
	if len(text) == 0 || text[0] != '{' {
		r.head, r.hasHead = parse.ParseHeader(text)
	}
	if m := afterSpace(r.head.Message); len(m) > 0 && m[0] == '{' {
		r.own.Reset(m)
		r.obj, r.isObj = &r.own, r.own.Parse() == nil
		r.multiline = r.isObj && (bytes.IndexByte(m, '\n') >= 0 || bytes.IndexByte(m, '\r') >= 0)
	}
}

// afterSpace is bytes.TrimLeft of spaces, tabs and ends of lines, which most texts do not begin with.
func afterSpace(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n') {
		s = s[1:]
	}
	return s
}

// begin makes r ready for the plan p.
func (r *runner) begin(p *plan) {
	r.plan = p
	r.mem = r.mem[:0]
	for len(r.leaves) < len(p.fields) {
		r.leaves = append(r.leaves, nil)
	}
	for i := range r.leaves[:len(p.fields)] {
		r.leaves[i] = r.leaves[i][:0]
	}
}

var errNotFor = errors.New("the text is not in the format that the mapping reads")

// parse runs the plan's parsers over the record that look saw. The error tells that the text is not what the mapping is for.
func (r *runner) parse(p *plan) error {
	r.plan = p
	r.lineName, r.line = nil, nil
	r.rec.Reset()
	for i := range p.steps {
		if !r.step(&p.steps[i], i == 0) && i == 0 {
			return errNotFor
		}
	}
	return nil
}

// apply runs the plan over the parsed record. The error tells which value does not fit its field.
func (r *runner) apply() error {
	p := r.plan
	r.begin(p)
	r.findCells(p)
	r.timestamp()
	for i := range p.rules {
		if err := r.rule(&p.rules[i]); err != nil {
			return err
		}
	}
	for i := range p.set {
		if err := r.act(&p.set[i]); err != nil {
			return err
		}
	}
	for i := range p.branches {
		if err := r.branch(&p.branches[i]); err != nil {
			return err
		}
	}
	if p.copies != nil {
		if err := r.copy(p.copies); err != nil {
			return err
		}
	}
	r.automatics()
	return nil
}

// findCells finds the record's cells for the plan's sources.
func (r *runner) findCells(p *plan) {
	for len(r.cells) < int(p.slots) {
		r.cells = append(r.cells, parse.None)
	}
	for i := range r.cells[:p.slots] {
		r.cells[i] = parse.None
	}
	if p.slots > 0 {
		r.place(p)
	}
	if p.pairs != nil {
		r.findPairs(p)
	}
}

// resolve finds the record's cells for the plan's sources.
func (r *runner) resolve(t *pathTable, n int32) {
	for i := r.rec.Child(n); i >= 0; i = r.rec.Cells[i].Next {
		k := r.find(t, &r.rec.Cells[i])
		if k < 0 {
			continue
		}
		if s := t.slot[k]; s >= 0 && r.cells[s] == parse.None {
			r.cells[s] = i
		}
		if t.next[k] != nil && r.rec.Cells[i].Kind == event.Object {
			r.resolve(t.next[k], i)
		}
	}
}

// rule sets one field from the first source that has a value which fits.
func (r *runner) rule(u *rule) error {
	for _, s := range u.sources {
		v, cell := r.read(s)
		if v.kind == event.Missing {
			continue
		}
		if u.textual && v.kind == event.String {
			r.put(u.leaf, v)
		} else if !r.assign(u.leaf, &u.field, v, u.soft) {
			if u.soft {
				r.leaves[u.leaf] = r.leaves[u.leaf][:0]
				continue
			}
			return wrongType(r.plan, u.field, r.textOf(v))
		}
		if cell != parse.None {
			r.rec.Cells[cell].Used = true
		}
		return nil
	}
	return nil
}

// assign gives a field the value, or the elements, of v in the field's type. Where soft is set, elements that don't fit are left
// out, unless none does.
func (r *runner) assign(leaf int, f *ecs.Field, v value, soft bool) bool {
	if v.kind != event.Array || f.Type == ecs.Nested && !f.Array {
		out, ok := r.convert(f.Type, v)
		if ok {
			r.put(leaf, out)
		}
		return ok
	}
	r.leaves[leaf] = r.leaves[leaf][:0]
	ok := true
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		el := value{b: e.Raw, kind: e.Kind, json: true}
		if el.empty() {
			return true
		}
		out, fits := r.convert(f.Type, el)
		if !fits && soft {
			return true
		}
		if !fits || !f.Array && len(r.leaves[leaf]) > 0 {
			ok = false
			return false
		}
		r.leaves[leaf] = append(r.leaves[leaf], out)
		return true
	})
	return ok && (!soft || len(r.leaves[leaf]) > 0)
}

func (r *runner) act(a *action) error {
	if a.rule != nil {
		return r.rule(a.rule)
	}
	r.leaves[a.leaf] = append(r.leaves[a.leaf][:0], a.consts...)
	return nil
}

func (r *runner) branch(b *branch) error {
	var v value
	for _, s := range b.on {
		if v, _ = r.read(s); v.kind != event.Missing {
			break
		}
	}
	acts := b.absent
	if v.kind != event.Missing {
		acts = b.pick(r.textOf(v))
	}
	for i := range acts {
		if err := r.act(&acts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *branch) pick(t []byte) []action {
	if n, ok := b.exact[string(t)]; ok {
		return b.cases[n]
	}
	for _, g := range b.globs {
		if wildcard.MatchBytes(g.glob, t) {
			return b.cases[g.n]
		}
	}
	return b.other
}
