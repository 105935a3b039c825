package retain

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/internal/duration"
	"leat/pkg/lake"
	"leat/pkg/yamlfile"
)

// Policy is a policy file.
type Policy struct {
	// Rules are tried in order; the first whose globs match a file holds for it. A file without one stays for ever.
	Rules []Rule `yaml:"rules"`
	Quota Quota  `yaml:"quota"`
	// Free is the share of the disk, such as 10%, or the size, that is to stay free.
	Free string `yaml:"free"`
	// Order are dataset globs, lowest value first: what is over a quota goes in this order, then by age.
	Order []string `yaml:"order"`
	Trash Trash    `yaml:"trash"`

	free freeTarget
}

// Rule says how long a sort of files stays.
type Rule struct {
	Dataset string `yaml:"dataset"`
	// Kind is a glob of event.kind; "" = any. A file of several kinds stays as long as the longest of their rules says.
	Kind string       `yaml:"kind"`
	Keep duration.Age `yaml:"keep"`
	// By is "event" (the partition's date, the default) or "commit" (when it was committed).
	By string `yaml:"by"`

	line int
}

// Quota bounds what the lake may take, in all and by glob of datasets.
type Quota struct {
	Total    Size            `yaml:"total"`
	Datasets map[string]Size `yaml:"datasets"`
}

// Trash says how long what was taken out can still be had back.
type Trash struct {
	Keep duration.Age `yaml:"keep"`
}

// Size is a number of bytes, such as 200GB.
type Size int64

// UnmarshalYAML reads a size.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseSize(n.Value)
	*s = Size(v)
	return err
}

func parseSize(s string) (int64, error) {
	for _, u := range []struct {
		suffix string
		factor float64
	}{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}, {"", 1},
	} {
		num, ok := strings.CutSuffix(strings.TrimSpace(s), u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || f < 0 || f*u.factor > 1<<62 {
			break
		}
		return int64(f * u.factor), nil
	}
	return 0, fmt.Errorf("%q is no size; expected a number with a unit, such as 200GB", s)
}

// freeTarget is what must stay free: a share of the disk, or bytes.
type freeTarget struct {
	share float64
	bytes int64
}

// LoadPolicy reads and checks a policy file. Every fault is told with file, line and column.
func LoadPolicy(file string) (*Policy, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParsePolicy(file, data)
}

// ParsePolicy is LoadPolicy of text; name is what faults call it.
func ParsePolicy(name string, data []byte) (*Policy, error) {
	p := &Policy{}
	f, err := yamlfile.Decode(name, data, p)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	return p, p.check(f, &doc)
}

// descend returns the node that the keys and indexes of a path lead to, or the last one on the way that is there.
func descend(n *yaml.Node, path ...any) *yaml.Node {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch i := step.(type) {
		case int:
			if n.Kind == yaml.SequenceNode && i < len(n.Content) {
				next = n.Content[i]
			}
		case string:
			for k := 0; n.Kind == yaml.MappingNode && k+1 < len(n.Content); k += 2 {
				if n.Content[k].Value == i {
					next = n.Content[k+1]
				}
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// check finds what the types do not say. doc is the policy's text as nodes, for the places of faults.
func (p *Policy) check(f *yamlfile.File, doc *yaml.Node) error {
	var faults []error
	fault := func(path []any, format string, args ...any) {
		if doc.Kind == 0 {
			faults = append(faults, f.AtLine(1, 1, format, args...))
			return
		}
		faults = append(faults, f.At(descend(doc, path...), format, args...))
	}
	glob := func(g string, path ...any) {
		if !isGlob(g) {
			fault(path, "%q is no glob; expected such as 'zeek.*'", g)
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		r.line = i + 1
		at := func(key string) []any { return []any{"rules", i, key} }
		glob(r.Dataset, at("dataset")...)
		glob(r.Kind, at("kind")...)
		if r.Dataset == "" {
			fault(at("dataset"), "rule %d has no dataset; expected a glob such as 'zeek.*'", i+1)
		}
		if r.Keep <= 0 {
			fault(at("keep"), "rule %d has no keep; expected an age such as 30d", i+1)
		}
		if r.By != "" && r.By != "event" && r.By != "commit" {
			fault(at("by"), "rule %d: by is %q; expected event or commit", i+1, r.By)
		}
	}
	for i, g := range p.Order {
		glob(g, "order", i)
	}
	for _, g := range slices.Sorted(maps.Keys(p.Quota.Datasets)) {
		glob(g, "quota", "datasets", g)
	}
	var err error
	if p.free, err = parseFree(p.Free); err != nil {
		fault([]any{"free"}, "free: %q; expected a share such as 10%% or a size such as 50GB", p.Free)
	}
	if len(p.Rules) == 0 && p.Quota.Total == 0 && len(p.Quota.Datasets) == 0 && p.Free == "" {
		fault(nil, "nothing to do; expected rules, quota or free")
	}
	return errors.Join(faults...)
}

func parseFree(text string) (freeTarget, error) {
	if text == "" {
		return freeTarget{}, nil
	}
	share, ok := strings.CutSuffix(text, "%")
	if !ok {
		bytes, err := parseSize(text)
		return freeTarget{bytes: bytes}, err
	}
	pct, err := strconv.ParseFloat(share, 64)
	if err == nil && !(pct > 0 && pct < 100) { // so that NaN is none either
		err = errors.New("out of range")
	}
	return freeTarget{share: pct / 100}, err
}

// longest returns the rule that holds for a file: of the first that match each kind in it, the one that keeps longest.
// It is nil where one of the kinds has none.
func (p *Policy) longest(f lake.File) *Rule {
	kinds := slices.Sorted(maps.Keys(f.Kinds))
	if len(kinds) == 0 {
		kinds = []string{""}
	}
	var longest *Rule
	var end time.Time
	for _, kind := range kinds {
		i := slices.IndexFunc(p.Rules, func(r Rule) bool {
			return match(r.Dataset, f.Dataset) && (r.Kind == "" || match(r.Kind, kind))
		})
		if i < 0 {
			return nil
		}
		r := &p.Rules[i]
		born, err := r.born(f.Date, f.AddedAt)
		if err != nil {
			return r
		}
		if e := born.Add(time.Duration(r.Keep)); longest == nil || e.After(end) {
			longest, end = r, e
		}
	}
	return longest
}

func isGlob(s string) bool {
	_, err := path.Match(s, "")
	return err == nil
}

func match(glob, name string) bool {
	ok, _ := path.Match(glob, name)
	return ok
}

// rank returns where a dataset stands in Order: the lower, the sooner it goes.
func (p *Policy) rank(dataset string) int {
	for i, g := range p.Order {
		if match(g, dataset) {
			return i
		}
	}
	return len(p.Order)
}

// born is the time from which a file's age counts.
func (r *Rule) born(date string, added int64) (time.Time, error) {
	if r.By == "commit" {
		return time.Unix(0, added).UTC(), nil
	}
	t, err := time.Parse(time.DateOnly, date)
	// A day's partition is as old as its last moment.
	return t.Add(24 * time.Hour), err
}
