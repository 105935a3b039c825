package normalize

import (
	"bytes"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
)

// A mapping with the key inside says only where in a record the records are: the elements of a list, or a text. Each of
// them finds its own mapping, as if it had come alone.

// maxInside bounds how deep records may lie in records.
const maxInside = 4

// inside compiles the key: a source, or a list of which the first that has a value holds.
func (c *compiler) inside(n *yaml.Node) {
	for _, e := range c.scalars(n, "inside") {
		src, err := c.plan.compileSource(e.Value, c.tables)
		if err != nil {
			c.fault(e, "inside: %v", err)
			continue
		}
		c.plan.inside = append(c.plan.inside, src)
	}
}

// open makes events of the records in the record that was parsed. Their ids follow from its id and their number.
func (s *Stage) open(b *event.Batch, e *event.Event, p *plan, env *record) {
	r := &s.run
	r.begin(p)
	r.findCells(p)
	var list value
	for _, src := range p.inside {
		if list, _ = r.read(src); !list.empty() {
			break
		}
	}
	if list.empty() {
		s.unrecognised(b, e, env)
		return
	}
	id := string(event.ValueOf(env.id).Text(nil))
	if env.id == nil && r.outer != nil {
		id = r.outer.Get(pathID).String()
	}
	// The elements are spans of memory that the runner uses again.
	list.b = bytes.Clone(list.b)
	outer, n := r.outer, 0
	elementsOf(list, func(el value) bool {
		text := r.textOf(el)
		if len(bytes.TrimSpace(text)) == 0 {
			return true
		}
		text = bytes.Clone(text)
		one := record{wrapped: env.wrapped, dataset: env.dataset, stream: env.stream, text: text, depth: env.depth + 1}
		if slices.Contains(p.hints, one.dataset) {
			one.dataset = ""
		}
		if id != "" {
			one.id = event.AppendString(nil, event.DeriveID(id, strconv.Itoa(n)))
		}
		n++
		s.alone(b, b.After(e, nil), outer, &one)
		return true
	})
	if n == 0 {
		s.unrecognised(b, e, env)
		return
	}
	e.Drop()
}

// alone normalises a record that lay in another; one that no mapping takes is an event with its text.
func (s *Stage) alone(b *event.Batch, e, outer *event.Event, env *record) {
	s.run.outer = outer
	if env.depth <= maxInside {
		s.run.look(env.text, nil)
		if p := s.run.choose(s.cfg.Mappings.index, env.dataset); p != nil {
			if env.id == nil {
				s.bare(b, e, env)
			}
			s.mapped(b, e, p, env.text, env)
			return
		}
	}
	s.bare(b, e, env)
	if s.unknown != nil {
		s.unknown.Inc()
	}
}

// bare makes e an event that bears nothing but the record's id and text.
func (s *Stage) bare(b *event.Batch, e *event.Event, env *record) {
	original := s.original(env)
	dst := b.Begin(len(original) + 128)
	dst = append(dst, `{"event":{"kind":"event"`...)
	if env.id != nil {
		dst = append(append(dst, `,"id":`...), env.id...)
	}
	dst = append(append(append(dst, `,"original":`...), original...), '}')
	if env.escaped {
		dst = append(dst, `,"leat":{"escaped":true}`...)
	}
	e.Replace(b.End(append(dst, '}')))
}

// own returns the first of the plans that reads a record itself, or the first.
func own(plans []*plan) *plan {
	for _, p := range plans {
		if p.inside == nil {
			return p
		}
	}
	return plans[0]
}
