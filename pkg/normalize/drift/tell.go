package drift

import (
	"strconv"
	"unicode/utf8"

	"leat/pkg/event"
)

// kindNames are the types that are told: true and false are one.
var kindNames = map[event.Kind]string{event.True: "boolean", event.Number: "number", event.String: "string", event.Object: "object", event.Array: "array"}

var kindOrder = []event.Kind{event.True, event.Number, event.String, event.Object, event.Array}

// tell adds the event of a drift behind e, unless this window has had enough of them.
func (s *Stage) tell(b *event.Batch, e *event.Event, d *dataset, c *change) {
	if d.told >= maxTold {
		d.suppressed++
		return
	}
	d.told++
	line := s.line(b.Begin(1024), e, d, c)
	b.After(e, b.End(line))
	d.suppressed = 0
}

// line appends the event.
func (s *Stage) line(dst []byte, e *event.Event, d *dataset, c *change) []byte {
	number := strconv.FormatUint(d.events, 10)
	dst = append(dst, `{"@timestamp":`...)
	if ts := e.Get(pathTimestamp); ts.Kind == event.String {
		dst = append(dst, ts.Raw...)
	} else {
		dst = append(event.AppendTime(append(dst, '"'), s.cfg.Now().UnixNano()), '"')
	}
	dst = append(dst, `,"event":{"id":"`...)
	dst = append(dst, event.DeriveID("drift", d.name, c.action, c.field, kindNames[c.kind], number)...)
	dst = append(dst, `","kind":"event","dataset":"`+Dataset+`","action":"`+c.action+`"},"message":`...)
	dst = event.AppendString(dst, message(d, c))
	dst = append(dst, `,"leat":{"drift":{"dataset":`...)
	dst = event.AppendString(dst, d.name)
	dst = append(dst, `,"field":`...)
	dst = event.AppendString(dst, c.field)
	if c.kind != event.Missing {
		dst = append(dst, `,"type":"`+kindNames[c.kind]+`"`...)
	}
	if c.was != 0 {
		dst = append(dst, `,"was":[`...)
		for _, k := range kindOrder {
			if c.was&(1<<k) != 0 {
				dst = append(dst, `"`+kindNames[k]+`",`...)
			}
		}
		dst = append(dst[:len(dst)-1], ']')
	}
	if c.example.Exists() {
		dst = append(dst, `,"example":`...)
		dst = event.AppendString(dst, cut(c.example.Text(nil), maxExample))
	}
	if id := e.Get(pathID); id.Kind == event.String {
		dst = append(append(dst, `,"event_id":`...), id.Raw...)
	}
	dst = append(append(dst, `,"events":`...), number...)
	if d.suppressed > 0 {
		dst = strconv.AppendUint(append(dst, `,"suppressed":`...), d.suppressed, 10)
	}
	return append(dst, `}}}`...)
}

func message(d *dataset, c *change) string {
	switch c.action {
	case "field-new":
		return d.name + " has a new field, " + c.field + " (" + kindNames[c.kind] + ")"
	case "field-gone":
		return "half of the events of " + d.name + " had the field " + c.field + "; of the last " + strconv.Itoa(window) + ", none"
	case "field-type":
		return "the field " + c.field + " of " + d.name + " is of another type now: " + kindNames[c.kind]
	}
	return d.name + " has too many fields: new ones are not watched from " + c.field + " on"
}

// cut shortens a text to n bytes, not within a character.
func cut(s []byte, n int) []byte {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
