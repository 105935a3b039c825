package normalize

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed mappings/*.yaml
var builtin embed.FS

// Mappings are compiled mappings with the index by which a record finds its own. Immutable; share freely.
type Mappings struct {
	plans []*plan
	index *index
}

// Load compiles the built-in mappings and those of the given folders (files *.yaml and *.yml, not of folders below). A
// mapping of a folder replaces the one of the same name that came before. The error joins every fault of every file (see Check).
func Load(dirs ...string) (*Mappings, error) {
	files := map[string][]byte{}
	var order []string
	ours := 0
	read := func(fsys fs.FS, dir, shown string) error {
		list, err := fs.ReadDir(fsys, dir)
		if err != nil {
			return err
		}
		for _, e := range list {
			if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" {
				continue
			}
			data, err := fs.ReadFile(fsys, strings.TrimPrefix(dir+"/"+e.Name(), "./"))
			if err != nil {
				return err
			}
			name := shown + e.Name()
			files[name] = data
			order = append(order, name)
		}
		return nil
	}
	if err := read(builtin, "mappings", "mappings/"); err != nil {
		return nil, err
	}
	ours = len(order)
	for _, d := range dirs {
		if err := read(os.DirFS(d), ".", strings.TrimRight(d, "/")+"/"); err != nil {
			return nil, fmt.Errorf("mappings folder %q: %w", d, err)
		}
	}
	return compileFiles(order, ours, files)
}

// compileFiles compiles the files in their order; the first ours of them are built in.
func compileFiles(order []string, ours int, files map[string][]byte) (*Mappings, error) {
	// extends names a mapping, whose file may be called otherwise; of several of one name, the last counts.
	named := map[string]string{}
	replaced := false
	for _, file := range order {
		for l := range strings.Lines(string(files[file])) {
			if v, ok := strings.CutPrefix(l, "name:"); ok {
				v = strings.TrimSpace(v)
				replaced = replaced || named[v] != ""
				named[v] = file
				break
			}
		}
	}
	extends := func(name string) ([]byte, string, bool) {
		file, ok := named[name]
		return files[file], file, ok
	}
	foreign := func(file string) bool { return slices.Index(order, file) >= ours }
	m := &Mappings{}
	var faults []error
	at := map[string]int{}
	for i, file := range order {
		compile := compileMapping
		// A built-in one may extend what a folder replaced: then its faults are told at the start too.
		if i < ours && !(replaced && builtOn(files[file], extends, foreign, 0)) {
			compile = lazyMapping
		}
		p, err := compile(file, files[file], extends)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if i, ok := at[p.name]; ok {
			m.plans[i] = p
			continue
		}
		at[p.name] = len(m.plans)
		m.plans = append(m.plans, p)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	m.index = newIndex(m.plans)
	return m, nil
}

// Info describes a mapping to a person.
type Info struct{ Name, Dataset, About, File string }

// List returns every mapping, in order of name.
func (m *Mappings) List() []Info {
	var out []Info
	for _, p := range m.plans {
		out = append(out, Info{p.name, p.dataset, p.about, p.file})
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Fields returns the names of the fields that the mapping of that name writes, in order.
func (m *Mappings) Fields(name string) []string {
	for _, p := range m.plans {
		if p.name == name && p.ready() == nil {
			return slices.Sorted(maps.Keys(p.leaves))
		}
	}
	return nil
}
