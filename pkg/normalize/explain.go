package normalize

import (
	"slices"
	"strings"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// Place says what became of one value of a record.
type Place struct {
	Name   string   // in the record: the path of a member with dots, or a capture
	Value  string   // its text
	Fields []string // fields of the event that were written from it; nil: none
	Kept   string   // where it stays as it came; "" = it has fields, or was only read, or is no value
}

// Places is where the values of a record went.
type Places struct {
	Values []Place
	// Bytes is the length of the record's text; InFields is how much of it is the syslog header and values that fields were written
	// from, and Kept values that stay below the mapping's own object. The rest is names, separators and words between values.
	Bytes, InFields, Kept int
}

// Explain tells which mapping a record, raw or wrapped, is taken by, in words.
func (s *Stage) Explain(line []byte) string {
	s.begun(line)
	p := s.run.choose(s.cfg.Mappings.index, s.hint)
	if p == nil {
		return "none: it goes on as it is"
	}
	if err := s.run.parse(p); err != nil {
		return p.name + " (" + p.file + "), but it could not be parsed: " + err.Error()
	}
	how := p.name + " (" + p.file + ")"
	if s.run.lineName != nil {
		how += ", line " + string(s.run.lineName)
	}
	return how
}

// Places tells where each value of a record, raw or wrapped, went. ok is false where no mapping took it, or where the events come of
// parts of it.
func (s *Stage) Places(line []byte) (p Places, ok bool) {
	text := s.begun(line)
	r := &s.run
	plan := r.choose(s.cfg.Mappings.index, s.hint)
	if plan == nil || r.parse(plan) != nil || plan.inside != nil || len(plan.each) > 0 || r.apply() != nil {
		return p, false
	}
	p.Bytes = len(text)
	if r.hasHead {
		p.InFields = len(text) - len(r.head.Message)
	}
	r.places(&p, 0, "", r.taken())
	return p, true
}

// taken lists the fields that were written from each cell.
func (r *runner) taken() map[int32][]string {
	from := map[int32][]string{}
	p := r.plan
	first := func(sources []*source, field string) {
		for _, s := range sources {
			if v, _ := r.read(s); v.kind != event.Missing {
				s.cells(r, func(cell int32) { from[cell] = append(from[cell], field) })
				return
			}
		}
	}
	rule := func(u *rule) {
		if r.has(u.leaf) {
			first(u.sources, u.field.Name)
		}
	}
	if p.timing != nil {
		first(p.timing.sources, "@timestamp")
	}
	for i := range p.rules {
		rule(&p.rules[i])
	}
	for _, b := range p.branches {
		for _, acts := range slices.Concat(b.cases, [][]action{b.absent, b.other}) {
			for i := range acts {
				if u := acts[i].rule; u != nil {
					rule(u)
				}
			}
		}
	}
	return from
}

// cells calls f with each cell that s reads.
func (s *source) cells(r *runner, f func(cell int32)) {
	if s.slot >= 0 && r.cells[s.slot] != parse.None {
		f(r.cells[s.slot])
	}
	for _, p := range s.parts {
		if p.src != nil {
			p.src.cells(r, f)
		}
	}
}

func (r *runner) places(p *Places, n int32, above string, from map[int32][]string) {
	for i := r.rec.Child(n); i != parse.None; i = r.rec.Cells[i].Next {
		c := &r.rec.Cells[i]
		name := above + string(c.Key)
		if c.Kind == event.Object && (c.Val == nil || r.rec.Touched(i)) && from[i] == nil {
			r.places(p, i, name+".", from)
			continue
		}
		v := Place{Name: name, Value: string(r.rec.Text(i)), Fields: from[i]}
		switch {
		case v.Fields != nil:
			p.InFields += len(v.Value)
		case (!c.Used || r.plan.keepUsed) && c.Kind != event.Null:
			v.Kept = r.plan.keepPath + "." + name
			p.Kept += len(v.Value)
		}
		p.Values = append(p.Values, v)
	}
}

// begun looks at a record, and returns its text.
func (s *Stage) begun(line []byte) []byte {
	var e event.Event
	e.Reset(line)
	env := record{dataset: s.cfg.Dataset}
	text := line
	if inner, wrapped, err := e.Unwrap(nil); err == nil && wrapped {
		s.unwrap(&e, &env)
		text = s.bytes(&e, inner)
	}
	s.hint = strings.Clone(env.dataset)
	s.run.look(text, nil)
	return text
}
