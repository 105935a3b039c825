// Package ecs is the vocabulary of the events: the fields of the Elastic Common Schema 9 with their types, which of them
// hold lists, which values the categorisation fields may have, and leat's few documented extensions.
//
// It answers questions when a mapping, rule or query is compiled. It is not a validator of events at run time and holds
// no descriptions. It has no state and no delivery to guarantee.
package ecs

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Version is what ecs.version says in normalised events.
const Version = "9.5.0"

// Type is the type of a field's values, in the words of ECS.
type Type string

// The types that occur. Keyword, wildcard, text and constant keyword are all text.
const (
	Keyword   Type = "keyword"
	Wildcard  Type = "wildcard"
	Text      Type = "match_only_text"
	Constant  Type = "constant_keyword"
	Long      Type = "long"
	Integer   Type = "integer"
	Float     Type = "float"
	Double    Type = "double"
	Scaled    Type = "scaled_float"
	Boolean   Type = "boolean"
	Date      Type = "date"
	IP        Type = "ip"
	GeoPoint  Type = "geo_point"
	Object    Type = "object"
	Flattened Type = "flattened"
	Nested    Type = "nested"
)

// Field is one field of the vocabulary.
type Field struct {
	Name  string
	Type  Type
	Array bool // its value is always a list
	// Extension tells that the field is leat's own, not of ECS.
	Extension bool
	// Values are the allowed ones, where ECS limits them.
	Values []string
}

// Allows tells whether v is a value that the field may have.
func (f Field) Allows(v string) bool { return len(f.Values) == 0 || slices.Contains(f.Values, v) }

// Textual tells whether the field holds text.
func (t Type) Textual() bool {
	return t == Keyword || t == Wildcard || t == Text || t == Constant
}

var (
	//go:embed fields.txt
	fieldsText string
	//go:embed extensions.txt
	extensionsText string
	//go:embed values.txt
	valuesText string
)

var table = sync.OnceValue(load)

// load reads the embedded tables: "name type [*]" a line, and "name value..." for allowed values.
func load() map[string]Field {
	t := make(map[string]Field, 2048)
	add := func(text string, extension bool) {
		for line := range strings.Lines(text) {
			w := strings.Fields(line)
			if len(w) < 2 {
				continue
			}
			t[w[0]] = Field{Name: w[0], Type: Type(w[1]), Array: len(w) > 2, Extension: extension}
		}
	}
	add(fieldsText, false)
	add(extensionsText, true)
	for line := range strings.Lines(valuesText) {
		w := strings.Fields(line)
		if f, ok := t[w[0]]; ok {
			f.Values = w[1:]
			t[w[0]] = f
		}
	}
	return t
}

// Lookup returns the field of that dotted name. Any name below leat. is a keyword of ours, and the keys of labels are
// free.
func Lookup(name string) (Field, bool) {
	f, ok := table()[name]
	if !ok && (strings.HasPrefix(name, "leat.") || strings.HasPrefix(name, "labels.")) {
		return Field{Name: name, Type: Keyword, Extension: true}, true
	}
	return f, ok
}

// Names returns all field names in order.
func Names() []string { return slices.Clone(sorted()) }

var sorted = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(table())) })

// Root tells whether name is the first part of some field's name, such as "source".
func Root(name string) bool {
	for n := range table() {
		if head, _, _ := strings.Cut(n, "."); head == name {
			return true
		}
	}
	return name == "leat"
}

// Nearest returns the field whose name looks most like name, or "" where none is near: the one that ends alike under
// another parent, or that differs by few letters.
func Nearest(name string) string {
	best, least := "", len(name)/4+2
	for _, n := range Names() {
		if d := distance(name, n, least); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's, or limit where it is not below that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return min(row[len(b)], limit)
}
