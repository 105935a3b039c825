package sigma

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Set is what rule files hold. Add gathers the files, and Link, called once, joins the documents.
type Set struct {
	Rules        []*Rule
	Correlations []*Correlation // after Link: those referred to before those that refer
	Filters      []*Filter
	Faults       []*Fault
}

func (s *Set) empty() bool { return len(s.Rules)+len(s.Correlations)+len(s.Filters)+len(s.Faults) == 0 }

// Add takes over what o holds.
func (s *Set) Add(o *Set) {
	s.Rules = append(s.Rules, o.Rules...)
	s.Correlations = append(s.Correlations, o.Correlations...)
	s.Filters = append(s.Filters, o.Filters...)
	s.Faults = append(s.Faults, o.Faults...)
}

// Load reads every .yml and .yaml file below root of fsys, in the order of their names; files that end with .test.yml are
// tests and no rules. shown is put before the names in faults. The set is not linked.
func Load(fsys fs.FS, root, shown string, opt Options) (*Set, error) {
	s := &Set{}
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
		s.Add(Parse(path.Join(shown, p), data, opt))
		return nil
	})
	return s, err
}

// IsRuleFile tells whether a file of that name is read as rules.
func IsRuleFile(name string) bool {
	if strings.HasSuffix(name, ".test.yml") || strings.HasSuffix(name, ".test.yaml") {
		return false
	}
	return strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
}

// named is what an id or name stands for.
type named struct {
	rule *Rule
	corr *Correlation
	file string
}

// names finds documents by id and by name; an id goes before a name.
type names struct {
	ids   map[string]*named
	names map[string][]*named
}

// find returns what a document of file means by ref, or nil. A name that several have is that of its own file, if there is
// one alone: names are unique per correlation (specification, related rules), not in the world.
func (n *names) find(ref, file string) (found *named, ambiguous bool) {
	if f := n.ids[ref]; f != nil {
		return f, false
	}
	all := n.names[ref]
	var near []*named
	for _, f := range all {
		if f.file == file {
			near = append(near, f)
		}
	}
	if len(near) > 0 {
		all = near
	}
	if len(all) == 0 {
		return nil, false
	}
	return all[0], len(all) > 1
}

// Link leaves out documents whose id an earlier one has, joins filters to rules, resolves what correlations refer to, and
// brings them into order. What is wrong becomes a fault.
func (s *Set) Link() {
	by := s.unique()
	for _, f := range s.Filters {
		s.apply(f, by)
	}
	l := &linker{set: s, by: by, state: map[*Correlation]linkState{}}
	list := s.Correlations
	s.Correlations = nil
	for _, c := range list {
		l.link(c)
	}
	for _, c := range s.Correlations {
		for i := range c.Rules {
			if r := c.Rules[i].Rule; r != nil {
				r.Feeds, r.Silent = true, true
			} else {
				c.Rules[i].Correlation.Feeds, c.Rules[i].Correlation.Silent = true, true
			}
		}
	}
	// One correlation that asks for a rule's own alerts is enough to have them.
	for _, c := range s.Correlations {
		for i := range c.Rules {
			if r := c.Rules[i].Rule; c.Generate && r != nil {
				r.Silent = false
			} else if c.Generate {
				c.Rules[i].Correlation.Silent = false
			}
		}
	}
}

// unique leaves out documents with an id that was there.
func (s *Set) unique() *names {
	by := &names{map[string]*named{}, map[string][]*named{}}
	first := map[string]*Meta{}
	again := func(m *Meta) bool {
		f := first[m.ID]
		if m.ID == "" || f == nil {
			first[m.ID] = m
			return false
		}
		s.Faults = append(s.Faults, &Fault{
			File: m.File, Line: m.Line, Column: 1, Rule: m.ID, Key: "id",
			Reason: fmt.Sprintf("the rule at %s:%d has the same id", f.File, f.Line),
		})
		return true
	}
	note := func(m *Meta, n *named) {
		if m.ID != "" {
			by.ids[m.ID] = n
		}
		if m.Name != "" {
			by.names[m.Name] = append(by.names[m.Name], n)
		}
	}
	rules, corrs, filters := s.Rules, s.Correlations, s.Filters
	s.Rules, s.Correlations, s.Filters = nil, nil, nil
	for _, r := range rules {
		if !again(&r.Meta) {
			s.Rules = append(s.Rules, r)
			note(&r.Meta, &named{rule: r, file: r.File})
		}
	}
	for _, c := range corrs {
		if !again(&c.Meta) {
			s.Correlations = append(s.Correlations, c)
			note(&c.Meta, &named{corr: c, file: c.File})
		}
	}
	for _, f := range filters {
		if !again(&f.Meta) {
			s.Filters = append(s.Filters, f)
		}
	}
	return by
}

type linkState uint8

const (
	linking linkState = iota + 1
	linked
	refused
)

// linker resolves references, depth first, so that a correlation comes behind those that it refers to.
type linker struct {
	set   *Set
	by    *names
	state map[*Correlation]linkState
	depth int
}

// maxChain bounds how deep correlations refer to correlations.
const maxChain = 16

func (l *linker) link(c *Correlation) linkState {
	if st := l.state[c]; st != 0 {
		return st
	}
	l.state[c] = linking
	l.depth++
	faults := len(l.set.Faults)
	for i := range c.Rules {
		if reason := l.resolve(&c.Rules[i], c.File); reason != "" {
			l.fault(c, c.Rules[i].Line, c.Rules[i].Column, "correlation.rules", reason)
		}
	}
	if len(l.set.Faults) == faults {
		l.aliases(c)
		c.inheritLevel()
	}
	l.depth--
	l.state[c] = refused
	if len(l.set.Faults) == faults {
		l.state[c] = linked
		l.set.Correlations = append(l.set.Correlations, c)
	}
	return l.state[c]
}

func (l *linker) fault(c *Correlation, line, column int, key, reason string) {
	l.set.Faults = append(l.set.Faults, &Fault{
		File: c.File, Line: line, Column: column, Rule: c.label(), Key: key, Reason: reason, Text: c.text(line),
	})
}

// resolve finds what ref, of a correlation of file, names, and says why it can't be used.
func (l *linker) resolve(ref *Reference, file string) string {
	found, ambiguous := l.by.find(ref.Name, file)
	switch {
	case found == nil:
		return fmt.Sprintf("no rule with the id or name %q was loaded", ref.Name)
	case ambiguous:
		return fmt.Sprintf("several rules have the name %q; use an id", ref.Name)
	case found.rule != nil:
		ref.Rule = found.rule
		return ""
	case l.depth >= maxChain:
		return fmt.Sprintf("correlations refer to correlations deeper than %d", maxChain)
	}
	switch l.link(found.corr) {
	case linking:
		return fmt.Sprintf("%q refers back to this correlation", ref.Name)
	case refused:
		return fmt.Sprintf("the correlation %q has a fault of its own", ref.Name)
	}
	ref.Correlation = found.corr
	return ""
}

// inheritLevel gives a correlation without a level the highest of what it refers to: a level there is an adjustment of theirs
// (specification, level).
func (c *Correlation) inheritLevel() {
	if c.Level != LevelNone {
		return
	}
	for i := range c.Rules {
		if ref := &c.Rules[i]; ref.Rule != nil {
			c.Level = max(c.Level, ref.Rule.Level)
		} else if ref.Correlation != nil {
			c.Level = max(c.Level, ref.Correlation.Level)
		}
	}
}

// aliases checks that aliases speak of the rules that are referred to.
func (l *linker) aliases(c *Correlation) {
	known := map[string]bool{}
	for i := range c.Rules {
		ref := &c.Rules[i]
		known[ref.Name] = true
		if ref.Rule != nil {
			known[ref.Rule.Name], known[ref.Rule.ID] = true, true
		} else {
			known[ref.Correlation.Name], known[ref.Correlation.ID] = true, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.aliasAt)) {
		if at := c.aliasAt[name]; !known[name] {
			l.fault(c, at.Line, at.Column, "correlation.aliases", fmt.Sprintf("%q is none of the rules referred to", name))
		}
	}
}
