package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"leat/pkg/sigma/pipeline"
)

// TestNames: what a field that stands outside of a rule is called behind pipelines, by the transformations that apply to that rule.
func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		pipes       []string
		field, want string
	}{
		"renamed":              {[]string{"- {type: field_name_mapping, mapping: {User: user.name}}"}, "User", "user.name"},
		"unknown":              {[]string{"- {type: field_name_mapping, mapping: {Image: exe}}"}, "User", "User"},
		"one of several":       {[]string{"- {type: field_name_mapping, mapping: {User: [a, b]}}"}, "User", "a b"},
		"one behind the other": {[]string{"- {type: field_name_mapping, mapping: {User: a}}", "- {type: field_name_prefix_mapping, mapping: {a: b.}}\n- {type: field_name_suffix, suffix: .text}"}, "User", "b..text"},
		"of another source":    {[]string{"- {type: field_name_prefix, prefix: x., rule_conditions: [{type: logsource, product: linux}]}"}, "User", "User"},
		"of this source":       {[]string{"- {type: field_name_prefix, prefix: x., rule_conditions: [{type: logsource, product: windows}]}"}, "User", "x.User"},
		"not what was renamed": {[]string{`- {id: m, type: field_name_mapping, mapping: {User: user.name}}
- {type: field_name_prefix, prefix: raw., field_name_cond_not: true, field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}`}, "User Other", "user.name raw.Other"},
		"by the state of that time": {[]string{`- {type: set_state, key: k, val: a}
- {type: field_name_suffix, suffix: .a, field_name_conditions: [{type: processing_state, key: k, val: a}]}
- {type: set_state, key: k, val: b}
- {type: field_name_suffix, suffix: .never, field_name_conditions: [{type: processing_state, key: k, val: a}]}`}, "User", "User.a"},
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(rule), &doc); err != nil {
			t.Fatal(err)
		}
		var chain pipeline.Chain
		for _, p := range c.pipes {
			chain = append(chain, parse(t, "transformations:\n"+p))
		}
		names, err := chain.Apply(doc.Content[0])
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(c.field)
		if names != nil {
			got = nil
			for f := range strings.FieldsSeq(c.field) {
				got = append(got, names(f)...)
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %s is called %q, want %q", name, c.field, got, c.want)
		}
	}
}

func TestReferencesAreRenamed(t *testing.T) {
	text := strings.Replace(rule, "User: SYSTEM", "User|fieldref: Image", 1)
	const pipe = "transformations:\n- {type: field_name_mapping, mapping: {User: user.name, Image: exe, CommandLine: cmd}}"
	if !matches(t, text, `{"exe":"C:\\cmd.exe","cmd":"one","user":{"name":"x"}}`, pipe) || matches(t, text, `{"exe":"C:\\cmd.exe","cmd":"one","user":{"name":"c:\\CMD.exe"}}`, pipe) {
		t.Error("the field that a value refers to has its old name")
	}
}

// TestWildcardsOfModifiers: expressions see a value as it is meant, with the wildcards of its modifiers.
func TestWildcardsOfModifiers(t *testing.T) {
	const pipe = "transformations:\n- {type: replace_string, regex: '%s', replacement: '%s', field_name_conditions: [{type: include_fields, fields: [Image]}]}"
	for regex, c := range map[string]struct{ to, want string }{
		`^\*\\([^\\]+)$`: {`\1`, "Image: 'cmd.exe'"},
		`cmd`:            {`pwsh`, `Image|endswith: '\pwsh.exe'`},
		`exe$`:           {`com*`, `Image|endswith: '\cmd.com*'`},
	} {
		got, err := after(t, rule, strings.Replace(strings.Replace(pipe, "%s", regex, 1), "%s", c.to, 1))
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v, want %s in\n%s", regex, err, c.want, got)
		}
	}
	const fails = "transformations:\n- {type: detection_item_failure, message: no, detection_item_conditions: [{type: match_string, pattern: '^\\*\\\\cmd'}]}"
	if _, err := after(t, rule, fails); err == nil {
		t.Error("the wildcard of endswith is not seen")
	}
}

func TestStrictMapping(t *testing.T) {
	const mapping = "transformations:\n- {type: field_name_mapping, mapping: {User: user.name, Image: [exe, proc]%s}}\n- {type: strict_field_mapping_failure}"
	if _, err := after(t, rule, strings.Replace(mapping, "%s", "", 1)); err == nil || !strings.Contains(err.Error(), "no mapping for the fields CommandLine") {
		t.Errorf("refused with %v", err)
	}
	if _, err := after(t, rule, strings.Replace(mapping, "%s", ", CommandLine: CommandLine", 1)); err != nil {
		t.Errorf("a field that keeps its name is mapped: %v", err)
	}
}

// TestQueryExpression: the list that an expression asks for is a lookup.
func TestQueryExpression(t *testing.T) {
	text := strings.Replace(rule, "User: SYSTEM", "User|expand: '%admins%'", 1)
	const pipe = "transformations:\n- {type: query_expression_placeholders, expression: '{field} in ({id})', mapping: {admins: AdminList}}"
	if got, err := after(t, text, pipe); err != nil || !strings.Contains(got, "User|expand: '%AdminList%'") {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := after(t, strings.Replace(text, "%admins%", "x%admins%", 1), pipe); err == nil || !strings.Contains(err.Error(), "more than a placeholder") {
		t.Errorf("taken: %v", err)
	}
}

func TestExtractFields(t *testing.T) {
	text := strings.Replace(rule, "User: SYSTEM", "User: ['DWORD:5', plain]", 1)
	const pipe = "transformations:\n- {type: extract_fields, regex: '(?P<type>\\w+):(?P<value>\\d+)', field_prefix: reg%s, field_name_conditions: [{type: include_fields, fields: [User]}]}"
	got, err := after(t, text, strings.Replace(pipe, "%s", ", preserve_unmatched: true", 1))
	if err != nil || !strings.Contains(got, "reg.type: DWORD") || !strings.Contains(got, `reg.value: "5"`) || !strings.Contains(got, "User: plain") {
		t.Errorf("%v\n%s", err, got)
	}
	if got, err = after(t, text, strings.Replace(pipe, "%s", "", 1)); err != nil || strings.Contains(got, "plain") {
		t.Errorf("%v\n%s", err, got)
	}
}
