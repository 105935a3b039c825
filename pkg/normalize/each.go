package normalize

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
)

// A mapping with the key each makes an event of every element of a list, also of lists in its elements:
//
//	each: records[].flows[].tuples
//
// An element that is no object becomes one, with the list's name as its only member. What stands beside the lists, in the
// objects around an element, counts as its own, so that each event tells the whole; an element's own member of that name
// goes first.

const (
	// maxGrowth and elementCost bound what a record may grow to by what is repeated in its events: to maxGrowth times its
	// length and one MiB, where every event counts with its length and elementCost bytes for what all events have.
	maxGrowth   = 64
	elementCost = 512
	freeGrowth  = 1 << 20
)

// each compiles the key.
func (c *compiler) each(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	if n.Kind != yaml.ScalarNode {
		c.fault(n, "each: expected the path of a list, such as Records or records[].flows[].tuples, found %s", kindOf(n))
		return
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(n.Value, "[]"), "[]") {
		if part = strings.TrimPrefix(part, "."); part == "" {
			c.fault(n, "each: %q names no list; expected a path such as Records or records[].flows[].tuples", n.Value)
			return
		}
		c.plan.each = append(c.plan.each, splitPath(part))
	}
}

// member is one of an object around the elements.
type member struct {
	text   []byte // `"key":value`
	key    string
	outer  int // the member of that name further out, or -1
	hidden int // how many of that name stand further in
}

// unroll walks the lists of a record.
type unroll struct {
	levels [][]string
	around []member
	byKey  map[string]int // the innermost of that name in around
	yield  func(el event.Value) bool
	merged []byte
	masked []int
	budget int
}

// walk calls yield with each element of the lists of level and below that lie in v. It is false once yield was.
func (u *unroll) walk(level int, v event.Value) bool {
	mark := len(u.around)
	defer u.forget(mark)
	for _, k := range u.levels[level] {
		if v.Kind != event.Object {
			return true
		}
		u.remember(v, k)
		v = v.Member(k)
	}
	more := true
	v.Elements(func(el event.Value) bool {
		switch {
		case el.Kind == event.Null:
		case level+1 < len(u.levels):
			more = u.walk(level+1, el)
		default:
			more = u.yield(el)
		}
		return more
	})
	return more
}

// remember enters the members of an object around, without the one that is walked.
func (u *unroll) remember(v event.Value, without string) {
	own := len(u.around)
	v.Members(func(key []byte, val event.Value) bool {
		if string(key) == without || val.Kind == event.Null {
			return true
		}
		m := member{key: string(key), outer: -1}
		m.text = append(append(event.AppendString(nil, key), ':'), val.Raw...)
		if o, ok := u.byKey[m.key]; ok && o >= own {
			return true // of two of one name in an object the first counts
		} else if ok {
			m.outer = o
			u.around[o].hidden++
		}
		u.byKey[m.key] = len(u.around)
		u.around = append(u.around, m)
		return true
	})
}

// forget drops what was entered since around had mark members.
func (u *unroll) forget(mark int) {
	for i := len(u.around) - 1; i >= mark; i-- {
		m := &u.around[i]
		if m.outer < 0 {
			delete(u.byKey, m.key)
			continue
		}
		u.byKey[m.key] = m.outer
		u.around[m.outer].hidden--
	}
	u.around = u.around[:mark]
}

// record returns the record that an element makes with what stands around it. It is valid until the next call.
func (u *unroll) record(el event.Value) []byte {
	if el.Kind == event.Object && len(u.around) == 0 {
		return el.Raw
	}
	u.masked = u.masked[:0]
	mask := func(key []byte, _ event.Value) bool {
		if i, ok := u.byKey[string(key)]; ok {
			u.around[i].hidden++
			u.masked = append(u.masked, i)
		}
		return true
	}
	if el.Kind == event.Object {
		u.merged = append(u.merged[:0], bytes.TrimRight(el.Raw[:len(el.Raw)-1], " \t\r\n")...)
		el.Members(mask)
	} else {
		last := u.levels[len(u.levels)-1]
		key := []byte(last[len(last)-1])
		u.merged = append(append(event.AppendString(append(u.merged[:0], '{'), key), ':'), el.Raw...)
		mask(key, el)
	}
	for i := range u.around {
		if u.around[i].hidden > 0 {
			continue
		}
		if len(u.merged) > 1 {
			u.merged = append(u.merged, ',')
		}
		u.merged = append(u.merged, u.around[i].text...)
	}
	for _, i := range u.masked {
		u.around[i].hidden--
	}
	u.merged = append(u.merged, '}')
	return u.merged
}

// many makes an event of each element of the lists that `each` names. Their ids follow from the record's and their number.
func (s *Stage) many(b *event.Batch, e *event.Event, p *plan, env *record) {
	r := &s.run
	id := string(event.ValueOf(env.id).Text(nil))
	if env.id == nil && r.outer != nil {
		id = r.outer.Get(pathID).String()
	}
	if !r.isObj {
		s.fail(b, e, env, "parse", fmt.Errorf("mapping %s: no list to make events of", p.name))
		return
	}
	// The runner reads the elements with the memory that holds the record.
	root := event.ValueOf(bytes.Clone(r.obj.Line()))
	u := &unroll{levels: p.each, byKey: map[string]int{}, budget: maxGrowth*len(root.Raw) + freeGrowth}
	u.yield = func(el event.Value) bool {
		u.budget -= len(u.record(el)) + elementCost
		return u.budget >= 0
	}
	if !u.walk(0, root) {
		s.fail(b, e, env, "parse", fmt.Errorf("mapping %s: the events of the record repeat more than %d times as much as it holds", p.name, maxGrowth))
		return
	}
	made := 0
	base := *env // the closure may keep it; env stays on its caller's stack
	u.yield = func(el event.Value) bool {
		one := base
		if id != "" {
			one.id = event.AppendString(nil, event.DeriveID(id, strconv.Itoa(made)))
		}
		made++
		s.element(b, b.After(e, nil), p, &one, u.record(el))
		return true
	}
	u.walk(0, root)
	if made > 0 {
		e.Drop()
	} else {
		s.unrecognised(b, e, env)
	}
}

// element makes e the event of one element, whose record is text.
func (s *Stage) element(b *event.Batch, e *event.Event, p *plan, env *record, text []byte) {
	r := &s.run
	env.text, env.original, env.escaped = text, nil, false
	r.rec.Reset()
	err := r.rec.JSON(0, text)
	if err == nil {
		for i := range p.steps[1:] {
			r.step(&p.steps[1+i], false)
		}
		if err = r.apply(); err == nil {
			s.render(b, e, env)
			return
		}
	}
	e.Replace(bytes.Clone(text))
	s.fail(b, e, env, "wrong_type", err)
}
