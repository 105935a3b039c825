package detect

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/correlate"
	"leat/pkg/sigma"
	"leat/pkg/sigma/pipeline"
	"leat/pkg/yamlfile"
)

// Sources says where rules come from and which of them are at work. What File says comes first.
type Sources struct {
	// File is a detect.yaml (see File's keys in docs/05-detect.md); empty: none. Paths in it are relative to its folder.
	File      string
	Rules     []string // files and folders; none, here and in File: the starter rules
	Lookups   []string // values of placeholders: NAME=FILE, or a folder of files that are named after them (see Lookups)
	Taxonomy  []string // files with further places of fields; see Taxonomy
	Pipelines []string // processing pipelines, applied in the order of their priorities; see pkg/sigma/pipeline
	// MinLevel leaves out rules of lower levels; a rule without a level counts as low.
	MinLevel string
	// Disable leaves rules out, and Enable takes some of those in again. Each is a selector; see selector.
	Disable, Enable []string
	// Documents keeps the YAML of the rules, for Loaded.Convert.
	Documents bool
}

// file is what a detect.yaml says.
type file struct {
	Rules      []string             `yaml:"rules"`
	Lookups    []string             `yaml:"lookups"`
	Taxonomy   []string             `yaml:"taxonomy"`
	Pipelines  []string             `yaml:"pipelines"`
	MinLevel   levelName            `yaml:"min_level"`
	Disable    []selectorText       `yaml:"disable"`
	Enable     []selectorText       `yaml:"enable"`
	Levels     map[string]levelName `yaml:"levels"`
	Exclusions []exclusion          `yaml:"exclusions"`
	Limits     fileLimits           `yaml:"limits"`

	yaml *yamlfile.File
	path string
}

// fileLimits bound what correlations remember; see correlate.Limits.
type fileLimits struct {
	Lateness    time.Duration `yaml:"lateness"`
	Groups      positive      `yaml:"groups"`
	GroupEvents positive      `yaml:"group_events"`
	Correlated  positive      `yaml:"correlated"`
}

// positive is a number above 0.
type positive int

// UnmarshalYAML checks it.
func (p *positive) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode((*int)(p)); err != nil || *p <= 0 {
		return fmt.Errorf("expected a number above 0, found %q", n.Value)
	}
	return nil
}

// limits returns the bounds that a detect.yaml says; what given says goes before it.
func limits(path string, given correlate.Limits) (correlate.Limits, error) {
	if path == "" {
		return given, nil
	}
	f := &file{}
	if err := f.read(path); err != nil {
		return given, err
	}
	if f.Limits.Lateness < 0 {
		return given, f.yaml.AtLine(1, 1, "limits.lateness: %s is no time", f.Limits.Lateness)
	}
	given.Lateness = cmp.Or(given.Lateness, f.Limits.Lateness)
	given.Keys = cmp.Or(given.Keys, int(f.Limits.Groups))
	given.Events = cmp.Or(given.Events, int(f.Limits.GroupEvents))
	given.Total = cmp.Or(given.Total, int(f.Limits.Correlated))
	return given, nil
}

// levelName is a level that was checked where it stands.
type levelName string

// UnmarshalYAML checks it.
func (l *levelName) UnmarshalYAML(n *yaml.Node) error {
	*l = levelName(n.Value)
	_, err := sigma.ParseLevel(n.Value)
	return err
}

// selectorText is a selector that was checked where it stands.
type selectorText string

// UnmarshalYAML checks it.
func (t *selectorText) UnmarshalYAML(n *yaml.Node) error {
	*t = selectorText(n.Value)
	_, err := newSelector(n.Value)
	return err
}

func texts(list []selectorText) []string {
	var out []string
	for _, t := range list {
		out = append(out, string(t))
	}
	return out
}

// exclusion is a filter in short: what the named rules leave out.
type exclusion struct {
	Title string    `yaml:"title"`
	Rules yaml.Node `yaml:"rules"`
	When  yaml.Node `yaml:"when"`
}

// gather reads all that src names.
func gather(src *Sources) (*Loaded, error) {
	f := &file{}
	all := *src
	if src.File != "" {
		if err := f.read(src.File); err != nil {
			return nil, err
		}
		all.Rules = append(f.paths(f.Rules), src.Rules...)
		all.Lookups = append(f.lookups(), src.Lookups...)
		all.Taxonomy = append(f.paths(f.Taxonomy), src.Taxonomy...)
		all.Pipelines = append(f.paths(f.Pipelines), src.Pipelines...)
		all.MinLevel = cmp.Or(src.MinLevel, string(f.MinLevel))
		all.Disable = slices.Concat(texts(f.Disable), src.Disable)
		all.Enable = slices.Concat(texts(f.Enable), src.Enable)
	}
	sel, err := newSelection(all.MinLevel, all.Disable, all.Enable, f.Levels)
	if err != nil {
		return nil, err
	}
	fields, err := ReadTaxonomy(all.Taxonomy)
	if err != nil {
		return nil, err
	}
	look, err := Lookups(all.Lookups)
	if err != nil {
		return nil, err
	}
	pipes, err := pipeline.Read(all.Pipelines)
	if err != nil {
		return nil, err
	}
	opt := sigma.Options{Placeholder: look.Placeholder}
	if len(pipes) > 0 {
		opt.Rewrite = pipes.Apply
	}
	l := &Loaded{Fields: fields, paths: all.Rules}
	if src.Documents {
		opt.Rewrite = l.keep(opt.Rewrite)
	}
	set, named, err := readRules(all.Rules, opt)
	if err != nil {
		return nil, err
	}
	for i := range f.Exclusions {
		one, err := f.exclusion(&f.Exclusions[i], opt)
		if err != nil {
			return nil, err
		}
		named[f.path] = true
		set.Add(one)
	}
	sel.before(set)
	set.Link()
	sel.after(set)
	l.Left, l.Unused = sel.left, sel.unused()
	l.Rules, l.Correlations, l.Filters = set.Rules, set.Correlations, set.Filters
	for _, fault := range set.Faults {
		if named[fault.File] {
			l.Fatal = append(l.Fatal, fault)
		} else {
			l.Faults = append(l.Faults, fault)
		}
	}
	return l, nil
}

// read reads a detect.yaml.
func (f *file) read(path string) error {
	y, err := yamlfile.Read(path, f)
	if err != nil {
		return err
	}
	f.yaml, f.path = y, filepath.Clean(path)
	return nil
}

// paths makes paths relative to the file's folder ones that can be opened.
func (f *file) paths(list []string) []string {
	var out []string
	for _, p := range list {
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(f.path), p)
		}
		out = append(out, p)
	}
	return out
}

// lookups does the same for NAME=FILE.
func (f *file) lookups() []string {
	var out []string
	for _, l := range f.Lookups {
		name, path, ok := lookupParts(l)
		path = f.paths([]string{path})[0]
		if ok {
			path = name + "=" + path
		}
		out = append(out, path)
	}
	return out
}

// lookupParts cuts NAME=FILE; without a name all is the path.
func lookupParts(l string) (name, path string, named bool) {
	if name, path, named = strings.Cut(l, "="); !named {
		return "", l, false
	}
	return name, path, true
}

// exclusion makes the Sigma filter that an exclusion stands for.
func (f *file) exclusion(x *exclusion, opt sigma.Options) (*sigma.Set, error) {
	at := func(n *yaml.Node) *yaml.Node {
		if n.Kind == 0 {
			return nil
		}
		return n
	}
	if x.When.Kind == 0 || x.Rules.Kind == 0 {
		return nil, f.yaml.At(cmp.Or(at(&x.When), at(&x.Rules)), "an exclusion needs rules (ids or names, or any) and when (fields and values)")
	}
	str := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
	table := func(content ...*yaml.Node) *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Content: content} }
	doc := table(
		str("title"), str(cmp.Or(x.Title, "exclusion")),
		str("logsource"), table(str("definition"), str("exclusion")),
		str("filter"), table(str("rules"), &x.Rules, str("excluded"), &x.When, str("condition"), str("not excluded")),
	)
	data, err := yaml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("read exclusion: %w", err)
	}
	set := sigma.Parse(f.path, data, opt)
	if len(set.Faults) > 0 {
		var errs []error
		for _, fault := range set.Faults {
			errs = append(errs, f.yaml.At(&x.When, "exclusion: %s: %s", fault.Key, fault.Reason))
		}
		return nil, errors.Join(errs...)
	}
	for _, one := range set.Filters {
		one.Line = x.When.Line
	}
	return set, nil
}

// watched returns the files and folders whose change can change the rules.
func (src *Sources) watched() []string {
	out := slices.Concat(src.Rules, src.Taxonomy, src.Pipelines)
	lookups := src.Lookups
	if src.File != "" {
		f := &file{}
		out = append(out, src.File)
		if f.read(src.File) == nil {
			out = slices.Concat(out, f.paths(f.Rules), f.paths(f.Taxonomy), f.paths(f.Pipelines))
			lookups = append(f.lookups(), lookups...)
		}
	}
	for _, l := range lookups {
		_, path, _ := lookupParts(l)
		out = append(out, path)
	}
	return slices.DeleteFunc(out, func(p string) bool { _, err := os.Stat(p); return err != nil })
}
