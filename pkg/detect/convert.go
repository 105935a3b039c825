package detect

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/sigma"
)

// Converted is a rule behind pipelines, filters and taxonomy.
type Converted struct {
	ID        string       `json:"id"`
	Title     string       `json:"title"`
	File      string       `json:"file"`
	Line      int          `json:"line"`
	Source    string       `json:"logsource"`
	Level     string       `json:"level"`
	Filters   []string     `json:"filters"`   // titles of the filters that were joined to it
	Condition string       `json:"condition"` // what it was compiled to; see sigma.Rule.Condition
	Fields    []FieldPlace `json:"fields"`
	Rule      string       `json:"rule"` // the YAML behind the pipelines, keys in the usual order
}

// FieldPlace is where a field is looked for, best place first.
type FieldPlace struct {
	Field  string   `json:"field"`
	Places []string `json:"places"`
}

// keyOrder is the usual order of a rule's keys; others come behind.
var keyOrder = []string{
	"title", "id", "name", "related", "status", "description", "references", "author", "date", "modified", "license", "tags", "logsource",
	"detection", "fields", "falsepositives", "level",
}

// Convert returns the rules that the selectors name, or all. Load must have had Documents. A selector that names no rule is
// an error.
func (l *Loaded) Convert(which []string) ([]Converted, error) {
	var sel []*selector
	for _, w := range which {
		s, err := newSelector(w)
		if err != nil {
			return nil, err
		}
		sel = append(sel, s)
	}
	var out []Converted
	for _, r := range l.Rules {
		wanted := len(sel) == 0
		for _, s := range sel {
			if s.matches(&r.Meta, r.LogSource.String()) || s.kind == "" && fileName(r.File) == s.text {
				s.used, wanted = true, true
			}
		}
		if !wanted {
			continue
		}
		one, err := l.convert(r)
		if err != nil {
			return nil, err
		}
		out = append(out, *one)
	}
	for _, s := range sel {
		if !s.used {
			return nil, fmt.Errorf("no rule %q among those loaded; `detect rules list` names them", s.text)
		}
	}
	return out, nil
}

func (l *Loaded) convert(r *sigma.Rule) (*Converted, error) {
	c := &Converted{
		ID: r.ID, Title: r.Title, File: r.File, Line: r.Line, Source: r.LogSource.String(), Level: r.Level.String(), Filters: r.Filters,
		Condition: r.Condition(),
	}
	for _, f := range r.FieldNames() {
		p := FieldPlace{Field: f}
		for _, keys := range l.Fields.Paths(r.LogSource, f) {
			if name := strings.Join(keys, "."); !slices.Contains(p.Places, name) {
				p.Places = append(p.Places, name)
			}
		}
		c.Fields = append(c.Fields, p)
	}
	doc := l.documents[documentKey(r.ID, r.Title)]
	if doc == nil {
		return c, nil
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(4)
	if err := enc.Encode(block(ordered(doc))); err != nil {
		return nil, fmt.Errorf("convert %s: %w", cmp.Or(r.ID, r.Title), err)
	}
	c.Rule = b.String()
	return c, nil
}

// documentKey is what a rule is found by.
func documentKey(id, title string) string { return cmp.Or(id, "title:"+title) }

// fileName is a file's name without its folder and ending.
func fileName(p string) string { return strings.TrimSuffix(path.Base(p), path.Ext(p)) }

// keep returns rewrite, which may be nil, and notes each document as it is behind it.
func (l *Loaded) keep(rewrite func(*yaml.Node) (func(string) []string, error)) func(*yaml.Node) (func(string) []string, error) {
	l.documents = map[string]*yaml.Node{}
	return func(doc *yaml.Node) (names func(string) []string, err error) {
		if rewrite != nil {
			if names, err = rewrite(doc); err != nil {
				return nil, err
			}
		}
		var id, title string
		for i := 0; i+1 < len(doc.Content); i += 2 {
			switch doc.Content[i].Value {
			case "id":
				id = doc.Content[i+1].Value
			case "title":
				title = doc.Content[i+1].Value
			}
		}
		if key := documentKey(id, title); l.documents[key] == nil {
			l.documents[key] = doc
		}
		return names, nil
	}
}

// ordered returns a rule's table with its keys in the usual order.
func ordered(doc *yaml.Node) *yaml.Node {
	type pair struct{ key, value *yaml.Node }
	var pairs []pair
	for i := 0; i+1 < len(doc.Content); i += 2 {
		pairs = append(pairs, pair{doc.Content[i], doc.Content[i+1]})
	}
	place := func(p pair) int {
		if i := slices.Index(keyOrder, p.key.Value); i >= 0 {
			return i
		}
		return len(keyOrder)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return place(a) - place(b) })
	out := *doc
	out.Content = nil
	for _, p := range pairs {
		out.Content = append(out.Content, p.key, p.value)
	}
	return &out
}

// block returns a copy of n with a line for each member, aliases resolved.
func block(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	out := *n
	out.Anchor, out.Style = "", n.Style&^yaml.FlowStyle
	out.Content = nil
	for _, e := range n.Content {
		out.Content = append(out.Content, block(e))
	}
	return &out
}
