package normalize

import "leat/pkg/event"

// getCall gives what stands at a path within a list or object, such as one that the function json read: of an object its
// member; of a list of objects, that of each, or of the one that a selector in front of the path names.
func getCall(r *runner, c *call, v value) value {
	if len(c.keys) > 0 {
		switch v.kind {
		case event.Object:
			e := below(event.ValueOf(v.b), c.keys)
			v = value{b: e.Raw, kind: e.Kind, json: true}
		case event.Array:
			v = r.pick(&pick{index: -1, path: c.keys}, v)
		default:
			return value{}
		}
	}
	for i := range c.picks {
		v = r.pick(&c.picks[i], v)
	}
	return v
}
