package alert

import (
	"fmt"
	"strings"

	"leat/pkg/event"
)

var (
	pathHost = event.MustPath("host")
	pathUser = event.MustPath("user")

	userNames = append(paths("user.full_name", "user.name", "user.email", "user.id"), rawUser...)
	userPlace = [][]event.Path{paths("user.department"), paths("user.office.city", "user.office.name", "user.office.country")}
	hostNames = append(paths("host.name", "host.hostname", "host.id", "host.ip", "destination.domain", "destination.ip"), rawHost...)
	hostPlace = [][]event.Path{paths("host.function"), paths("host.office.city", "host.office.name"), paths("host.office.country")}
	sources   = paths("source.ip", "source.address", "source.domain", "client.ip")
	srcPlace  = [][]event.Path{paths("source.geo.city_name"), paths("source.geo.country_name", "source.geo.country_iso_code")}
)

// maxValue is how much of a value a sentence shows.
const maxValue = 120

// message is a parsed template: text and places in turn, beginning with text.
type message struct {
	texts  []string
	places []place
}

// place is {user}, {host}, {source} or the path of a field.
type place struct {
	entity string
	path   event.Path
}

// parseMessage reads a sentence with places: {user}, {host} and {source} are these entities with what is known of them,
// {some.field} is that field's value.
func parseMessage(s string) (message, error) {
	var m message
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			return m, fmt.Errorf("message: a { without its }: %q", s[open:])
		}
		name := s[open+1 : open+end]
		p := place{entity: name}
		if name != "user" && name != "host" && name != "source" {
			path, err := event.ParsePath(name)
			if err != nil {
				return m, fmt.Errorf("message: %w", err)
			}
			p = place{path: path}
		}
		m.texts = append(m.texts, s[:open])
		m.places = append(m.places, p)
		s = s[open+end+1:]
	}
	m.texts = append(m.texts, s)
	return m, nil
}

// Message returns the alert's sentence: who did what, where and why.
func (w *Writer) Message(e *event.Event, matched []Clause) string {
	var b strings.Builder
	if w.rule.Message != "" {
		w.message.write(&b, e)
	} else {
		w.plain(&b, e)
	}
	for i, c := range matched {
		if i == 0 {
			b.WriteString("; because ")
		} else {
			b.WriteString(" and ")
		}
		if i == 4 {
			fmt.Fprintf(&b, "%d more", len(matched)-i)
			break
		}
		b.WriteString(c.sentence())
	}
	return b.String()
}

func (m *message) write(b *strings.Builder, e *event.Event) {
	for i, t := range m.texts {
		b.WriteString(t)
		if i == len(m.places) {
			break
		}
		switch p := m.places[i]; p.entity {
		case "user":
			b.WriteString(orSome(describe(e, userNames, userPlace), "an unnamed user"))
		case "host":
			b.WriteString(orSome(describe(e, hostNames, hostPlace), "an unnamed host"))
		case "source":
			b.WriteString(orSome(describe(e, sources, srcPlace), "an unknown address"))
		default:
			b.WriteString(orSome(shorten(e.Get(p.path).String()), "(no "+p.path.String()+")"))
		}
	}
}

// plain is the sentence of a rule without one of its own.
func (w *Writer) plain(b *strings.Builder, e *event.Event) {
	b.WriteString(w.rule.Name)
	for _, part := range []struct{ word, text string }{
		{": ", describe(e, userNames, userPlace)},
		{" on ", describe(e, hostNames, hostPlace)},
		{" from ", describe(e, sources, srcPlace)},
	} {
		if part.text != "" {
			b.WriteString(part.word + part.text)
		}
	}
}

// describe returns a name, and in parentheses what else is known.
func describe(e *event.Event, names []event.Path, more [][]event.Path) string {
	v := first(e, names)
	if !v.Exists() {
		return ""
	}
	var known []string
	for _, places := range more {
		if k := first(e, places); k.Exists() {
			known = append(known, shorten(k.String()))
		}
	}
	s := shorten(v.String())
	if len(known) > 0 {
		s += " (" + strings.Join(known, ", ") + ")"
	}
	return s
}

func (c *Clause) sentence() string {
	field := c.Field
	if field == "" {
		field = "the event"
	}
	verb := "is"
	for _, m := range strings.Split(c.Modifiers, "|") {
		switch m {
		case "contains":
			verb = "contains"
		case "startswith":
			verb = "starts with"
		case "endswith":
			verb = "ends with"
		case "re":
			verb = "matches"
		case "cidr":
			verb = "lies in"
		case "fieldref":
			verb = "agrees with"
		case "gt", "gte", "lt", "lte":
			verb = map[string]string{"gt": "is above", "gte": "is at least", "lt": "is below", "lte": "is at most"}[m]
		}
	}
	if c.Field == "" && verb == "is" {
		verb = "contains"
	}
	return field + " " + verb + " " + shorten(c.Want)
}

func orSome(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// shorten cuts a value and keeps control characters of hostile events out of sentences.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "") + "…"
	}
	return s
}
