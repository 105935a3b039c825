package detect

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leat/pkg/sigma"
)

// graded is a rule that every event with the given kind matches.
func graded(id, level, tag string) string {
	return "title: T " + id + "\nid: " + id + "\nname: n_" + id + "\nstatus: test\nlevel: " + level + "\ntags: [" + tag +
		"]\nlogsource: {product: linux, category: process_creation}\ndetection: {s: {Image: '*" + id + "'}, condition: s}\n---\n"
}

func TestSelection(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": graded("a", "low", "attack.t1059.001") + graded("b", "high", "attack.t1059"), "sub/c.yml": graded("c", "critical", "attack.t1105")})
	for _, c := range []struct {
		src  Sources
		want string
	}{
		{Sources{}, "a b c"},
		{Sources{MinLevel: "high"}, "b c"},
		{Sources{MinLevel: "high", Enable: []string{"a"}}, "a b c"},
		{Sources{Disable: []string{"b"}}, "a c"},
		{Sources{Disable: []string{"T C"}}, "a b"},
		{Sources{Disable: []string{"n_c"}}, "a b"},
		{Sources{Disable: []string{"tag:attack.t1059*"}}, "c"},
		{Sources{Disable: []string{"level:high"}}, "a c"},
		{Sources{Disable: []string{"status:test"}}, ""},
		{Sources{Disable: []string{"logsource:linux/*"}, Enable: []string{"c"}}, "c"},
		{Sources{Disable: []string{"file:c.yml"}}, "a b"},
		{Sources{Disable: []string{"*"}, Enable: []string{"tag:attack.t1105", "a"}}, "a c"},
	} {
		c.src.Rules = []string{dir}
		l, err := Load(c.src)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range l.Rules {
			got = append(got, r.ID)
		}
		if strings.Join(got, " ") != c.want || len(got)+l.Left != 3 || len(l.Unused) > 0 {
			t.Errorf("%+v: %s, %d left out, unused %q; want %s", c.src, got, l.Left, l.Unused, c.want)
		}
	}
	l, err := Load(Sources{Rules: []string{dir}, Disable: []string{"typo", "b"}})
	if err != nil || !slices.Equal(l.Unused, []string{"typo"}) {
		t.Errorf("unused %q, %v", l.Unused, err)
	}
	for _, bad := range []Sources{{MinLevel: "grave"}, {Disable: []string{"tag:["}}, {Enable: []string{""}}, {File: "none.yaml"}, {Taxonomy: []string{"none"}}, {Pipelines: []string{"none"}}} {
		if _, err := Load(bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// A rule that is disabled goes on to feed a correlation, without alerts of its own; a correlation that is disabled gives its
// rules their own alerts back.
func TestSelectionOfCorrelations(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": graded("a", "low", "x.y") +
		"title: Many\nid: m\nlevel: high\ncorrelation: {type: event_count, rules: [a], group-by: [host.name], timespan: 1m, condition: {gte: 2}, generate: true}\n"})
	l, err := Load(Sources{Rules: []string{dir}, Disable: []string{"a"}})
	if err != nil || len(l.Rules) != 1 || !l.Rules[0].Silent || len(l.Correlations) != 1 || l.Left != 1 {
		t.Errorf("%+v %v", l, err)
	}
	l, err = Load(Sources{Rules: []string{dir}, Disable: []string{"m"}})
	if err != nil || len(l.Rules) != 1 || l.Rules[0].Silent || l.Rules[0].Feeds || len(l.Correlations) != 0 {
		t.Errorf("%+v %v", l, err)
	}
}

func TestDetectYAML(t *testing.T) {
	dir := folder(t, map[string]string{
		"rules/a.yml":  graded("a", "low", "x.y") + graded("b", "high", "x.y"),
		"admins.txt":   "root\n",
		"pipe.yml":     "transformations:\n- {type: field_name_mapping, mapping: {Image: program}}",
		"fields.yaml":  "- product: linux\n  fields: {program: [vendor.exe]}",
		"detect.yaml":  "rules: [rules]\nlookups: [admins=admins.txt]\npipelines: [pipe.yml]\ntaxonomy: [fields.yaml]\nmin_level: low\nlevels: {a: critical, 'tag:x.*': medium}\ndisable: [b]\nenable: [b]\nexclusions:\n- {title: backup, rules: [b], when: {user.name: backup}}\n- {rules: any, when: {host.name: [lab1, lab2]}}\n",
		"second.yml":   graded("c", "low", "x.y"),
		"faulty.yaml":  "rules: rules\nlevels: {a: grave}\ndisable: ['tag:[']\nmin_levl: low\n",
		"useless.yaml": "rules: [rules]\nexclusions: [{title: x}]\n",
		"unclear.yaml": "rules: [rules]\nexclusions:\n- {rules: [a], when: {user.name|contans: x}}\n",
		"nobody.yaml":  "rules: [rules]\nexclusions:\n- {rules: [zz], when: {user.name: x}}\n",
	})
	s, err := New(Config{File: filepath.Join(dir, "detect.yaml"), Rules: []string{filepath.Join(dir, "second.yml")}, Routing: false})
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		`{"vendor":{"exe":"/bin/a"}}`:                   "a",
		`{"program":"/bin/b"}`:                          "b",
		`{"program":"/bin/b","user":{"name":"backup"}}`: "",
		`{"program":"/bin/a","user":{"name":"backup"}}`: "a",
		`{"program":"/bin/a","host":{"name":"LAB2"}}`:   "",
		`{"program":"/bin/c"}`:                          "c",
		`{"Image":"/bin/a"}`:                            "",
	} {
		if got := strings.Join(raised(t, s, []byte(line))[0], " "); got != want {
			t.Errorf("%s: raised %q, want %q", line, got, want)
		}
	}
	l, err := Load(Sources{File: filepath.Join(dir, "detect.yaml")})
	if err != nil || len(l.Rules) != 2 || l.Rules[1].Level != sigma.LevelMedium {
		t.Errorf("%v %v", l, err)
	}
	for name, want := range map[string][]string{
		"faulty.yaml":  {"faulty.yaml:1:8: expected a list", `"grave" is none of`, "rule selector", `unknown key "min_levl"`, "^"},
		"useless.yaml": {"an exclusion needs rules"},
		"unclear.yaml": {"unclear.yaml:3:", "no modifier", "^"},
	} {
		_, err := Load(Sources{File: filepath.Join(dir, name)})
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in %v", name, w, err)
			}
		}
	}
	if _, err := New(Config{File: filepath.Join(dir, "nobody.yaml")}); err == nil || !strings.Contains(err.Error(), `no rule with the id or name "zz"`) {
		t.Errorf("an exclusion of a rule that is not there: %v", err)
	}
}

func TestUserTaxonomyGoesFirst(t *testing.T) {
	dir := folder(t, map[string]string{"t.yaml": "- product: windows\n  places: ['vendor.$']\n  fields: {Image: [exe]}\n", "bad.yaml": "- {product: x, places: [a]}\n", "worse.yaml": "- {fields: {a: ['b..c']}}\n", "keys.yaml": "- {produkt: x}\n"})
	tax, err := ReadTaxonomy([]string{filepath.Join(dir, "t.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range tax.Paths(sigma.LogSource{Product: "windows", Category: "image_load"}, "Image") {
		got = append(got, strings.Join(p, "."))
	}
	if want := "Image vendor.Image winlog.event_data.Image"; !strings.HasPrefix(strings.Join(got, " "), want) || slices.Index(got, "exe") > slices.Index(got, "process.executable") {
		t.Errorf("places %s", got)
	}
	for _, name := range []string{"bad.yaml", "worse.yaml", "keys.yaml"} {
		if _, err := ReadTaxonomy([]string{filepath.Join(dir, name)}); err == nil || !strings.Contains(err.Error(), name+":1:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPipelineAndCorrelation: what a correlation groups by, counts and calls by an alias is found under the names that pipelines gave
// the fields of each of its rules.
func TestPipelineAndCorrelation(t *testing.T) {
	dir := folder(t, map[string]string{
		"rules.yml": `title: A
name: a
logsource: {product: windows}
detection: {s: {Act: x}, condition: s}
---
title: B
name: b
logsource: {product: linux}
detection: {s: {Act: y}, condition: s}
---
title: Both
id: both
correlation:
    type: temporal
    rules: [a, b]
    group-by: [Who]
    timespan: 1h
    aliases: {Who: {a: User, b: Account}}
---
title: Many
id: many
correlation: {type: value_count, rules: [a], group-by: [User], timespan: 1h, condition: {field: Target, gte: 2}}
leat: {suppress: {by: [User], for: 1d}}
`,
		"pipes/p.yml": `transformations:
- {type: field_name_mapping, mapping: {User: w.user, Act: w.act, Target: w.to}, rule_conditions: [{type: logsource, product: windows}]}
- {type: field_name_prefix, prefix: l., rule_conditions: [{type: logsource, product: linux}]}
`,
	})
	s := newStage(t, Config{Rules: []string{dir + "/rules.yml"}, Pipelines: []string{dir + "/pipes/p.yml"}, Strict: true, Now: testNow})
	at := func(sec int, rest string) string {
		return ev("i", "e", sec, rest)
	}
	got := brief(alertsOf(t, s, 2,
		at(1, `"w":{"act":"x","user":"ann","to":"1"}`), at(2, `"l":{"Act":"y","Account":"ANN"}`), at(3, `"w":{"act":"x","user":"ann","to":"2"}`),
		at(4, `"w":{"act":"x","user":"bob","to":"2"},"User":"ann"`)))
	if got != "both ANN 2 i i; many ann 2 i i" {
		t.Error(got)
	}
}
