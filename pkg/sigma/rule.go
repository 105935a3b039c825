package sigma

import (
	"fmt"
	"strings"
	"time"
)

// Meta is what every Sigma document says of itself.
type Meta struct {
	File string
	Line int // where its document begins, from 1

	ID          string // a UUID as a rule; empty where the document has none
	Title       string
	Name        string
	Description string
	Status      string
	Author      string
	License     string
	Date        string // as written, usually 2006-01-02
	Modified    string
	References  []string
	// FalsePositives, Tags and Fields are as in the specification's rule schema.
	FalsePositives []string
	Tags           []string
	Fields         []string
	Level          Level

	// Message is the custom key leat.message: a sentence with {field} places for the alert.
	Message string
	// Actions is the custom key leat.actions: what to do about it, in words.
	Actions []string
	// Suppress is the custom key leat.suppress: alerts of which one is enough for a while. Nil: all are raised.
	Suppress *Suppress
}

// Suppress says that after an alert no other with the same values of the fields By is raised for For (event time).
type Suppress struct {
	By  []string // empty: whatever the values
	For time.Duration
}

// Rule is one detection rule, parsed and checked.
type Rule struct {
	Meta
	LogSource LogSource
	// Filters are the titles of the filters that were joined to the condition.
	Filters []string
	// Feeds tells that a correlation takes the rule's matches, Silent that the rule raises no alert of its own for that.
	Feeds, Silent bool
	// Names tells what a field of the rule is called since Options.Rewrite, best first; nil: as it is written. Who asks for a field that
	// stands outside of the rule, such as one that a correlation groups by, asks for these.
	Names func(field string) []string

	names []string         // of the detections, in order
	nodes map[string]*node // by name
	root  *node
}

// Version is what tells two states of a document apart: its date of modification, or else its date.
func (r *Meta) Version() string {
	if r.Modified != "" {
		return r.Modified
	}
	return r.Date
}

// Level is how much a match matters.
type Level uint8

// The levels of the specification; LevelNone is a rule that states none.
const (
	LevelNone Level = iota
	LevelInformational
	LevelLow
	LevelMedium
	LevelHigh
	LevelCritical
)

var levelNames = [...]string{"", "informational", "low", "medium", "high", "critical"}

// String returns the level as rules write it.
func (l Level) String() string { return levelNames[l] }

func parseLevel(s string) (Level, bool) {
	for i, n := range levelNames {
		if n == s && n != "" {
			return Level(i), true
		}
	}
	return LevelNone, false
}

// ParseLevel reads the name of a level.
func ParseLevel(s string) (Level, error) {
	l, ok := parseLevel(s)
	if !ok {
		return l, fmt.Errorf("%q is none of informational, low, medium, high, critical", s)
	}
	return l, nil
}

// LogSource says which events a rule is for. An empty part stands for any.
type LogSource struct {
	Product, Category, Service string
}

// Admits tells whether an event of log source ev is one for a rule of log source l: every part that l states is the same.
func (l LogSource) Admits(ev LogSource) bool {
	return admits(l.Product, ev.Product) && admits(l.Category, ev.Category) && admits(l.Service, ev.Service)
}

func admits(want, have string) bool { return want == "" || want == have }

// String returns product/category/service with - for what is not stated.
func (l LogSource) String() string {
	part := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	return strings.Join([]string{part(l.Product), part(l.Category), part(l.Service)}, "/")
}
