package pipeline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/sigma/pipeline"
)

const rule = `
title: Shell
logsource: {product: windows, category: process_creation}
tags: [attack.t1059]
level: high
fields: [CommandLine, User]
detection:
    selection:
        Image|endswith: '\cmd.exe'
        CommandLine|contains: [one, two]
    filter:
        User: SYSTEM
    condition: selection and not filter
`

func parse(t testing.TB, text string) *pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.Parse("p.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// after returns the rule as it is behind the pipelines, as YAML.
func after(t testing.TB, ruleText string, pipes ...string) (string, error) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(ruleText), &doc); err != nil {
		t.Fatal(err)
	}
	var c pipeline.Chain
	for _, p := range pipes {
		c = append(c, parse(t, p))
	}
	_, err := c.Apply(doc.Content[0])
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if eerr := enc.Encode(&doc); eerr != nil {
		t.Fatal(eerr)
	}
	return b.String(), err
}

// matches tells whether the rule, behind the pipelines, matches the event.
func matches(t testing.TB, ruleText, line string, pipes ...string) bool {
	t.Helper()
	var c pipeline.Chain
	for _, p := range pipes {
		c = append(c, parse(t, p))
	}
	rules, faults := sigma.ParseFile("r.yml", []byte(ruleText), sigma.Options{Rewrite: c.Apply})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	ix, err := sigma.NewIndex(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatal(err)
	}
	return len(ix.NewMatcher().Match(&e)) > 0
}

func TestTransformations(t *testing.T) {
	for name, c := range map[string]struct {
		pipe      string
		has, lost []string
	}{
		"names": {
			"- {type: field_name_mapping, mapping: {Image: process.executable, User: [a, b]}}",
			[]string{`process.executable|endswith:`, "- a: SYSTEM", "- b: SYSTEM", "fields: [CommandLine, a, b]"}, []string{"Image|", "User"},
		},
		"prefix of names":  {"- {type: field_name_prefix_mapping, mapping: {Command: cmd.}}", []string{"cmd.Line|contains: [one, two]"}, []string{"CommandLine"}},
		"prefix":           {"- {type: field_name_prefix, prefix: win.}", []string{"win.Image|endswith", "win.User: SYSTEM"}, nil},
		"suffix":           {"- {type: field_name_suffix, suffix: .text}", []string{"Image.text|endswith"}, nil},
		"some fields":      {"- {type: field_name_suffix, suffix: .x, field_name_conditions: [{type: include_fields, fields: [User]}]}", []string{"User.x: SYSTEM", "Image|endswith"}, nil},
		"fields by regex":  {"- {type: field_name_suffix, suffix: .x, field_name_conditions: [{type: exclude_fields, mode: re, fields: ['I.*', 'C.*']}]}", []string{"User.x: SYSTEM", "Image|endswith"}, nil},
		"dropped item":     {"- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [Image]}]}", []string{"CommandLine|contains"}, []string{"Image"}},
		"condition":        {"- {type: add_condition, conditions: {EventID: [1, 4688], index: '$product-x'}, template: true}", []string{"EventID: [1, 4688]", "index: 'windows-x'", "condition: _pipeline_1 and (selection and not filter)"}, nil},
		"negated":          {"- {type: add_condition, name: out, negated: true, conditions: {a: b}}", []string{"condition: not out and (selection"}, nil},
		"log source":       {"- {type: change_logsource, service: sysmon, product: windows}", []string{"product: windows", "service: sysmon"}, []string{"category"}},
		"replaced":         {`- {type: replace_string, regex: '\\(cmd)', replacement: '/\1$'}`, []string{`/cmd$.exe`}, []string{`\cmd`}},
		"mapped":           {"- {type: map_string, mapping: {SYSTEM: [S-1-5-18, root]}}", []string{"User:", "- S-1-5-18", "- root"}, []string{"SYSTEM"}},
		"upper":            {"- {type: case, method: upper}", []string{"- ONE", `CMD.EXE`}, nil},
		"set":              {"- {type: set_value, value: 7, detection_item_conditions: [{type: match_string, pattern: SYS}]}", []string{"User: 7", "[one, two]"}, nil},
		"attribute":        {"- {type: set_custom_attribute, attribute: leat, value: x}", []string{"leat: x"}, nil},
		"list of fields":   {"- {type: add_field, field: Computer}\n- {type: remove_field, field: User}", []string{"- CommandLine", "- Computer"}, []string{"- User\n"}},
		"nested":           {"- {type: nest, items: [{type: field_name_prefix, prefix: n.}]}", []string{"n.User"}, nil},
		"no effect":        {"- {type: convert_type, target_type: str}\n- {type: regex}", []string{"User: SYSTEM"}, nil},
		"other log source": {"- {type: field_name_prefix, prefix: n., rule_conditions: [{type: logsource, product: linux}]}", []string{"User: SYSTEM"}, []string{"n."}},
		"one of two":       {"- {type: field_name_prefix, prefix: n., rule_cond_op: or, rule_conditions: [{type: logsource, product: linux}, {type: tag, tag: attack.t1059}]}", []string{"n.User"}, nil},
		"not":              {"- {type: field_name_prefix, prefix: n., rule_cond_not: true, rule_conditions: [{type: logsource, product: linux}]}", []string{"n.User"}, nil},
		"expression":       {"- {type: field_name_prefix, prefix: n., rule_cond_expr: w and not (l or a), rule_conditions: {w: {type: logsource, product: windows}, l: {type: logsource, product: linux}, a: {type: contains_field, field: nope}}}", []string{"n.User"}, nil},
		"attribute holds":  {"- {type: field_name_prefix, prefix: n., rule_conditions: [{type: rule_attribute, attribute: level, op: gte, value: medium}]}", []string{"n.User"}, nil},
		"attribute fails":  {"- {type: field_name_prefix, prefix: n., rule_conditions: [{type: rule_attribute, attribute: level, op: gt, value: high}]}", nil, []string{"n.User"}},
		"item is there":    {"- {type: field_name_prefix, prefix: n., rule_conditions: [{type: contains_detection_item, field: User, value: SYSTEM}]}", []string{"n.User"}, nil},
		"state":            {"- {type: set_state, key: k, val: v}\n- {type: field_name_prefix, prefix: n., rule_conditions: [{type: processing_state, key: k, val: v}]}", []string{"n.User"}, nil},
		"applied before": {
			"- {id: m, type: field_name_mapping, mapping: {User: u}, field_name_conditions: [{type: include_fields, fields: [User]}]}\n" +
				"- {type: field_name_prefix, prefix: win., field_name_cond_not: true, field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}",
			[]string{"win.Image|endswith", "u: SYSTEM"}, []string{"win.u"},
		},
		"two names become one": {"- {type: field_name_mapping, mapping: {Image: x, CommandLine: x}}", []string{"x|endswith", "x|contains"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := after(t, rule, "name: p\ntransformations:\n"+c.pipe)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.has {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			for _, lost := range c.lost {
				if strings.Contains(got, lost) {
					t.Errorf("%q in\n%s", lost, got)
				}
			}
			if _, faults := sigma.ParseFile("r.yml", []byte(got), sigma.Options{}); len(faults) > 0 && name != "attribute" {
				t.Errorf("what comes out is no rule: %v\n%s", faults, got)
			}
		})
	}
}

func TestPipelinesChangeMatches(t *testing.T) {
	const toECS = "priority: 20\ntransformations:\n- {type: field_name_mapping, mapping: {Image: process.executable, CommandLine: process.command_line, User: [user.name, user.id]}}"
	const only = "priority: 10\ntransformations:\n- {type: add_condition, conditions: {event.code: 1}, rule_conditions: [{type: logsource, category: process_creation}]}"
	yes := `{"event":{"code":"1"},"process":{"executable":"C:\\cmd.exe","command_line":"ONE"}}`
	if !matches(t, rule, yes, only, toECS) {
		t.Error("the ECS event is not matched")
	}
	for name, line := range map[string]string{
		"another code":    strings.Replace(yes, `"1"`, `"2"`, 1),
		"filtered":        strings.Replace(yes, `{"event"`, `{"user":{"id":"SYSTEM"},"event"`, 1),
		"the old names":   `{"Image":"C:\\cmd.exe","CommandLine":"one","event.code":1}`,
		"no match at all": `{}`,
	} {
		if matches(t, rule, line, only, toECS) {
			t.Errorf("%s: a match", name)
		}
	}
}

func TestPlaceholdersAndHashes(t *testing.T) {
	const r = "title: t\nlogsource: {product: windows}\ndetection:\n  s:\n    User|expand: '%admins%'\n    Hashes|contains: ['SHA1=aa', 'MD5=bb']\n  condition: s"
	const pipe = "vars: {admins: [root, 'adm*']}\ntransformations:\n- {type: value_placeholders}\n- {type: hashes_fields, valid_hash_algos: [SHA1, MD5], field_prefix: hash.}"
	for line, want := range map[string]bool{
		`{"User":"administrator","hash":{"SHA1":"aa"}}`: true,
		`{"User":"root","hash":{"MD5":"bb"}}`:           true,
		`{"User":"guest","hash":{"MD5":"bb"}}`:          false,
		`{"User":"root","hash":{"MD5":"aa"}}`:           false,
	} {
		if got := matches(t, r, line, pipe); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if !matches(t, r, `{"User":"anybody","Hashes":"SHA1=AA,MD5=cc"}`, "transformations:\n- {type: wildcard_placeholders}") {
		t.Error("a wildcard in place of the placeholder does not match")
	}
}

func TestRuleIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ pipe, want string }{
		"rule_failure":           {"- {type: rule_failure, message: no such logs, rule_conditions: [{type: logsource, category: process_creation}]}", "pipeline p: no such logs"},
		"detection_item_failure": {"- {type: detection_item_failure, message: no users, field_name_conditions: [{type: include_fields, fields: [User]}]}", "no users (User)"},
		"endless":                {"- {type: field_name_prefix, prefix: x}", "holds itself"},
		"nothing left":           {"- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [User]}]}", "nothing is left of the search filter"},
	} {
		text := rule
		if name == "endless" {
			text = strings.Replace(rule, "    filter:", "    x: &x [{a: 1}, *x]\n    filter:", 1)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		_, err := pipeline.Chain{parse(t, "name: p\ntransformations:\n"+c.pipe)}.Apply(doc.Content[0])
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := parse(t, "name: p\ntransformations:\n- {type: rule_failure, message: not for us}")
	_, faults := sigma.ParseFile("r.yml", []byte(rule), sigma.Options{Rewrite: pipeline.Chain{p}.Apply})
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "r.yml:2") || !strings.Contains(faults[0].Error(), "not for us") {
		t.Errorf("%v", faults)
	}
}

// TestFaults: what is wrong with a pipeline is told at its place, and all of it.
func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"transformations:\n- {type: nope}":                                                                   `p.yml:2:10: no transformation "nope"`,
		"transformations:\n- {type: field_name_transform}":                                                   "a function of Python",
		"transformations:\n- {type: http_placeholders, url: x}":                                              "detect fetches nothing",
		"transformations:\n- {type: command_placeholders}":                                                   "detect runs none",
		"transformations:\n- {type: extract_fields, regex: 'a(b)'}":                                          "expected a named group",
		"transformations:\n- {id: x}":                                                                        "needs a type",
		"transformations:\n- {type: field_name_prefix, prefx: x}":                                            `unknown key "prefx"`,
		"transformations:\n- {type: field_name_prefix}":                                                      "needs prefix",
		"transformations:\n- {type: replace_string, regex: '(', replacement: x}":                             "not a regular expression",
		"transformations:\n- {type: case, method: wild}":                                                     "none of lower, upper",
		"transformations:\n- {type: change_logsource}":                                                       "needs one of product",
		"transformation: []":                                                                                 `unknown key "transformation"`,
		"priority: high":                                                                                     "expected whole number",
		"transformations:\n- {type: regex, rule_conditions: [{type: x}]}":                                    `no condition "x" here`,
		"transformations:\n- {type: regex, rule_conditions: [{type: tag}]}":                                  "tag needs tag",
		"transformations:\n- {type: regex, rule_cond_op: xor}":                                               "none of and, or",
		"transformations:\n- {type: regex, rule_cond_expr: 'a and'}":                                         "no condition is named",
		"transformations:\n- {type: regex, detection_item_conditions: [{type: match_string, pattern: '('}]}": "not a regular expression",
		"transformations:\n- {type: nest, items: 3}":                                                         "expected a list of transformations",
		"a: [": "not YAML",
	} {
		_, err := pipeline.Parse("p.yml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestReadOrdersByPriority(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for name, text := range map[string]string{"late.yml": "name: late\npriority: 50", "early.yml": "name: early\npriority: 1"} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	c, err := pipeline.Read(paths)
	if err != nil || len(c) != 2 || c[0].Name != "early" {
		t.Errorf("%v %v", c, err)
	}
	if _, err := pipeline.Read([]string{filepath.Join(dir, "none.yml")}); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzPipeline: no pipeline makes the reader or the application fail other than by an error, and what it leaves is a rule or a fault.
func FuzzPipeline(f *testing.F) {
	f.Add("transformations:\n- {type: field_name_mapping, mapping: {Image: [a, b], User: a}}", rule)
	f.Add("transformations:\n- {type: replace_string, regex: '(.)', replacement: '\\1*', skip_special: true}", rule)
	f.Add("vars: {x: [1, 2]}\ntransformations:\n- {type: value_placeholders}\n- {type: drop_detection_item}", strings.Replace(rule, "User: SYSTEM", "User|expand: '%x%%y'", 1))
	f.Add("transformations:\n- {type: nest, items: [{type: hashes_fields, valid_hash_algos: [MD5]}]}", strings.Replace(rule, "User:", "Hashes:", 1))
	f.Fuzz(func(t *testing.T, pipe, ruleText string) {
		p, err := pipeline.Parse("p.yml", []byte(pipe))
		if err != nil {
			return
		}
		rules, faults := sigma.ParseFile("r.yml", []byte(ruleText), sigma.Options{Rewrite: pipeline.Chain{p}.Apply})
		if len(rules)+len(faults) == 0 {
			t.Error("neither a rule nor a fault")
		}
		if _, err := sigma.NewIndex(rules, nil); err != nil {
			t.Error(err)
		}
	})
}
