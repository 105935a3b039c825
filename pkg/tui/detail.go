package tui

import (
	"strings"
	"time"

	"leat/pkg/event"
)

// detail is the pane that tells everything about the selected alert.
type detail struct {
	open, focus, zoom bool
	top               int

	lines   []string // as last made
	of      *row
	width   int
	palette Palette
	zone    *time.Location
	stale   bool
}

// maxDetailLines bounds the pane: a hostile alert may hold a million members.
const maxDetailLines = 4000

// draw returns h lines of w cells.
func (d *detail) draw(m *model, w, h int) []string {
	r := m.selected()
	if r == nil {
		return frame([]string{m.palette.paint(styleDim, fit(" no alert", w))}, w, h)
	}
	if d.of != r || d.width != w || d.palette != m.palette || d.zone != m.zone || d.stale {
		if d.of != r {
			d.top = 0
		}
		d.of, d.width, d.palette, d.zone, d.stale = r, w, m.palette, m.zone, false
		d.lines = describe(m, r, w)
	}
	d.top = max(min(d.top, len(d.lines)-h), 0)
	return frame(d.lines[d.top:min(d.top+h, len(d.lines))], w, h)
}

func frame(lines []string, w, h int) []string {
	out := append([]string(nil), lines...)
	for len(out) < h {
		out = append(out, pad(w))
	}
	return out[:h]
}

// page collects the pane's lines, each exactly w cells wide.
type page struct {
	p     Palette
	w     int
	lines []string
}

func (g *page) add(s style, text string) {
	if len(g.lines) < maxDetailLines {
		g.lines = append(g.lines, g.p.paint(s, fit(text, g.w)))
	}
}

func (g *page) title(s string) {
	if len(g.lines) > 0 {
		g.add(styleText, "")
	}
	g.add(styleHead, " "+s)
}

// field writes a label and a value, wrapped.
func (g *page) field(label, value string) {
	const indent = 24
	if value == "" || len(g.lines) >= maxDetailLines {
		return
	}
	in := min(indent, g.w*2/5)
	label = "  " + label
	if textWidth(label) >= in {
		g.lines = append(g.lines, g.p.paint(styleLabel, fit(label, g.w)))
		label = ""
	}
	for i, l := range wrap(value, g.w-in-1) {
		if i > 0 {
			label = ""
		}
		g.lines = append(g.lines, g.p.paint(styleLabel, fit(label, in))+fit(l, g.w-in))
	}
}

func (g *page) para(text string) {
	for _, l := range wrap(text, g.w-3) {
		g.add(styleText, "  "+l)
	}
}

var detailFields = event.MustFields("message", "leat.alert.matched", "leat.alert.actions", "leat.alert.events", "tags",
	"threat.tactic.name", "threat.technique.id", "threat.subtechnique.id", "rule.description", "rule.reference", "rule.version", "event.original", "rule.author")

// entities are the objects of an alert that the pane lists member by member.
var entityNames = []string{"user", "host", "source", "destination", "client", "server", "process", "file", "registry", "url", "dns", "network", "cloud", "service"}

// describe makes the pane's lines: message, what respond did, rule, why, entities, raw.
func describe(m *model, r *row, w int) []string {
	g := &page{p: m.palette, w: w}
	var e event.Event
	e.Reset(r.raw)
	if err := e.Parse(); err != nil {
		g.add(styleWarn, " not JSON: "+clean(err.Error()))
		g.para(clean(clip(string(r.raw), 64<<10)))
		return g.lines
	}
	v := make([]event.Value, detailFields.Len())
	detailFields.Read(&e, v)
	level := levels[r.level]
	if level == "" {
		level = "no level"
	}
	g.lines = append(g.lines, g.p.paint(style(r.level), " "+letters[r.level:r.level+1]+" "+level+" ")+fit("  "+r.when(m.zone), w-len(level)-4))
	g.para(whole(v[0]))
	if steps := m.steps.byAlert[r.id]; len(steps) > 0 && r.id != "" {
		g.title("RESPONSE")
		for _, s := range steps {
			g.para(s.clock(m.zone) + " " + s.message)
		}
	}
	g.title("RULE")
	g.field("name", r.rule)
	g.field("id", r.ruleID)
	g.field("description", whole(v[8]))
	g.field("tactics", listed(v[5]))
	g.field("techniques", strings.TrimSpace(listed(v[6])+" "+listed(v[7])))
	g.field("version", whole(v[10]))
	g.field("author", listed(v[12]))
	g.field("reference", whole(v[9]))
	g.why(v[1])
	g.entities(&e)
	if v[3].Exists() {
		g.title("EVENTS")
		v[3].Elements(func(x event.Value) bool {
			g.para(strings.TrimSpace(whole(x.Member("id")) + " " + whole(x.Member("dataset"))))
			return len(g.lines) < maxDetailLines
		})
	}
	if v[2].Exists() {
		g.title("SUGGESTED")
		v[2].Elements(func(x event.Value) bool { g.para("- " + whole(x)); return len(g.lines) < maxDetailLines })
	}
	if o := whole(v[11]); o != "" {
		g.title("ORIGINAL")
		g.para(o)
	}
	g.title("JSON")
	g.json(event.ValueOf(r.raw), "  ", "", "")
	return g.lines[:min(len(g.lines), maxDetailLines)]
}

func (r *row) when(zone *time.Location) string {
	if r.time == 0 {
		return "no time"
	}
	return time.Unix(0, r.time).In(zone).Format("2006-01-02 15:04:05.000 MST")
}

// whole is a value's text for the pane: clean, with a wide bound.
func whole(v event.Value) string { return clean(clip(v.String(), 16<<10)) }

func listed(v event.Value) string {
	var parts []string
	v.Elements(func(x event.Value) bool {
		if x.Kind != event.Null {
			parts = append(parts, whole(x))
		}
		return len(parts) < 50
	})
	return strings.Join(parts, ", ")
}

// why lists the clauses that matched.
func (g *page) why(matched event.Value) {
	if !matched.Exists() {
		return
	}
	g.title("WHY")
	matched.Elements(func(c event.Value) bool {
		if c.Kind != event.Object {
			g.para(whole(c))
			return true
		}
		field := whole(c.Member("field"))
		if field == "" {
			field = "(anywhere)"
		}
		op := whole(c.Member("modifiers"))
		if op == "" {
			op = "is"
		}
		g.field(field, whole(c.Member("value")))
		g.field("", op+" "+whole(c.Member("want")))
		return len(g.lines) < maxDetailLines
	})
}

// entities lists who and where, each member by its path.
func (g *page) entities(e *event.Event) {
	for _, name := range entityNames {
		v := e.Get(event.KeyPath(name))
		if v.Kind != event.Object {
			continue
		}
		g.title(strings.ToUpper(name))
		g.members(v, "", 0)
	}
}

func (g *page) members(v event.Value, prefix string, depth int) {
	v.Members(func(k []byte, x event.Value) bool {
		name := prefix + clean(string(k))
		if x.Kind == event.Object && depth < 8 {
			g.members(x, name+".", depth+1)
		} else {
			g.field(name, listed(x))
		}
		return len(g.lines) < maxDetailLines
	})
}

// json writes a value in lines, indented and coloured.
func (g *page) json(v event.Value, indent, key, comma string) {
	if len(g.lines) >= maxDetailLines {
		return
	}
	if len(indent) > g.w/2 {
		indent = indent[:g.w/2]
	}
	switch v.Kind {
	case event.Object:
		g.jsonLine(indent, key, "{", styleText)
		members(v, func(k string, x event.Value, last bool) {
			g.json(x, indent+"  ", `"`+k+`": `, commaUnless(last))
		})
		g.jsonLine(indent, "", "}"+comma, styleText)
	case event.Array:
		g.jsonLine(indent, key, "[", styleText)
		elements(v, func(x event.Value, last bool) { g.json(x, indent+"  ", "", commaUnless(last)) })
		g.jsonLine(indent, "", "]"+comma, styleText)
	case event.String:
		g.jsonLine(indent, key, clean(clip(string(v.Raw), 16<<10))+comma, styleString)
	default:
		g.jsonLine(indent, key, clean(string(v.Raw))+comma, styleMedium)
	}
}

func commaUnless(last bool) string {
	if last {
		return ""
	}
	return ","
}

// jsonLine writes key and text, wrapped under the key.
func (g *page) jsonLine(indent, key, text string, s style) {
	key = clip(clean(key), 200)
	room := g.w - len(indent) - textWidth(key)
	if room < 16 {
		g.lines = append(g.lines, g.p.paint(styleLabel, fit(indent+key, g.w)))
		key, indent = "", indent+"  "
		room = max(g.w-len(indent), 1)
	}
	for _, l := range wrap(text, room) {
		if len(g.lines) >= maxDetailLines {
			return
		}
		g.lines = append(g.lines, indent+g.p.paint(styleLabel, key)+g.p.paint(s, fit(l, room)))
		key, indent = "", indent+pad(textWidth(key))
	}
}

func members(v event.Value, yield func(k string, x event.Value, last bool)) {
	var key string
	var held event.Value
	v.Members(func(k []byte, x event.Value) bool {
		if held.Exists() {
			yield(key, held, false)
		}
		key, held = string(k), x
		return true
	})
	if held.Exists() {
		yield(key, held, true)
	}
}

func elements(v event.Value, yield func(x event.Value, last bool)) {
	var held event.Value
	v.Elements(func(x event.Value) bool {
		if held.Exists() {
			yield(held, false)
		}
		held = x
		return true
	})
	if held.Exists() {
		yield(held, true)
	}
}
