package detect

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/yamlfile"
)

//go:embed taxonomy
var taxonomyFS embed.FS

// fieldEntry is where events of one log source keep Sigma's fields.
type fieldEntry struct {
	Product  string              `yaml:"product"`
	Category string              `yaml:"category"`
	Service  string              `yaml:"service"`
	Places   []string            `yaml:"places"`
	Fields   map[string][]string `yaml:"fields"`
	// Aliases are other raw names of a field, looked for at every place that raw names have.
	Aliases map[string][]string `yaml:"aliases"`
}

func (f *fieldEntry) source() sigma.LogSource {
	return sigma.LogSource{Product: f.Product, Category: f.Category, Service: f.Service}
}

// Taxonomy maps the fields that rules name to the places where events keep them. It is a sigma.Mapper.
type Taxonomy struct {
	entries []fieldEntry
	literal bool // no aliases: rules find only what has the names that they say
}

// literally returns t without aliases.
func (t *Taxonomy) literally() *Taxonomy { return &Taxonomy{entries: t.entries, literal: true} }

// ReadTaxonomy reads the packs in the program, and behind them the given files, which have the same form. Of the places of
// a field those of the files come first.
func ReadTaxonomy(paths []string) (*Taxonomy, error) {
	t := &Taxonomy{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read taxonomy: %w", err)
		}
		if err := t.read(path, data); err != nil {
			return nil, err
		}
	}
	packs, err := fs.Glob(taxonomyFS, "taxonomy/fields/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, p := range packs {
		data, err := taxonomyFS.ReadFile(p)
		if err != nil {
			return nil, err
		}
		if err := t.read(p, data); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// read adds the entries of one file.
func (t *Taxonomy) read(name string, data []byte) error {
	var list []fieldEntry
	f, err := yamlfile.Decode(name, data, &list)
	if err != nil {
		return err
	}
	var errs []error
	for i := range list {
		for _, place := range list[i].Places {
			if !strings.HasSuffix(place, "$") {
				errs = append(errs, f.AtLine(1, 1, "place %q does not end with $, which stands for a field's name", place))
			}
		}
		for field, places := range list[i].Fields {
			for _, place := range places {
				if _, err := event.ParsePath(place); err != nil {
					errs = append(errs, f.AtLine(1, 1, "field %s: %v", field, err))
				}
			}
		}
	}
	t.entries = append(t.entries, list...)
	return errors.Join(errs...)
}

// Paths returns the places of a field: those of its raw name, of its aliases, and then its ECS fields.
func (t *Taxonomy) Paths(ls sigma.LogSource, field string) [][]string {
	var out [][]string
	add := func(keys []string) {
		if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, keys) }) {
			out = append(out, keys)
		}
	}
	t.raw(ls, field, add)
	for i := range t.entries {
		if !t.literal && t.entries[i].source().Admits(ls) {
			for _, name := range t.entries[i].Aliases[field] {
				t.raw(ls, name, add)
			}
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

// raw adds the places where events have a field under its own name.
func (t *Taxonomy) raw(ls sigma.LogSource, field string, add func(keys []string)) {
	direct := sigma.Direct{}.Paths(ls, field)
	under := func(template string) {
		prefix, ok := strings.CutSuffix(template, "$")
		if !ok || prefix == "" {
			return
		}
		keys := strings.Split(strings.TrimSuffix(prefix, "."), ".")
		for _, p := range direct {
			add(slices.Concat(keys, p))
		}
	}
	for _, p := range direct {
		add(p)
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
}
