package sigma

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const whole = `title: A Title
id: 2f958cdc-65da-53e9-9d2d-e96ec6891db5
name: a_name
status: test
description: What it is for.
references:
    - https://example.org/a
    - https://example.org/b
author: Somebody
date: 2026-01-02
modified: 2026-03-04
license: MIT
tags:
    - attack.execution
    - attack.t1059.001
logsource:
    product: Windows
    category: process_creation
    definition: none
detection:
    selection:
        Image|endswith: '\a.exe'
    condition: selection
falsepositives: Unknown
fields:
    - Image
level: high
custom: anything
leat:
    message: '{user} did it'
    actions:
        - Look
`

func TestParseWhole(t *testing.T) {
	rules, faults := ParseFile("x.yml", []byte(whole), Options{})
	if len(faults) > 0 || len(rules) != 1 {
		t.Fatal(rules, faults)
	}
	r := rules[0]
	got := strings.Join([]string{
		r.File, r.ID, r.Title, r.Name, r.Status, r.Description, r.Author, r.Date, r.Modified, r.Version(), r.License,
		strings.Join(r.References, " "), strings.Join(r.Tags, " "), strings.Join(r.FalsePositives, " "), strings.Join(r.Fields, " "),
		r.Level.String(), r.LogSource.String(), r.Message, strings.Join(r.Actions, " "),
	}, "|")
	want := "x.yml|2f958cdc-65da-53e9-9d2d-e96ec6891db5|A Title|a_name|test|What it is for.|Somebody|2026-01-02|2026-03-04|2026-03-04|MIT|" +
		"https://example.org/a https://example.org/b|attack.execution attack.t1059.001|Unknown|Image|high|windows/process_creation/-|{user} did it|Look"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseFaults(t *testing.T) {
	for _, c := range []struct {
		name, from, to string // what of the whole rule is replaced
		line           int
		key, reason    string
	}{
		{"no title", "title: A Title\n", "", 1, "title", "is missing"},
		{"a level that is none", "level: high", "level: severe", 27, "level", `"severe" is none of`},
		{"a status that is none", "status: test", "status: fine", 4, "status", `"fine" is none of`},
		{"an unknown modifier", "Image|endswith", "Image|endwith", 22, "detection.selection.Image|endwith", `no modifier "endwith"`},
		{"an expression that is none", `Image|endswith: '\a.exe'`, `Image|re: 'a(b'`, 22, "detection.selection.Image|re", "missing closing )"},
		{"an expression that is not linear", `Image|endswith: '\a.exe'`, `Image|re: '(a)\1'`, 22, "detection.selection.Image|re", "RE2"},
		{"no network", `Image|endswith: '\a.exe'`, `Image|cidr: 10.0.0.0/33`, 22, "detection.selection.Image|cidr", "cidr takes a network"},
		{"no number", `Image|endswith: '\a.exe'`, `Image|gt: many`, 22, "detection.selection.Image|gt", "takes a number"},
		{"exists of text", `Image|endswith: '\a.exe'`, `Image|exists: maybe`, 22, "detection.selection.Image|exists", "true or false"},
		{"modifiers that exclude each other", `Image|endswith: '\a.exe'`, `Image|re|contains: a`, 22, "detection.selection.Image|re|contains", "exclude each other"},
		{"a flag without re", `Image|endswith: '\a.exe'`, `Image|i: a`, 22, "detection.selection.Image|i", "behind re"},
		{"wildcards in base64", `Image|endswith: '\a.exe'`, `Image|base64: 'a*'`, 22, "detection.selection.Image|base64", "wildcards"},
		{"one byte in base64", `Image|endswith: '\a.exe'`, `Image|base64offset: a`, 22, "detection.selection.Image|base64offset", "two bytes"},
		{"a modified null", `Image|endswith: '\a.exe'`, `Image|contains: null`, 22, "detection.selection.Image|contains", "null goes with no modifier"},
		{"an empty list", `Image|endswith: '\a.exe'`, `Image: []`, 22, "detection.selection.Image", "an empty list"},
		{"a table as value", `Image|endswith: '\a.exe'`, `Image: {a: b}`, 22, "detection.selection.Image", "found a table"},
		{"an empty search", "selection:\n        Image|endswith: '\\a.exe'", "selection: {}", 21, "detection.selection", "an empty table"},
		{"no condition", "    condition: selection\n", "", 21, "detection.condition", "is missing"},
		{"another name in the condition", "condition: selection", "condition: selektion", 23, "detection.condition", `no detection "selektion"; there are: selection`},
		{"a key twice", `Image|endswith: '\a.exe'`, "Image: a\n        Image: b", 23, "detection.selection.Image", "is there twice"},
		{"a timeframe", "    condition: selection\n", "    condition: selection\n    timeframe: 5m\n", 24, "detection.timeframe", "correlation"},
		{"no logsource", "logsource:\n    product: Windows\n    category: process_creation\n    definition: none\n", "", 1, "logsource", "is missing"},
		{"logsource as text", "logsource:\n    product: Windows\n    category: process_creation\n    definition: none\n", "logsource: windows\n", 16, "logsource", "expected a table"},
		{"an unknown key of ours", "    actions:\n        - Look\n", "    action: Look\n", 31, "leat.action", "unknown key"},
		{"tags as a table", "tags:\n    - attack.execution\n    - attack.t1059.001\n", "tags: {a: b}\n", 13, "tags", "expected a list"},
		{"no YAML", "title: A Title", "title: 'A Title", 2, "", "not YAML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.from, c.to, 1)
			if text == whole {
				t.Fatal("nothing replaced")
			}
			rules, faults := ParseFile("x.yml", []byte(text), Options{})
			if len(rules) != 0 || len(faults) == 0 {
				t.Fatalf("%d rules, %d faults", len(rules), len(faults))
			}
			f := faults[0]
			if f.Key != c.key || !strings.Contains(f.Reason, c.reason) || c.line != f.Line && c.key != "" {
				t.Errorf("%d: %s: %s, want %d: %s: %s", f.Line, f.Key, f.Reason, c.line, c.key, c.reason)
			}
			if !strings.HasPrefix(f.Error(), "x.yml:") || !strings.Contains(f.Error(), "^") {
				t.Errorf("no place in %q", f.Error())
			}
		})
	}
}

// A broken document must not hide its neighbours, and every one is accounted for.
func TestParseDocuments(t *testing.T) {
	corr := "title: C\nid: 11111111-1111-4111-8111-111111111111\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [b]\n  timespan: 1m\n  condition: {gte: 5}\n"
	filter := "title: F\nlogsource: {product: x}\nfilter:\n  rules: [a]\n  selection: {a: b}\n  condition: selection\n"
	text := whole + "---\ntitle: broken\n---\n" + corr + "---\n" + filter + "---\n" + strings.Replace(whole, "2f958cdc", "3f958cdc", 1) + "---\n- a list\n---\n"
	set := Parse("x.yml", []byte(text), Options{})
	if len(set.Rules) != 2 || set.Rules[1].Line != 52 || len(set.Correlations) != 1 || len(set.Filters) != 1 {
		t.Errorf("%d rules, %d correlations, %d filters", len(set.Rules), len(set.Correlations), len(set.Filters))
	}
	if len(set.Faults) != 3 {
		t.Errorf("%v", set.Faults)
	}
	if _, faults := ParseFile("x.yml", []byte(whole+"---\n"+corr), Options{}); len(faults) != 1 || faults[0].Key != "correlation" || faults[0].Line != 34 {
		t.Errorf("a correlation among rules alone: %v", faults)
	}
	if _, faults := ParseFile("empty.yml", []byte("# nothing\n"), Options{}); len(faults) != 1 {
		t.Error("an empty file is no fault")
	}
}

// An alias may not unfold without end.
func TestParseAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("title: t\nlogsource: {product: x}\ndetection:\n  s:\n    a: &a0 [x, y, z, x, y, z, x, y, z]\n  l0: &l0\n    - a: x\n")
	for i := 1; i < 12; i++ {
		prev := "l" + string(rune('a'+i-2))
		if i == 1 {
			prev = "l0"
		}
		name := "l" + string(rune('a'+i-1))
		b.WriteString("  " + name + ": &" + name + " [*" + prev + ", *" + prev + ", *" + prev + ", *" + prev + "]\n")
	}
	b.WriteString("  condition: s\n")
	_, faults := ParseFile("x.yml", []byte(b.String()), Options{})
	if len(faults) == 0 || !strings.Contains(faults[0].Reason, "more than") {
		t.Errorf("%v", faults)
	}
}

func TestLoad(t *testing.T) {
	fsys := fstest.MapFS{
		"a/one.yml":      {Data: []byte(whole)},
		"a/one.test.yml": {Data: []byte("tests: []")},
		"b/two.yaml":     {Data: []byte(strings.Replace(whole, "2f958cdc", "3f958cdc", 1))},
		"b/bad.yml":      {Data: []byte("title: x\n")},
		"b/readme.md":    {Data: []byte("# no rule")},
		"c/same.yml":     {Data: []byte(whole)},
	}
	set, err := Load(fsys, ".", "dir", Options{})
	if err != nil || len(set.Rules) != 3 || set.Rules[0].File != "dir/a/one.yml" || len(set.Faults) != 2 {
		t.Fatal(set, err)
	}
	set.Link()
	if len(set.Rules) != 2 || len(set.Faults) != 3 || !strings.Contains(set.Faults[2].Error(), "dir/c/same.yml:1") ||
		!strings.Contains(set.Faults[2].Reason, "dir/a/one.yml:1") {
		t.Errorf("%v %v", set.Rules, set.Faults)
	}
	if _, err := Load(os.DirFS(filepath.Join(t.TempDir(), "no")), ".", "", Options{}); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	for _, c := range modifiers {
		f.Add([]byte(ruleText(c.detection)))
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("title: x\ndetection:\n  s: &s\n    - *s\n  condition: s\nlogsource: {product: x}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, faults := ParseFile("f.yml", data, Options{})
		if len(rules)+len(faults) == 0 {
			t.Fatal("neither a rule nor a fault")
		}
		for _, ft := range faults {
			_ = ft.Error()
		}
		ix, err := NewIndex(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		ix.NewMatcher().Match(parsed(t, `{"a":"x","Image":"C:\\a.exe","b":[1,{"c":null}]}`))
	})
}
