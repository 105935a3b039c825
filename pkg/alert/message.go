package alert

import (
	"fmt"
	"strings"

	"leat/pkg/event"
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
func (w *Writer) Message(s *Subject, matched []Clause) string {
	var b strings.Builder
	b.Grow(256)
	if w.rule.Message != "" {
		w.message.write(&b, s)
	} else {
		w.plain(&b, s)
	}
	for i := range matched {
		if i == 0 {
			b.WriteString("; because ")
		} else {
			b.WriteString(" and ")
		}
		if i == 4 {
			fmt.Fprintf(&b, "%d more", len(matched)-i)
			break
		}
		matched[i].write(&b)
	}
	return b.String()
}

func (m *message) write(b *strings.Builder, s *Subject) {
	for i, t := range m.texts {
		b.WriteString(t)
		if i == len(m.places) {
			break
		}
		switch p := m.places[i]; p.entity {
		case "user":
			b.WriteString(orSome(s.describeUser(), "an unnamed user"))
		case "host":
			b.WriteString(orSome(s.describeHost(), "an unnamed host"))
		case "source":
			b.WriteString(orSome(s.describeSource(), "an unknown address"))
		default:
			b.WriteString(orSome(shorten(s.e.Get(p.path).String()), "(no "+p.path.String()+")"))
		}
	}
}

// plain is the sentence of a rule without one of its own.
func (w *Writer) plain(b *strings.Builder, s *Subject) {
	b.WriteString(w.rule.Name)
	for _, part := range [...]struct{ word, text string }{
		{": ", s.describeUser()}, {" on ", s.describeHost()}, {" from ", s.describeSource()},
	} {
		if part.text != "" {
			b.WriteString(part.word)
			b.WriteString(part.text)
		}
	}
}

func (s *Subject) describeUser() string {
	return s.describe(places.user, places.fullName, places.dept, places.userCity)
}

func (s *Subject) describeHost() string {
	return s.describe(places.host, places.function, places.hostCity, places.hostState)
}

func (s *Subject) describeSource() string {
	return s.describe(places.source, places.sourceCity, places.sourceState)
}

// describe returns a name, and in parentheses what else is known.
func (s *Subject) describe(names span, more ...span) string {
	v := s.first(names)
	if !v.Exists() {
		return ""
	}
	text := shorten(v.String())
	known := ""
	for _, at := range more {
		if k := shorten(s.first(at).String()); k != "" && k != text {
			known += ", " + k
		}
	}
	if known != "" {
		text += " (" + known[2:] + ")"
	}
	return text
}

// write says what held: field, verb, value.
func (c *Clause) write(b *strings.Builder) {
	field := c.Field
	if field == "" {
		field = "the event"
	}
	verb := "is"
	for m := range strings.SplitSeq(c.Modifiers, "|") {
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
			verb = comparisons[m]
		}
	}
	if c.Field == "" && verb == "is" {
		verb = "contains"
	}
	b.WriteString(field)
	b.WriteByte(' ')
	b.WriteString(verb)
	b.WriteByte(' ')
	b.WriteString(shorten(c.Want))
}

var comparisons = map[string]string{"gt": "is above", "gte": "is at least", "lt": "is below", "lte": "is at most"}

func orSome(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// shorten cuts a value and keeps control characters of hostile events out of sentences.
func shorten(s string) string {
	if len(s) <= maxValue && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) < 0 {
		return s
	}
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
