package normalize

import (
	"bytes"
	"strconv"

	"leat/pkg/event"
)

// array makes events of a record that is a JSON array of objects, as APIs answer and exports write: each of them finds its own
// mapping, as if it had come alone. Their ids follow from the record's id and their number. It is false, and nothing is done,
// where the text is anything else.
func (s *Stage) array(b *event.Batch, e *event.Event, env *record) bool {
	text := bytes.TrimSpace(env.text)
	if len(text) < 4 || text[0] != '[' || text[len(text)-1] != ']' || bytes.TrimLeft(text[1:], " \t\r\n")[0] != '{' {
		return false
	}
	var in event.Event
	in.Reset(append(append([]byte(`{"v":`), text...), '}'))
	if in.Parse() != nil {
		return false
	}
	list, count, objects := in.Get(pathV), 0, true
	list.Elements(func(el event.Value) bool {
		count++
		objects = el.Kind == event.Object
		return objects
	})
	if !objects || count*elementCost > maxGrowth*len(text)+freeGrowth {
		return false
	}
	id := ""
	if s.run.outer != nil {
		id = s.run.outer.Get(pathID).String()
	}
	outer, base, n := s.run.outer, *env, 0
	list.Elements(func(el event.Value) bool {
		one := record{wrapped: base.wrapped, dataset: base.dataset, stream: base.stream, text: el.Raw, depth: 1}
		if id != "" {
			one.id = event.AppendString(nil, event.DeriveID(id, strconv.Itoa(n)))
		}
		n++
		s.alone(b, b.After(e, nil), outer, &one)
		return true
	})
	e.Drop()
	return true
}
