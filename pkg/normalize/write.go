package normalize

import (
	"bytes"

	"leat/pkg/ecs"
	"leat/pkg/event"
)

const stringKind = event.String

var (
	kindEvent  = value{b: []byte(`"event"`), kind: event.String, json: true}
	ecsVersion = value{b: []byte(`"` + ecs.Version + `"`), kind: event.String, json: true}
)

// record is what stands around a record: what ingest said of it.
type record struct {
	original []byte // the JSON string of event.original; nil = leave it out
	id       []byte // event.id as JSON; may be nil
	log      event.Value
	leat     event.Value
	escaped  bool // text had to be escaped here
	dataset  string
	stream   string
}

// complete sets what every event has, and gathers related.*.
func (r *runner) complete(env *record) {
	p := r.plan
	if o := &r.out[p.at.kind]; o.n == 0 {
		o.add(kindEvent)
	}
	set := func(leaf int, v value) {
		o := &r.out[leaf]
		o.n, o.more = 0, o.more[:0]
		if len(v.b) > 0 {
			o.add(v)
		}
	}
	set(p.at.version, ecsVersion)
	set(p.at.dataset, value{b: []byte(p.dataset), kind: event.String})
	// A sender's own id is kept under its dataset: event.id is ours.
	set(p.at.id, value{b: env.id, kind: event.String, json: true})
	set(p.at.original, value{b: env.original, kind: event.String, json: true})
	for i := range p.gather {
		r.gatherInto(&p.gather[i])
	}
}

func (r *runner) gatherInto(g *gathered) {
	to := &r.out[g.to]
	for _, leaf := range g.from {
		o := &r.out[leaf]
		for i := range o.n {
			v := o.at(i)
			if v.empty() || r.has(to, v) {
				continue
			}
			to.add(v)
		}
	}
}

func (r *runner) has(o *leafOut, v value) bool {
	t := r.textOf(v)
	for i := range o.n {
		if bytes.Equal(r.textOf(o.at(i)), t) {
			return true
		}
	}
	return false
}

// write appends the event.
func (r *runner) write(dst []byte, env *record) []byte {
	dst, _ = r.object(dst, r.plan.root, env)
	return dst
}

// object writes one object; wrote is false, and dst as it was, where it would be empty.
func (r *runner) object(dst []byte, n *outNode, env *record) (out []byte, wrote bool) {
	start := len(dst)
	dst = append(dst, '{')
	any := false
	for _, s := range n.subs {
		mark := len(dst)
		if any {
			dst = append(dst, ',')
		}
		dst = append(dst, s.quoted...)
		ok := false
		if s.leaf >= 0 {
			dst, ok = r.leafValue(dst, s.leaf)
		} else {
			dst, ok = r.object(dst, s, env)
		}
		if !ok {
			dst = dst[:mark]
			continue
		}
		any = true
	}
	switch n.extra {
	case envelopeLog:
		dst, any = r.members(dst, env.log, n, any)
	case envelopeLeat:
		dst, any = r.members(dst, env.leat, n, any)
		if env.escaped {
			dst, any = append(comma(dst, any), `"escaped":true`...), true
		}
	}
	if n == r.plan.kept {
		dst, any = r.rest(dst, 0, n, any)
	}
	if !any {
		return dst[:start], false
	}
	return append(dst, '}'), true
}

func comma(dst []byte, any bool) []byte {
	if any {
		return append(dst, ',')
	}
	return dst
}

// members hands on the members of an object of the incoming record, unless the mapping wrote one of that name.
func (r *runner) members(dst []byte, v event.Value, n *outNode, any bool) ([]byte, bool) {
	v.Members(func(key []byte, val event.Value) bool {
		if r.taken(n, key) {
			return true
		}
		dst = comma(dst, any)
		dst = append(event.AppendString(dst, key), ':')
		dst = append(dst, val.Raw...)
		any = true
		return true
	})
	return dst, any
}

func (r *runner) leafValue(dst []byte, leaf int) ([]byte, bool) {
	o := &r.out[leaf]
	if o.n == 0 {
		return dst, false
	}
	list := o.n > 1 || r.plan.isList[leaf]
	if list {
		dst = append(dst, '[')
	}
	for i := range o.n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, o.at(i))
	}
	if list {
		dst = append(dst, ']')
	}
	return dst, true
}

func appendValue(dst []byte, v value) []byte {
	if v.json {
		return append(dst, v.b...)
	}
	return event.AppendString(dst, v.b)
}

// rest writes what no field took: the cells below parent that are not used.
func (r *runner) rest(dst []byte, parent int32, n *outNode, any bool) ([]byte, bool) {
	for i := r.rec.Cells[parent].Child; i >= 0; i = r.rec.Cells[i].Next {
		c := &r.rec.Cells[i]
		if c.Used && !r.plan.keepUsed || c.Kind == event.Null || c.Kind == event.Missing {
			continue
		}
		if n != nil && r.taken(n, c.Key) {
			continue
		}
		mark := len(dst)
		dst = comma(dst, any)
		if c.JSONKey {
			dst = append(append(append(dst, '"'), c.Key...), '"', ':')
		} else {
			dst = append(event.AppendString(dst, c.Key), ':')
		}
		switch {
		case c.Child >= 0:
			dst = append(dst, '{')
			var some bool
			if dst, some = r.rest(dst, i, nil, false); !some {
				dst = dst[:mark]
				continue
			}
			dst = append(dst, '}')
		case c.Kind == event.Object && !c.JSON:
			dst = dst[:mark]
			continue
		case c.JSON:
			dst = append(dst, c.Val...)
		default:
			dst = event.AppendString(dst, c.Val)
		}
		any = true
	}
	return dst, any
}

// taken tells whether the mapping itself writes a member of that name into the kept object.
func (r *runner) taken(n *outNode, key []byte) bool {
	for _, s := range n.subs {
		if s.name == string(key) && s.leaf >= 0 && r.out[s.leaf].n > 0 {
			return true
		}
	}
	return false
}
