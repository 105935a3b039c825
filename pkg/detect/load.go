package detect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
}

// Load reads rule files and folders; without paths, the starter rules. The error is one of reading.
func Load(paths []string, opt sigma.Options) (*Loaded, error) {
	all := &sigma.Set{}
	named := map[string]bool{}
	if len(paths) == 0 {
		if err := addFolder(all, rules.FS, "builtin", opt); err != nil {
			return nil, err
		}
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read rules: %w", err)
		case info.IsDir():
			if err := addFolder(all, os.DirFS(p), p, opt); err != nil {
				return nil, err
			}
		default:
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, fmt.Errorf("read rules: %w", err)
			}
			named[filepath.Clean(p)] = true
			all.Add(sigma.Parse(filepath.Clean(p), data, opt))
		}
	}
	all.Link()
	l := &Loaded{Rules: all.Rules, Correlations: all.Correlations, Filters: all.Filters}
	for _, f := range all.Faults {
		if named[f.File] {
			l.Fatal = append(l.Fatal, f)
		} else {
			l.Faults = append(l.Faults, f)
		}
	}
	return l, nil
}

func addFolder(all *sigma.Set, fsys fs.FS, shown string, opt sigma.Options) error {
	s, err := sigma.Load(fsys, ".", shown, opt)
	if err != nil {
		return fmt.Errorf("read rules in %s: %w", shown, err)
	}
	all.Add(s)
	return nil
}
