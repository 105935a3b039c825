// Package alert is the alert record: what an alert says (who, what, where and why) and how it stands on the wire.
//
// An alert is an event like any other, with event.kind "alert". It is built from the event that raised it and from the
// rule: the rule's metadata and ATT&CK tags, the entities with whatever enrichment the event carries, the clauses that
// matched with their values, a reference to the event, and a sentence for people.
//
// Its id is a hash of the rule's id and the event's, so that a replay gives the same alert and receivers can drop what
// they have seen. It is not for deciding what is an alert (pkg/detect), nor for what becomes of it (pkg/respond, pkg/tui).
//
// Delivery: none of its own; it only writes bytes.
package alert

import (
	"strconv"
	"strings"

	"leat/pkg/event"
)

// Kind is the event.kind of an alert (ECS).
const Kind = "alert"

// Dataset is the event.dataset of every alert.
const Dataset = "leat.alert"

// Rule is what an alert says of the rule that raised it.
type Rule struct {
	ID, Name, Description, Version, Author, License string
	References, Tags, Actions                       []string
	// Level is informational, low, medium, high or critical.
	Level string
	// Message is a sentence with {field} places; see Message.
	Message string
}

// Clause is one comparison that held.
type Clause struct {
	Field     string `json:"field,omitempty"` // empty: anywhere in the event
	Modifiers string `json:"modifiers,omitempty"`
	Want      string `json:"want"`
	Value     string `json:"value"`
}

// Severity is the event.severity of a level, from 0 to 100. An unknown level counts as low.
func Severity(level string) int {
	switch level {
	case "informational":
		return 10
	case "medium":
		return 47
	case "high":
		return 73
	case "critical":
		return 99
	}
	return 21
}

// Level is the level of an event.severity: the highest whose severity it reaches.
func Level(severity int64) string {
	switch {
	case severity >= 99:
		return "critical"
	case severity >= 73:
		return "high"
	case severity >= 47:
		return "medium"
	case severity >= 21:
		return "low"
	}
	return "informational"
}

// Writer writes the alerts of one rule. It is immutable.
type Writer struct {
	rule     Rule
	severity string
	fixed    []byte // the members rule and tags
	threat   []byte // the member threat; empty where the rule has none
	message  message
}

// NewWriter prepares what is the same in every alert of r. The error is one of r.Message.
func NewWriter(r Rule) (*Writer, error) {
	m, err := parseMessage(r.Message)
	if err != nil {
		return nil, err
	}
	w := &Writer{rule: r, severity: strconv.Itoa(Severity(r.Level)), message: m}
	w.fixed, w.threat = appendRule(nil, &r), appendThreat(nil, r.Tags)
	return w, nil
}

// ID returns the id of the alert that this rule raises for an event.
func (w *Writer) ID(eventID string) string { return event.DeriveID(w.rule.ID, eventID) }

// Append appends the alert that s raised as one JSON object, without a line feed.
func (w *Writer) Append(dst []byte, s *Subject, matched []Clause) []byte {
	dst = append(dst, '{')
	if ts := s.time(); ts != nil {
		dst = append(append(append(dst, `"@timestamp":`...), ts...), ',')
	}
	dst = w.appendHead(dst, s, w.ID(s.EventID()), matched)
	dst = append(dst, `,"events":[{"id":`...)
	dst = event.AppendString(dst, s.EventID())
	if v := s.all()[places.dataset.from]; v.Kind == event.String {
		dst = append(append(dst, `,"dataset":`...), v.Raw...)
	}
	dst = append(dst, `}]`...)
	return w.appendTail(dst, matched)
}

// appendHead appends what every alert has, from the object event into the object leat.alert.
func (w *Writer) appendHead(dst []byte, s *Subject, id string, matched []Clause) []byte {
	dst = append(dst, `"event":{"kind":"`+Kind+`","id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","dataset":"`+Dataset+`","severity":`...)
	dst = append(dst, w.severity...)
	dst = append(s.appendCopied(dst), '}')
	dst = append(dst, w.fixed...)
	dst = s.appendThreat(dst, w.threat)
	dst = s.appendEntities(dst)
	dst = append(dst, `,"message":`...)
	dst = event.AppendString(dst, w.Message(s, matched))
	dst = append(dst, `,"leat":{"alert":{"level":`...)
	return event.AppendString(dst, w.rule.Level)
}

// appendTail appends the clauses and the rule's actions, and closes the alert.
func (w *Writer) appendTail(dst []byte, matched []Clause) []byte {
	dst = append(dst, `,"matched":[`...)
	for i := range matched {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = matched[i].append(dst)
	}
	dst = append(dst, ']')
	dst = appendTexts(dst, "actions", w.rule.Actions)
	return append(dst, `}}}`...)
}

func (c *Clause) append(dst []byte) []byte {
	dst = append(dst, '{')
	if c.Field != "" {
		dst = event.AppendString(append(dst, `"field":`...), c.Field)
		dst = append(dst, ',')
	}
	if c.Modifiers != "" {
		dst = event.AppendString(append(dst, `"modifiers":`...), c.Modifiers)
		dst = append(dst, ',')
	}
	dst = event.AppendString(append(dst, `"want":`...), c.Want)
	dst = event.AppendString(append(dst, `,"value":`...), c.Value)
	return append(dst, '}')
}

func appendRule(dst []byte, r *Rule) []byte {
	dst = event.AppendString(append(dst, `,"rule":{"id":`...), r.ID)
	for _, m := range []struct{ name, text string }{
		{"name", r.Name}, {"description", strings.TrimSpace(r.Description)}, {"version", r.Version}, {"license", r.License},
	} {
		if m.text != "" {
			dst = append(append(append(dst, `,"`...), m.name...), `":`...)
			dst = event.AppendString(dst, m.text)
		}
	}
	if r.Author != "" {
		dst = appendTexts(dst, "author", []string{r.Author})
	}
	if len(r.References) > 0 {
		dst = event.AppendString(append(dst, `,"reference":`...), r.References[0])
	}
	dst = append(dst, '}')
	return appendTexts(dst, "tags", r.Tags)
}

// appendTexts appends a member that is a list of texts, unless it is empty.
func appendTexts(dst []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":[`...)
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendString(dst, s)
	}
	return append(dst, ']')
}
