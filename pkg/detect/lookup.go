package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"leat/pkg/sigma"
)

// Lookups reads the values of placeholders. Each argument is NAME=FILE, or a folder, whose files are named after the
// placeholders, whatever the names' endings: Administrators.txt has the values of %Administrators%.
func Lookups(args []string) (sigma.Lookups, error) {
	out := sigma.Lookups{}
	add := func(name, file string) error {
		if _, twice := out[name]; twice {
			return fmt.Errorf("lookup %s: %s is a second file for it", name, file)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read lookup %s: %w", name, err)
		}
		out[name], err = sigma.ParseLookup(file, data)
		return err
	}
	for _, arg := range args {
		if name, file, ok := strings.Cut(arg, "="); ok {
			if name = strings.Trim(name, "%"); name == "" {
				return nil, fmt.Errorf("lookup %q: expected NAME=FILE or a folder", arg)
			}
			if err := add(name, file); err != nil {
				return nil, err
			}
			continue
		}
		files, err := os.ReadDir(arg)
		if err != nil {
			return nil, fmt.Errorf("read lookups: %w (expected NAME=FILE or a folder)", err)
		}
		for _, f := range files {
			if f.IsDir() || strings.HasPrefix(f.Name(), ".") {
				continue
			}
			if err := add(strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), filepath.Join(arg, f.Name())); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
