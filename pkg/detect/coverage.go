package detect

import (
	"maps"
	"slices"
	"strings"

	"leat/pkg/ecs"
	"leat/pkg/sigma"
)

// Coverage is what a set of rules covers.
type Coverage struct {
	Rules      int         `json:"rules"`
	Untagged   int         `json:"without_attack"` // rules without any ATT&CK tag
	Tactics    []Covered   `json:"tactics"`        // as Sigma's tags name them: lateral-movement
	Techniques []Covered   `json:"techniques"`     // T1059, T1059.001
	Sources    []SourceUse `json:"logsources"`
	Fields     []FieldUse  `json:"fields_without_place"`
}

// Covered is a tactic or technique with the rules that have its tag.
type Covered struct {
	ID     string   `json:"id"`
	Rules  int      `json:"rules"`
	Titles []string `json:"titles"`
}

// SourceUse is a log source with the number of its rules.
type SourceUse struct {
	Source string `json:"logsource"`
	Rules  int    `json:"rules"`
	// Known tells that a channel, dataset or category is known whose events its rules see.
	Known bool `json:"known"`
}

// FieldUse is a field that no pack of the taxonomy has a place for, and that is none of ECS: only events that have the very
// name have it.
type FieldUse struct {
	Field  string `json:"field"`
	Source string `json:"logsource"`
	Rules  int    `json:"rules"`
}

// Coverage tells what the rules of l cover.
func (l *Loaded) Coverage() (*Coverage, error) {
	x, err := NewExplainer(l.Rules, l.Fields)
	if err != nil {
		return nil, err
	}
	c := &Coverage{Rules: len(l.Rules) + len(l.Correlations)}
	tactics, techniques := map[string][]string{}, map[string][]string{}
	tagged := func(m *sigma.Meta) {
		told := false
		for _, t := range m.Tags {
			t, ok := strings.CutPrefix(strings.ToLower(t), "attack.")
			switch {
			case !ok:
				continue
			case technique(t):
				techniques[strings.ToUpper(t)] = append(techniques[strings.ToUpper(t)], m.Title)
			case !software(t):
				t = strings.ReplaceAll(t, "_", "-")
				tactics[t] = append(tactics[t], m.Title)
			}
			told = true
		}
		if !told {
			c.Untagged++
		}
	}
	sources := map[sigma.LogSource]int{}
	fields := map[FieldUse]int{}
	for _, r := range l.Rules {
		tagged(&r.Meta)
		sources[r.LogSource]++
		for _, f := range r.FieldNames() {
			if !l.Fields.Provides(r.LogSource, f) {
				fields[FieldUse{Field: f, Source: r.LogSource.String()}]++
			}
		}
	}
	for _, r := range l.Correlations {
		tagged(&r.Meta)
	}
	c.Tactics, c.Techniques = covered(tactics), covered(techniques)
	for s, n := range sources {
		c.Sources = append(c.Sources, SourceUse{Source: s.String(), Rules: n, Known: x.Reached(s)})
	}
	slices.SortFunc(c.Sources, func(a, b SourceUse) int { return strings.Compare(a.Source, b.Source) })
	for f, n := range fields {
		f.Rules = n
		c.Fields = append(c.Fields, f)
	}
	slices.SortFunc(c.Fields, func(a, b FieldUse) int { return strings.Compare(a.Source+a.Field, b.Source+b.Field) })
	return c, nil
}

// technique tells whether a tag's end is a technique: t1059 or t1059.001.
func technique(t string) bool { return len(t) >= 5 && t[0] == 't' && t[1]-'0' < 10 }

// software tells whether a tag's end is a group or a software: g0032, s0154.
func software(t string) bool { return len(t) == 5 && (t[0] == 'g' || t[0] == 's') && t[1]-'0' < 10 }

func covered(by map[string][]string) []Covered {
	out := []Covered{}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, Covered{ID: id, Rules: len(by[id]), Titles: by[id]})
	}
	return out
}

// Provides tells whether the taxonomy has a place for the field, beyond events that have the very name: one of its own, the
// object under which raw names are kept, or ECS.
func (t *Taxonomy) Provides(ls sigma.LogSource, field string) bool {
	if _, ok := ecs.Lookup(field); ok || strings.HasPrefix(field, "leat.") {
		return true
	}
	for i := range t.entries {
		e := &t.entries[i]
		if !e.source().Admits(ls) {
			continue
		}
		if len(e.Fields[field])+len(e.Aliases[field]) > 0 || slices.ContainsFunc(e.Places, func(p string) bool { return p != "$" }) {
			return true
		}
	}
	return false
}

// layer is a file of MITRE's ATT&CK Navigator, form 4.5.
type layer struct {
	Name       string            `json:"name"`
	Versions   map[string]string `json:"versions"`
	Domain     string            `json:"domain"`
	Describes  string            `json:"description"`
	Techniques []layerTechnique  `json:"techniques"`
	Gradient   layerGradient     `json:"gradient"`
}

type layerTechnique struct {
	ID      string `json:"techniqueID"`
	Score   int    `json:"score"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
}

type layerGradient struct {
	Colors []string `json:"colors"`
	Min    int      `json:"minValue"`
	Max    int      `json:"maxValue"`
}

// maxTitles is how many rules a technique's comment names.
const maxTitles = 20

// Layer returns c as a layer for the ATT&CK Navigator, to be encoded as JSON. A technique's score is its number of rules.
func (c *Coverage) Layer() any {
	l := layer{
		Name: "detect", Versions: map[string]string{"layer": "4.5"}, Domain: "enterprise-attack",
		Describes: "Techniques for which detect has rules; the score is how many.", Techniques: []layerTechnique{},
		Gradient: layerGradient{Colors: []string{"#ffffff", "#66b1ff"}, Max: 1},
	}
	for _, t := range c.Techniques {
		comment := strings.Join(t.Titles[:min(len(t.Titles), maxTitles)], "\n")
		if more := len(t.Titles) - maxTitles; more > 0 {
			comment += "\nand more"
		}
		l.Techniques = append(l.Techniques, layerTechnique{ID: t.ID, Score: t.Rules, Comment: comment, Enabled: true})
		l.Gradient.Max = max(l.Gradient.Max, t.Rules)
	}
	return l
}
