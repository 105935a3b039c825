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
	Rules  []*sigma.Rule
	Faults []*sigma.Fault
	// Fatal are the faults of files that were named one by one.
	Fatal []*sigma.Fault
}

// Load reads rule files and folders; without paths, the starter rules. The error is one of reading.
func Load(paths []string, opt sigma.Options) (*Loaded, error) {
	l := &Loaded{}
	if len(paths) == 0 {
		if err := l.folder(rules.FS, "builtin", opt); err != nil {
			return nil, err
		}
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read rules: %w", err)
		case info.IsDir():
			if err := l.folder(os.DirFS(p), p, opt); err != nil {
				return nil, err
			}
		default:
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, fmt.Errorf("read rules: %w", err)
			}
			r, f := sigma.ParseFile(filepath.Clean(p), data, opt)
			l.Rules, l.Fatal = append(l.Rules, r...), append(l.Fatal, f...)
		}
	}
	var twice []*sigma.Fault
	l.Rules, twice = sigma.Unique(l.Rules)
	l.Faults = append(l.Faults, twice...)
	return l, nil
}

func (l *Loaded) folder(fsys fs.FS, shown string, opt sigma.Options) error {
	r, f, err := sigma.Load(fsys, ".", shown, opt)
	if err != nil {
		return fmt.Errorf("read rules in %s: %w", shown, err)
	}
	l.Rules, l.Faults = append(l.Rules, r...), append(l.Faults, f...)
	return nil
}
