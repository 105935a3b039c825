package detect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"leat/pkg/sigma"
	"leat/rules"
)

// Loaded is what the given paths hold.
type Loaded struct {
	Rules        []*sigma.Rule
	Correlations []*sigma.Correlation
	Filters      []*sigma.Filter
	Faults       []*sigma.Fault
	// Fatal are the faults of files that were named one by one.
	Fatal []*sigma.Fault
	// Fields is where events have the fields of rules.
	Fields *Taxonomy
	// Left is how many rules a selection left out; Unused are selectors that name no rule.
	Left   int
	Unused []string

	paths     []string              // of the rules
	documents map[string]*yaml.Node // behind the pipelines, by documentKey
}

// Load reads all that src names. The error is one of reading or of configuration.
func Load(src Sources) (*Loaded, error) { return gather(&src) }

// readRules reads rule files and folders; without paths, the starter rules. named are the files that were named one by one.
func readRules(paths []string, opt sigma.Options) (all *sigma.Set, named map[string]bool, err error) {
	all, named = &sigma.Set{}, map[string]bool{}
	if len(paths) == 0 {
		return all, named, addFolder(all, rules.FS, "builtin", opt)
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("read rules: %w", err)
		case info.IsDir():
			if err := addFolder(all, os.DirFS(p), p, opt); err != nil {
				return nil, nil, err
			}
		default:
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, nil, fmt.Errorf("read rules: %w", err)
			}
			named[filepath.Clean(p)] = true
			all.Add(sigma.Parse(filepath.Clean(p), data, opt))
		}
	}
	return all, named, nil
}

func addFolder(all *sigma.Set, fsys fs.FS, shown string, opt sigma.Options) error {
	s, err := sigma.Load(fsys, ".", shown, opt)
	if err != nil {
		return fmt.Errorf("read rules in %s: %w", shown, err)
	}
	all.Add(s)
	return nil
}
