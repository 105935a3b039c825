package normalize

import (
	"bytes"
	"errors"
	"time"

	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// runner holds the memory of one run of a plan over one record. It is not safe for concurrent use.
type runner struct {
	plan     *plan
	rec      parse.Record
	cells    []int32 // by slot
	head     parse.Header
	lineName []byte
	mem      []byte
	inner    event.Event // scratch
	obj      event.Event // the record, where it is a JSON object
	isObj    bool
	clock    parse.Clock
	zeek     *zeekHeaders
	stream   string // names the stream whose Zeek header holds
	matcher  parse.Matcher
	out      []leafOut
}

// leafOut is what goes into one field.
type leafOut struct {
	n     int
	first value
	more  []value
}

func (o *leafOut) add(v value) {
	if o.n == 0 {
		o.first = v
	} else {
		o.more = append(o.more, v)
	}
	o.n++
}

func (o *leafOut) at(i int) value {
	if i == 0 {
		return o.first
	}
	return o.more[i-1]
}

// mappingError says that a record does not fit its mapping.
type mappingError struct{ reason, message string }

func (e *mappingError) Error() string { return e.message }

var errNotParsed = errors.New("not parsed")

// look prepares text for recognition: is it an object, or does a syslog header stand in front of it?
func (r *runner) look(text []byte) {
	r.isObj = false
	r.head = parse.Header{Priority: -1, Message: text}
	if t := bytes.TrimLeft(text, " \t\ufeff"); len(t) > 0 && t[0] == '{' {
		r.obj.Reset(t)
		r.isObj = r.obj.Parse() == nil
		return
	}
	r.head, _ = parse.ParseHeader(text)
	if m := r.head.Message; len(m) > 0 && m[0] == '{' {
		r.obj.Reset(m)
		r.isObj = r.obj.Parse() == nil
	}
}

// parse reads the record by the plan's chain of parsers.
func (r *runner) parse(p *plan, text []byte) error {
	r.plan = p
	r.rec.Reset()
	r.mem = r.mem[:0]
	r.lineName = nil
	if len(p.steps) == 0 {
		st := step{kind: stepText}
		if r.isObj {
			st.kind = stepJSON
		} else if len(p.lines) > 0 {
			st.kind = stepLines
		}
		if err := r.step(&st, text); err != nil {
			return err
		}
	}
	for i := range p.steps {
		if err := r.step(&p.steps[i], text); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) step(st *step, whole []byte) error {
	src := r.head.Message
	if len(st.from) > 0 {
		n := int32(0)
		for _, k := range st.from {
			if n = r.rec.Find(n, k); n == parse.None {
				return nil
			}
		}
		src = r.rec.Text(n)
		r.rec.Cells[n].Used = true
	}
	parent := int32(0)
	if len(st.into) > 0 {
		parent = r.rec.AddObject(0, st.into)
	}
	ok := true
	switch st.kind {
	case stepText:
		r.rec.AddText(parent, keyMessage, src)
	case stepJSON:
		if r.isObj && len(st.from) == 0 {
			r.rec.FromEvent(parent, &r.obj, r.obj.Root())
			return nil
		}
		return r.rec.JSON(parent, src)
	case stepWinlog:
		ok = r.isObj && parse.Winlog(&r.rec, parent, &r.obj)
	case stepKV:
		ok = st.kv.Parse(&r.rec, parent, src)
	case stepCSV:
		ok = st.csv.Parse(&r.rec, parent, src)
	case stepCEF:
		ok = parse.CEF(&r.rec, parent, whole)
	case stepLEEF:
		ok = parse.LEEF(&r.rec, parent, whole)
	case stepZeek:
		ok = r.zeekLine(parent, st, whole)
	case stepLines:
		if !r.line(parent, src) {
			// A message that no pattern knows is still a message of this program.
			r.rec.AddText(parent, keyMessage, src)
		}
	}
	if !ok {
		return errNotParsed
	}
	return nil
}

var keyMessage = []byte("message")

func (r *runner) line(parent int32, src []byte) bool {
	for i := range r.plan.lines {
		l := &r.plan.lines[i]
		if r.matcher.Match(l.p, &r.rec, parent, src) {
			r.lineName = l.name
			return true
		}
	}
	return false
}

// apply evaluates the plan over the parsed record.
func (r *runner) apply() error {
	p := r.plan
	if len(r.cells) < int(p.slots) {
		r.cells = make([]int32, p.slots)
	}
	for i := range r.cells[:p.slots] {
		r.cells[i] = parse.None
	}
	for len(r.out) < len(p.leaves) {
		r.out = append(r.out, leafOut{})
	}
	for i := range r.out[:len(p.leaves)] {
		r.out[i].n, r.out[i].more = 0, r.out[i].more[:0]
	}
	r.resolve(&p.paths, 0)
	for i := range p.rules {
		if err := r.rule(&p.rules[i]); err != nil {
			return err
		}
	}
	if err := r.actions(p.set); err != nil {
		return err
	}
	for i := range p.branches {
		if err := r.branch(&p.branches[i]); err != nil {
			return err
		}
	}
	r.when()
	return nil
}

// resolve finds the cells that the plan's sources name.
func (r *runner) resolve(t *pathTable, parent int32) {
	for i := r.rec.Cells[parent].Child; i >= 0; i = r.rec.Cells[i].Next {
		c := &r.rec.Cells[i]
		key := c.Key
		if c.JSONKey && bytes.IndexByte(key, '\\') >= 0 {
			key = event.AppendUnquoted(nil, key)
		}
		k := t.keys.get(key)
		if k < 0 {
			continue
		}
		if s := t.slot[k]; s >= 0 && r.cells[s] == parse.None {
			r.cells[s] = i
		}
		if next := t.next[k]; next != nil {
			r.resolve(next, i)
		}
	}
}

func (r *runner) rule(rl *rule) error {
	for _, s := range rl.sources {
		v, cell := r.read(s)
		if v.empty() {
			continue
		}
		if r.put(rl.leaf, rl.field, v) {
			if cell != parse.None {
				r.rec.Cells[cell].Used = true
			}
			return nil
		}
		if !rl.soft {
			return &mappingError{"mapping", wrongType(r.plan, rl.field, r.textOf(v))}
		}
	}
	return nil
}

// put gives a field a value, or each element of a list; false where one does not fit the field's type.
func (r *runner) put(leaf int, f ecs.Field, v value) bool {
	o := &r.out[leaf]
	o.n, o.more = 0, o.more[:0]
	if v.kind != event.Array || !v.json || !f.Array && !f.Type.Textual() && f.Type != ecs.IP {
		c, ok := r.convert(f.Type, v)
		if ok {
			o.add(c)
		}
		return ok
	}
	fits := true
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		ev := value{b: e.Raw, kind: e.Kind, json: true}
		if ev.empty() {
			return true
		}
		c, ok := r.convert(f.Type, ev)
		if !ok {
			fits = false
			return false
		}
		o.add(c)
		return true
	})
	if !fits {
		o.n, o.more = 0, o.more[:0]
	}
	return fits
}

func (r *runner) actions(list []action) error {
	for i := range list {
		a := &list[i]
		if a.rule != nil {
			if err := r.rule(a.rule); err != nil {
				return err
			}
			continue
		}
		o := &r.out[a.leaf]
		o.n, o.more = 0, o.more[:0]
		for _, v := range a.consts {
			o.add(v)
		}
	}
	return nil
}

func (r *runner) branch(b *branch) error {
	v, _ := r.read(b.on)
	if v.empty() {
		return r.actions(b.absent)
	}
	t := r.textOf(v)
	if n, ok := b.exact[string(t)]; ok {
		return r.actions(b.cases[n])
	}
	for _, g := range b.globs {
		if glob(g.glob, t) {
			return r.actions(b.cases[g.n])
		}
	}
	return r.actions(b.other)
}

// when sets @timestamp: from the mapping's time, else from the syslog header.
func (r *runner) when() {
	p := r.plan
	if p.timing != nil {
		clock := r.clock
		if p.timing.zone != nil {
			if v, _ := r.read(p.timing.zone); !v.empty() {
				if loc := location(string(r.textOf(v))); loc != nil {
					clock.Zone = loc
				}
			}
		}
		for _, s := range p.timing.sources {
			v, cell := r.read(s)
			if v.empty() {
				continue
			}
			ns, ok := instant(clock, r.textOf(v), p.timing.layouts)
			if !ok {
				continue
			}
			if cell != parse.None {
				r.rec.Cells[cell].Used = true
			}
			r.out[p.at.time].n = 0
			r.out[p.at.time].add(r.time(ns))
			return
		}
	}
	if len(r.head.Time) > 0 && r.out[p.at.time].n == 0 {
		if ns, ok := r.clock.Time(r.head.Time); ok {
			r.out[p.at.time].add(r.time(ns))
		}
	}
}

func instant(c parse.Clock, t []byte, layouts []string) (int64, bool) {
	for _, l := range layouts {
		if ns, ok := c.Layout(t, l); ok {
			return ns, true
		}
	}
	if len(layouts) > 0 {
		return 0, false
	}
	return c.Time(t)
}

// location reads a zone as logs write it: +0200, +02:00, UTC, or a name of the tz database.
func location(s string) *time.Location {
	for _, layout := range []string{"-0700", "-07:00", "-07"} {
		if t, err := time.Parse(layout, s); err == nil {
			_, off := t.Zone()
			return time.FixedZone(s, off)
		}
	}
	if loc, err := time.LoadLocation(s); err == nil && s != "" && s != "Local" {
		return loc
	}
	return nil
}

// glob matches t against a pattern with * and ?.
func glob(pattern string, t []byte) bool {
	p, s, star, mark := 0, 0, -1, 0
	for s < len(t) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, s
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == t[s]):
			p++
			s++
		case star >= 0:
			mark++
			p, s = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
