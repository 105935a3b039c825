package retain

import (
	"errors"
	"fmt"
	"maps"
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
	p := &Policy{}
	f, err := yamlfile.Read(file, p)
	if err != nil {
		return nil, err
	}
	return p, p.check(f)
}

// ParsePolicy is LoadPolicy of text; name is what faults call it.
func ParsePolicy(name string, data []byte) (*Policy, error) {
	p := &Policy{}
	f, err := yamlfile.Decode(name, data, p)
	if err != nil {
		return nil, err
	}
	return p, p.check(f)
}

func (p *Policy) check(f *yamlfile.File) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, f.AtLine(1, 1, format, args...)) }
	globs := slices.Clone(p.Order)
	for i := range p.Rules {
		r := &p.Rules[i]
		r.line = i + 1
		globs = append(globs, r.Dataset, r.Kind)
		if r.Dataset == "" {
			fault("rule %d has no dataset; expected a glob such as 'zeek.*'", i+1)
		}
		if r.Keep <= 0 {
			fault("rule %d has no keep; expected an age such as 30d", i+1)
		}
		if r.By != "" && r.By != "event" && r.By != "commit" {
			fault("rule %d: by is %q; expected event or commit", i+1, r.By)
		}
	}
	for g := range p.Quota.Datasets {
		globs = append(globs, g)
	}
	for _, g := range globs {
		if _, err := path.Match(g, ""); err != nil {
			fault("%q is no glob: %v", g, err)
		}
	}
	if p.Free != "" {
		var err error
		if share, ok := strings.CutSuffix(p.Free, "%"); ok {
			var pct float64
			if pct, err = strconv.ParseFloat(share, 64); err == nil && (pct <= 0 || pct >= 100) {
				err = errors.New("out of range")
			}
			p.free.share = pct / 100
		} else {
			p.free.bytes, err = parseSize(p.Free)
		}
		if err != nil {
			fault("free: %q; expected a share such as 10%% or a size such as 50GB", p.Free)
		}
	}
	if len(p.Rules) == 0 && p.Quota.Total == 0 && len(p.Quota.Datasets) == 0 && p.Free == "" {
		fault("nothing to do; expected rules, quota or free")
	}
	return errors.Join(faults...)
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
