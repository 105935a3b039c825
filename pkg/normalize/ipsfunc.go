package normalize

import "leat/pkg/event"

// ipsCall keeps the elements of a list that are IP addresses; a value that is no list is its own only element.
func ipsCall(r *runner, _ *call, v value) value {
	if v.kind != event.Array {
		return r.onlyIf(v, true)
	}
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		if e.Kind != event.String {
			return true
		}
		if _, ok := parseAddr(r.textOf(value{b: e.Raw, kind: e.Kind, json: true})); ok {
			if len(r.mem) > start+1 {
				r.mem = append(r.mem, ',')
			}
			r.mem = append(r.mem, e.Raw...)
		}
		return true
	})
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
}
