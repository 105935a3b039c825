package enrich

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/dimension"
	"leat/pkg/yamlfile"
)

// faultsOf collects what is wrong with one dimension.
type faultsOf struct {
	d    *DimensionConfig
	file *yamlfile.File
	at   *yaml.Node
	all  []error
}

// bad notes a fault of the whole dimension.
func (f *faultsOf) bad(format string, args ...any) {
	f.all = append(f.all, f.file.At(f.at, "dimension %q: "+format, append([]any{f.d.name}, args...)...))
}

// complain notes what a source says of its own part, below key.
func (f *faultsOf) complain(key string, all []dimension.Complaint) {
	for _, c := range all {
		path := append([]string{"dimensions", f.d.name, key}, strings.Split(c.Key, ".")...)
		f.all = append(f.all, f.file.At(f.file.Find(path...), "dimension %q, %s: %s", f.d.name, strings.Trim(key+"."+c.Key, "."), c.Message))
	}
}

// check fills in what was left out and returns all faults.
func (d *DimensionConfig) check(file *yamlfile.File) []error {
	f := &faultsOf{d: d, file: file, at: d.at()}
	if f.at == nil {
		f.at = file.Find("dimensions", d.name)
	}
	switch n := d.sources(); {
	case n == 0:
		f.bad("no file, and no other source; expected file: with a path, or one of %s", sourceKeys)
	case n > 1:
		f.bad("%d sources; expected one", n)
		return f.all
	}
	switch {
	case d.Learn != nil:
		f.complain("learn", d.Learn.Check())
		d.checkLive(f, "learn", "what is learned has its own keys and times; expected learn: alone")
		return f.all
	case d.Remote != nil:
		f.complain("remote", d.Remote.Check())
		d.checkLive(f, "remote", "what is asked key by key has its own keys and times; expected remote: and perhaps fold")
		return f.all
	}
	d.checkSource(f)
	d.checkKeys(f)
	d.checkTimes(f)
	d.checkForm(f)
	d.checkBounds(f)
	return f.all
}

// checkLive is of a dimension that is no snapshot.
func (d *DimensionConfig) checkLive(f *faultsOf, format, alone string) {
	if len(d.Key) > 0 || d.Join != "" || d.Format != "" || d.ValidFrom != "" || d.ValidTo != "" || d.History != nil || d.MaxAge != 0 {
		f.bad("%s", alone)
	}
	d.Format = format
}

// checkSource is of where the rows live and in which form.
func (d *DimensionConfig) checkSource(f *faultsOf) {
	if key, o := d.opener(); o != nil {
		f.complain(key, o.Check())
		d.defaults()
		if d.Format != "" || d.Types != nil || d.Separator != "" {
			f.bad("format, types and separator are for a file")
		}
		d.Format = key
	}
	if d.Format == "" {
		d.Format = formatOf(d.File.value)
	}
	if strings.Contains(d.File.value, "://") {
		f.bad("file %q is a URL; expected a path, or http: {url: ...}", d.File.value)
	}
	if d.File.value != "" && !slices.Contains([]string{"csv", "json", "list", "parquet", "mmdb"}, d.Format) {
		f.bad("format %q; expected csv, json, list, mmdb or parquet", d.Format)
	}
}

// checkKeys is of how a row is found.
func (d *DimensionConfig) checkKeys(f *faultsOf) {
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
		f.bad("a MaxMind database has its own key; expected neither key nor join")
	case d.Format == "mmdb":
	case d.Intel != nil && (len(d.Key) > 0 || d.Join != "exact" || d.Fold || d.History != nil):
		f.bad("indicators have their own keys; expected neither key, join, fold nor history")
	case d.Intel != nil:
	case len(d.Key) == 0:
		f.bad("no key; expected the names of its key columns")
	case !slices.Contains([]string{"exact", "cidr", "range", "suffix"}, d.Join):
		f.bad("join %q; expected exact, cidr, range or suffix", d.Join)
	case d.Join == "range" && len(d.Key) != 2:
		f.bad("join: range has two key columns, the first and the last of the range; found %d", len(d.Key))
	}
	for _, k := range d.Key {
		if t, err := dimension.ParseTemplate(k.value); err != nil {
			f.all = append(f.all, f.file.At(k.at, "key %q: %v", k.value, err))
		} else if d.Join != "exact" && !t.Plain() {
			f.all = append(f.all, f.file.At(k.at, "key %q: braces are for join: exact", k.value))
		}
	}
}

// checkForm is of what rows and cells look like.
func (d *DimensionConfig) checkForm(f *faultsOf) {
	if d.Duplicates == "" {
		d.Duplicates = "first"
	}
	if d.Duplicates != "first" && d.Duplicates != "error" {
		f.bad("duplicates %q; expected first or error", d.Duplicates)
	}
	switch d.Separator {
	case "tab", `\t`:
		d.Separator = "\t"
	case "":
		d.Separator = ","
	}
	if r := []rune(d.Separator); len(r) != 1 || strings.ContainsAny(d.Separator, "\"\r\n\uFFFD") {
		f.bad("separator %q; expected one character, or tab", d.Separator)
	}
	for col, typ := range d.Types {
		if !slices.Contains([]string{"string", "number", "bool", "json"}, typ) {
			f.bad("type %q of column %q; expected string, number, bool or json", typ, col)
		}
	}
}

// checkBounds is of how big a table may be, and how much of it may vanish.
func (d *DimensionConfig) checkBounds(f *faultsOf) {
	if d.MaxShrink == nil {
		part := 0.3
		if d.Intel != nil {
			// Feeds end in bulk: what one provider takes back is no fault of the file.
			part = 0.9
		}
		d.MaxShrink = &part
	}
	if *d.MaxShrink < 0 || *d.MaxShrink > 1 {
		f.bad("max_shrink %g; expected a part from 0 to 1", *d.MaxShrink)
	}
	if d.MaxRows < 0 || d.MaxBytes < 0 || d.MaxAge < 0 {
		f.bad("max_rows, max_bytes and max_age; expected none below 0")
	}
	if d.MaxRows == 0 {
		d.MaxRows = 20_000_000
	}
	if d.MaxBytes == 0 {
		d.MaxBytes = 1 << 30
	}
}

// checkTimes is of what has to do with time.
func (d *DimensionConfig) checkTimes(f *faultsOf) {
	if d.Interval < 0 || d.Timeout < 0 {
		f.bad("interval and timeout; expected none below 0")
	}
	if d.Interval == 0 {
		d.Interval = 5 * time.Minute
	}
	if d.Timeout == 0 {
		d.Timeout = 2 * time.Minute
	}
	if d.Format == "mmdb" && (d.ValidFrom != "" || d.ValidTo != "" || d.History != nil) {
		f.bad("a MaxMind database has no times; expected neither valid_from, valid_to nor history")
	}
	if d.History == nil {
		return
	}
	if d.ValidFrom != "" || d.ValidTo != "" {
		f.bad("history makes the times that valid_from and valid_to name; expected one of them")
	}
	if d.History.Key == "" && len(d.Key) > 0 {
		d.History.Key = d.Key[0].value
	}
	switch {
	case d.History.Keep < 0:
		f.bad("history: keep %s; expected a duration above 0", d.History.Keep)
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
