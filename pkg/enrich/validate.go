package enrich

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/dimension"
	"leat/pkg/yamlfile"
)

// check fills in what was left out and joins all faults of the file.
func (c *Config) check(f *yamlfile.File) error {
	c.file = f
	var faults []error
	if len(c.Rules) == 0 {
		faults = append(faults, f.AtLine(1, 1, "no rules; expected rules: with a list of {field, dimension, set}"))
	}
	if c.Poll < 0 {
		faults = append(faults, f.AtLine(1, 1, "poll %s; expected a duration above 0", c.Poll))
	}
	dir := filepath.Dir(c.path)
	for _, name := range c.dimensionNames() {
		d := c.Dimensions[name]
		if d == nil {
			faults = append(faults, f.AtLine(1, 1, "dimension %q is empty; expected a table with file and key", name))
			continue
		}
		d.name = name
		faults = append(faults, d.check(f)...)
		if d.File.value != "" {
			d.path = dimension.Below(dir, d.File.value)
		}
	}
	statuses := map[string]bool{}
	for _, r := range c.Rules {
		if r == nil {
			faults = append(faults, f.AtLine(1, 1, "an empty rule; expected {field, dimension, set}"))
			continue
		}
		faults = append(faults, r.check(f, c.Dimensions)...)
		if r.Name == "" {
			r.Name = r.Dimension.value
		}
		if r.Status || r.Version {
			if statuses[r.Name] {
				faults = append(faults, f.At(r.Dimension.at, "two rules would write leat.enrich.%s; expected a name: in one of them", r.Name))
			}
			statuses[r.Name] = true
		}
	}
	return errors.Join(faults...)
}

func (c *Config) dimensionNames() []string {
	var out []string
	for name := range c.Dimensions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// at is the place that a fault of the whole dimension names.
func (d *DimensionConfig) at() *yaml.Node {
	if d.File.at == nil && len(d.Key) > 0 {
		return d.Key[0].at
	}
	return d.File.at
}

func (r *RuleConfig) check(f *yamlfile.File, dims map[string]*DimensionConfig) (faults []error) {
	bad := func(n *yaml.Node, format string, args ...any) { faults = append(faults, f.At(n, format, args...)) }
	at := r.Dimension.at
	if at == nil && len(r.Field) > 0 {
		at = r.Field[0].at
	}
	d := dims[r.Dimension.value]
	if d == nil {
		bad(at, "no dimension %q; expected one of those under dimensions:", r.Dimension.value)
	}
	if d != nil && d.Intel != nil {
		r.indicators = true
		if len(r.Field) > 0 || len(r.Set) > 0 || len(r.Default) > 0 || r.Overwrite || r.OnMiss.value != "" {
			bad(at, "indicators are looked for in all usual fields; expected dimension, and perhaps status, version, exact, related, unless, on_stale, on_error")
		}
	} else {
		if r.Exact || r.Related {
			bad(at, "exact and related are for a dimension of indicators")
		}
		if len(r.Field) == 0 {
			bad(at, "a rule without field; expected the field that is the key")
		}
	}
	if len(r.Set) == 0 && len(r.Field) > 0 && d != nil && !r.indicators && d.Format != "mmdb" && len(d.defaultSet(r.Field[0].value)) == 0 {
		bad(at, "a rule without set; expected field: column")
	}
	one := func(t *text, allowed ...string) {
		if t.value == "" {
			t.value = allowed[0]
		}
		if !slices.Contains(allowed, t.value) {
			bad(t.at, "%q; expected one of %s", t.value, strings.Join(allowed, ", "))
		}
	}
	hold := func(t *text, max *time.Duration, allowed ...string) {
		if d, ok := parseHold(t.value); ok {
			*max = d
			return
		}
		one(t, allowed...)
	}
	hold(&r.OnMiss, &r.holdMiss, "pass", "default", "error", "hold(TIME)")
	hold(&r.OnStale, &r.holdStale, "use", "default", "error", "hold(TIME)")
	hold(&r.OnError, &r.holdError, "pass", "default", "error", "hold(TIME)")
	if wants := r.OnMiss.value == "default" || r.OnStale.value == "default" || r.OnError.value == "default"; wants != (len(r.Default) > 0) {
		bad(at, "default: and on_miss (or on_stale, on_error): default belong together; expected both or neither")
	}
	return faults
}
