package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// open makes events of the records in the record that was parsed. Their ids follow from its id and their number; what stands
// around them goes with each, below the mapping's own object.
func (s *Stage) open(b *event.Batch, e *event.Event, p *plan, env *record) {
	r := &s.run
	r.begin(p)
	r.findCells(p)
	found, at := r.contents(p)
	if len(found) == 0 {
		s.unrecognised(b, e, env)
		return
	}
	var root []byte
	if r.isObj {
		root = r.obj.ValueAt(r.obj.Root()).Raw
	}
	shared := without(nil, event.ValueOf(root), at)
	size := 0
	for _, c := range found {
		size += len(shared) + len(c.beside) + len(env.around) + elementCost
	}
	if size > maxGrowth*len(root)+freeGrowth {
		s.fail(b, e, env, "parse", fmt.Errorf("mapping %s: the events of the record repeat more than %d times as much as it holds", p.name, maxGrowth))
		return
	}
	id := string(event.ValueOf(env.id).Text(nil))
	if env.id == nil && r.outer != nil {
		id = r.outer.Get(pathID).String()
	}
	outer := r.outer
	for n, c := range found {
		one := record{wrapped: env.wrapped, dataset: env.dataset, stream: env.stream, text: c.text, depth: env.depth + 1}
		if slices.Contains(p.hints, one.dataset) {
			one.dataset = ""
		}
		if id != "" {
			one.id = event.AppendString(nil, event.DeriveID(id, strconv.Itoa(n)))
		}
		if one.around = joinMembers(c.beside, shared, env.around); one.around != nil {
			one.aroundAt = p.keepAt
		}
		s.alone(b, b.After(e, nil), outer, &one)
	}
	e.Drop()
}

// content is a record that lies in another, and the members that stand beside it in an element of a list.
type content struct{ text, beside []byte }

// contents returns copies of what the first source holds that has a value, and that source's path. Where something in it can be no record,
// there is none: the record then stays whole.
func (r *runner) contents(p *plan) (found []content, at []string) {
	for _, src := range p.inside {
		s := *src
		var member []string
		if n := len(s.picks); n > 0 && s.picks[n-1].index == -1 && len(s.calls) == 0 {
			member, s.picks = s.picks[n-1].path, s.picks[:n-1]
		}
		list, _ := r.read(&s)
		if list.empty() {
			continue
		}
		ok := true
		elementsOf(list, func(el value) bool {
			c := content{}
			if len(member) > 0 && el.kind == event.Object {
				e := event.ValueOf(el.b)
				// An element without a record is one itself.
				if in := below(e, member); len(bytes.TrimSpace(in.Text(nil))) > 0 {
					c.beside = without(nil, e, member)
					el = value{b: in.Raw, kind: in.Kind, json: true}
				}
			}
			if el.empty() {
				return true
			}
			c.text = bytes.Clone(r.textOf(el))
			if ok = el.kind == event.Object || el.kind == event.String; ok && len(bytes.TrimSpace(c.text)) > 0 {
				found = append(found, c)
			}
			return ok
		})
		if !ok {
			return nil, nil
		}
		if len(found) > 0 {
			path, _, _ := strings.Cut(src.text, "[")
			return found, splitPath(strings.TrimSpace(path))
		}
	}
	return nil, nil
}

// without appends the members of an object, as JSON with a comma between them, that are neither null nor at path.
func without(dst []byte, o event.Value, path []string) []byte {
	o.Members(func(key []byte, v event.Value) bool {
		if v.Kind == event.Null {
			return true
		}
		mark := len(dst)
		if mark > 0 {
			dst = append(dst, ',')
		}
		dst = append(event.AppendString(dst, key), ':')
		if len(path) == 0 || string(key) != path[0] {
			dst = appendRaw(dst, v.Raw, v.Kind)
			return true
		}
		inner := without(nil, v, path[1:])
		if len(path) == 1 || len(inner) == 0 {
			dst = dst[:mark]
			return true
		}
		dst = append(append(append(dst, '{'), inner...), '}')
		return true
	})
	return dst
}

// joinMembers makes the object of what stands around a record: beside it, around its list, and around the record that it lay in.
func joinMembers(beside, shared, outer []byte) []byte {
	if len(beside)+len(shared) == 0 {
		return outer
	}
	dst := append([]byte{'{'}, beside...)
	if len(shared) > 0 && len(beside) > 0 {
		known := event.ValueOf(append(bytes.Clone(dst), '}'))
		event.ValueOf(slices.Concat([]byte{'{'}, shared, []byte{'}'})).Members(func(key []byte, v event.Value) bool {
			if !known.Member(string(key)).Exists() {
				dst = append(append(event.AppendString(append(dst, ','), key), ':'), v.Raw...)
			}
			return true
		})
	} else {
		dst = append(dst, shared...)
	}
	if outer != nil {
		dst = append(append(dst, `,"outer":`...), outer...)
	}
	return append(dst, '}')
}

// surround gives an event what stood around its record.
func (s *Stage) surround(e *event.Event, env *record) {
	if env.around != nil && e.Parse() == nil {
		// The one fault is a value of the event's own where the object must lie, and the mapping chose that place.
		_ = e.Set(env.aroundAt, env.around)
	}
}

// alone normalises a record that lay in another; one that no mapping takes is an event with its text.
func (s *Stage) alone(b *event.Batch, e, outer *event.Event, env *record) {
	s.run.outer, s.run.columns = outer, nil // header lines speak of rows, not of what lies in a record
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
	s.surround(e, env)
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
