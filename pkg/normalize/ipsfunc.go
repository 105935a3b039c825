package normalize

import "leat/pkg/event"

// ipsDepth bounds how deep in a list ipsCall looks.
const ipsDepth = 8

// ipsCall gathers the IP addresses in a list or object, at any depth; a value that is neither is its own only element.
func ipsCall(r *runner, _ *call, v value) value {
	if v.kind != event.Array && v.kind != event.Object {
		return r.onlyIf(v, true)
	}
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	r.addresses(event.ValueOf(v.b), start+1, ipsDepth)
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
}

// addresses appends those in v to the list that begins at first.
func (r *runner) addresses(v event.Value, first, depth int) {
	switch v.Kind {
	case event.String:
		if _, ok := parseAddr(r.textOf(value{b: v.Raw, kind: v.Kind, json: true})); ok {
			if len(r.mem) > first {
				r.mem = append(r.mem, ',')
			}
			r.mem = append(r.mem, v.Raw...)
		}
	case event.Array:
		if depth > 0 {
			v.Elements(func(e event.Value) bool { r.addresses(e, first, depth-1); return true })
		}
	case event.Object:
		if depth > 0 {
			v.Members(func(_ []byte, e event.Value) bool { r.addresses(e, first, depth-1); return true })
		}
	}
}
