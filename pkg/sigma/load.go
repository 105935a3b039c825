package sigma

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Load reads every .yml and .yaml file below root of fsys, in the order of their names; files that end with .test.yml are
// tests and no rules. shown is put before the names in faults. A second rule with an id that was there is a fault.
func Load(fsys fs.FS, root, shown string, opt Options) ([]*Rule, []*Fault, error) {
	var rules []*Rule
	var faults []*Fault
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !IsRuleFile(p) {
			return nil
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return fmt.Errorf("read rule: %w", err)
		}
		r, f := ParseFile(path.Join(shown, p), data, opt)
		rules, faults = append(rules, r...), append(faults, f...)
		return nil
	})
	return rules, faults, err
}

// IsRuleFile tells whether a file of that name is read as rules.
func IsRuleFile(name string) bool {
	if strings.HasSuffix(name, ".test.yml") || strings.HasSuffix(name, ".test.yaml") {
		return false
	}
	return strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
}

// Unique returns rules without those whose id an earlier one has, and a fault for each that was left out.
func Unique(rules []*Rule) ([]*Rule, []*Fault) {
	first := map[string]*Rule{}
	var out []*Rule
	var faults []*Fault
	for _, r := range rules {
		if r.ID != "" {
			if f := first[r.ID]; f != nil {
				faults = append(faults, &Fault{
					File: r.File, Line: r.Line, Column: 1, Rule: r.ID, Key: "id",
					Reason: fmt.Sprintf("the rule at %s:%d has the same id", f.File, f.Line),
				})
				continue
			}
			first[r.ID] = r
		}
		out = append(out, r)
	}
	return out, faults
}
