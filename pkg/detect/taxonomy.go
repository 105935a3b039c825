package detect

import (
	"embed"
	"slices"
	"strings"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/yamlfile"
)

//go:embed taxonomy/*.yaml
var taxonomyFS embed.FS

// fieldEntry is where events of one log source keep Sigma's fields.
type fieldEntry struct {
	Product  string              `yaml:"product"`
	Category string              `yaml:"category"`
	Service  string              `yaml:"service"`
	Places   []string            `yaml:"places"`
	Fields   map[string][]string `yaml:"fields"`
}

func (f *fieldEntry) source() sigma.LogSource {
	return sigma.LogSource{Product: f.Product, Category: f.Category, Service: f.Service}
}

// Taxonomy maps the fields that rules name to the places where events keep them. It is a sigma.Mapper.
type Taxonomy struct{ entries []fieldEntry }

// NewTaxonomy reads the embedded table.
func NewTaxonomy() (*Taxonomy, error) {
	data, err := taxonomyFS.ReadFile("taxonomy/fields.yaml")
	if err != nil {
		return nil, err
	}
	t := &Taxonomy{}
	_, err = yamlfile.Decode("taxonomy/fields.yaml", data, &t.entries)
	return t, err
}

// Paths returns the places of a field: those of its raw name, and then its ECS fields.
func (t *Taxonomy) Paths(ls sigma.LogSource, field string) [][]string {
	out := sigma.Direct{}.Paths(ls, field)
	add := func(keys []string) {
		if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, keys) }) {
			out = append(out, keys)
		}
	}
	under := func(template string) {
		prefix, ok := strings.CutSuffix(template, "$")
		if !ok || prefix == "" {
			return
		}
		keys := strings.Split(strings.TrimSuffix(prefix, "."), ".")
		for _, p := range (sigma.Direct{}).Paths(ls, field) {
			add(slices.Concat(keys, p))
		}
	}
	for i := range t.entries {
		if t.entries[i].source().Admits(ls) {
			for _, place := range t.entries[i].Places {
				under(place)
			}
		}
	}
	// What ECS has no place for stays under the dataset's own object.
	for _, part := range []string{ls.Service, ls.Category} {
		if ls.Product != "" && part != "" && ls.Product != "windows" {
			under(ls.Product + "." + part + ".$")
		}
	}
	for i := range t.entries {
		if !t.entries[i].source().Admits(ls) {
			continue
		}
		for _, name := range t.entries[i].Fields[field] {
			if p, err := event.ParsePath(name); err == nil {
				add(p.Keys())
			}
		}
	}
	return out
}
