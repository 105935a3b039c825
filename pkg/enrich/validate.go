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
		if d.path = d.File.value; d.path != "" && !filepath.IsAbs(d.path) {
			d.path = filepath.Join(dir, d.path)
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

// check fills in what was left out and returns all faults.
func (d *DimensionConfig) check(f *yamlfile.File) (faults []error) {
	where := d.at()
	if where == nil {
		where = f.Find("dimensions", d.name)
	}
	bad := func(format string, args ...any) {
		args = append([]any{d.name}, args...)
		faults = append(faults, f.At(where, "dimension %q: "+format, args...))
	}
	switch d.sources() {
	case 0:
		bad("no file, and no other source; expected file: with a path, or one of %s", sourceKeys)
	case 1:
	default:
		bad("%d sources; expected one", d.sources())
		return faults
	}
	complain := func(key string, all []dimension.Complaint) {
		for _, c := range all {
			path := append([]string{"dimensions", d.name, key}, strings.Split(c.Key, ".")...)
			faults = append(faults, f.At(f.Find(path...), "dimension %q, %s: %s", d.name, strings.Trim(key+"."+c.Key, "."), c.Message))
		}
	}
	if d.Learn != nil {
		complain("learn", d.Learn.Check())
		if len(d.Key) > 0 || d.Join != "" || d.Format != "" || d.ValidFrom != "" || d.ValidTo != "" || d.History != nil || d.MaxAge != 0 {
			bad("what is learned has its own keys and times; expected learn: alone")
		}
		d.Format = "learn"
		return faults
	}
	if d.Remote != nil {
		complain("remote", d.Remote.Check())
		if len(d.Key) > 0 || d.Join != "" || d.Format != "" || d.ValidFrom != "" || d.ValidTo != "" || d.History != nil || d.MaxAge != 0 {
			bad("what is asked key by key has its own keys and times; expected remote: and perhaps fold")
		}
		d.Format = "remote"
		return faults
	}
	if key, o := d.opener(); o != nil {
		complain(key, o.Check())
		d.defaults()
		if d.Format != "" || d.Types != nil || d.Separator != "" {
			bad("format, types and separator are for a file")
		}
		d.Format = key
	}
	if d.Format == "" {
		d.Format = formatOf(d.File.value)
	}
	if strings.Contains(d.File.value, "://") {
		bad("file %q is a URL; expected a path, or http: {url: ...}", d.File.value)
	}
	if d.File.value != "" && !slices.Contains([]string{"csv", "json", "list", "parquet", "mmdb"}, d.Format) {
		bad("format %q; expected csv, json, list, mmdb or parquet", d.Format)
	}
	if d.Join == "" {
		d.Join = "exact"
		if d.Format == "mmdb" {
			d.Join = "cidr"
		}
	}
	if len(d.Key) == 0 && d.Format == "list" {
		d.Key = names{{value: listColumn}}
	}
	switch {
	case d.Format == "mmdb" && (len(d.Key) > 0 || d.Join != "cidr"):
		bad("a MaxMind database has its own key; expected neither key nor join")
	case d.Format == "mmdb":
	case d.Intel != nil && (len(d.Key) > 0 || d.Join != "exact" || d.Fold || d.History != nil):
		bad("indicators have their own keys; expected neither key, join, fold nor history")
	case d.Intel != nil:
	case len(d.Key) == 0:
		bad("no key; expected the names of its key columns")
	case !slices.Contains([]string{"exact", "cidr", "range", "suffix"}, d.Join):
		bad("join %q; expected exact, cidr, range or suffix", d.Join)
	case d.Join == "range" && len(d.Key) != 2:
		bad("join: range has two key columns, the first and the last of the range; found %d", len(d.Key))
	}
	for _, k := range d.Key {
		if t, err := dimension.ParseTemplate(k.value); err != nil {
			faults = append(faults, f.At(k.at, "key %q: %v", k.value, err))
		} else if d.Join != "exact" && !t.Plain() {
			faults = append(faults, f.At(k.at, "key %q: braces are for join: exact", k.value))
		}
	}
	d.checkTimes(bad)
	if d.Duplicates == "" {
		d.Duplicates = "first"
	}
	if d.Duplicates != "first" && d.Duplicates != "error" {
		bad("duplicates %q; expected first or error", d.Duplicates)
	}
	switch d.Separator {
	case "tab", `\t`:
		d.Separator = "\t"
	case "":
		d.Separator = ","
	}
	if r := []rune(d.Separator); len(r) != 1 || strings.ContainsAny(d.Separator, "\"\r\n\uFFFD") {
		bad("separator %q; expected one character, or tab", d.Separator)
	}
	for col, typ := range d.Types {
		if !slices.Contains([]string{"string", "number", "bool", "json"}, typ) {
			bad("type %q of column %q; expected string, number, bool or json", typ, col)
		}
	}
	if d.MaxShrink == nil {
		part := 0.3
		if d.Intel != nil {
			// Feeds end in bulk: what one provider takes back is no fault of the file.
			part = 0.9
		}
		d.MaxShrink = &part
	}
	if *d.MaxShrink < 0 || *d.MaxShrink > 1 {
		bad("max_shrink %g; expected a part from 0 to 1", *d.MaxShrink)
	}
	if d.MaxRows < 0 || d.MaxBytes < 0 || d.MaxAge < 0 {
		bad("max_rows, max_bytes and max_age; expected none below 0")
	}
	if d.MaxRows == 0 {
		d.MaxRows = 20_000_000
	}
	if d.MaxBytes == 0 {
		d.MaxBytes = 1 << 30
	}
	return faults
}

// checkTimes is of what has to do with time.
func (d *DimensionConfig) checkTimes(bad func(format string, args ...any)) {
	if d.Interval < 0 || d.Timeout < 0 {
		bad("interval and timeout; expected none below 0")
	}
	if d.Interval == 0 {
		d.Interval = 5 * time.Minute
	}
	if d.Timeout == 0 {
		d.Timeout = 2 * time.Minute
	}
	if d.Format == "mmdb" && (d.ValidFrom != "" || d.ValidTo != "" || d.History != nil) {
		bad("a MaxMind database has no times; expected neither valid_from, valid_to nor history")
	}
	if d.History == nil {
		return
	}
	if d.ValidFrom != "" || d.ValidTo != "" {
		bad("history makes the times that valid_from and valid_to name; expected one of them")
	}
	if d.History.Key == "" && len(d.Key) > 0 {
		d.History.Key = d.Key[0].value
	}
	switch {
	case d.History.Keep < 0:
		bad("history: keep %s; expected a duration above 0", d.History.Keep)
	case d.History.Keep == 0:
		d.History.Keep = defaultKeep
	}
}

func formatOf(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv":
		return "csv"
	case ".json", ".ndjson", ".jsonl":
		return "json"
	case ".parquet":
		return "parquet"
	case ".mmdb":
		return "mmdb"
	case ".txt", ".list":
		return "list"
	}
	return ""
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
