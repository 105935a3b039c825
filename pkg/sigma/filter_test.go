package sigma

import (
	"slices"
	"strings"
	"testing"
)

func filterOf(rules, condition string) string {
	return "title: F\nlogsource: {product: x}\nfilter:\n    " + rules + "\n    s: {g: good}\n    s2: {g: fine}\n    condition: " + condition + "\n---\n"
}

// matches tells which of the set's rules match an event, by their names.
func matches(t *testing.T, s *Set, line string) string {
	t.Helper()
	ix, err := NewIndex(s.Rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range ix.NewMatcher().Match(parsed(t, line)) {
		out = append(out, s.Rules[i].Name)
	}
	return strings.Join(out, " ")
}

// A filter takes matches away: its condition names what goes, as the specification's example does, or what stays, as pySigma has it.
func TestFilters(t *testing.T) {
	for _, c := range []struct{ rules, condition, filtered string }{
		{"rules: [a]", "s", "a"},
		{"rules: [a]", "not s", "a"},
		{"rules: a", "s", "a"},
		{"rules: [b0000000-0000-4000-8000-000000000001, a]", "s", "a b"},
		{"rules: any", "s", "a b"},
		{"rules: any", "1 of s*", "a b"},
		{"rules: any", "not 1 of s*", "a b"},
		{"rules: any", "s or s2", "a b"},
		{"rules: any", "not s and not s2", "a b"},
		{"rules: any", "[s, s2]", "a b"},
		{"rules: any", "all of them", ""},
		{"rules: any", "not (s and s2)", ""},
	} {
		s := linkedSet(base + filterOf(c.rules, c.condition))
		if len(s.Faults) > 0 || len(s.Filters) != 1 {
			t.Errorf("%s %s: %v", c.rules, c.condition, s.Faults)
			continue
		}
		for _, f := range []string{"a", "b", "c"} {
			if got := matches(t, s, `{"f":"`+f+`","g":"bad"}`); got != f {
				t.Errorf("%s, %s: %s raises %q where the filter has nothing to say", c.rules, c.condition, f, got)
			}
			want := f
			if slices.Contains(strings.Fields(c.filtered), f) {
				want = ""
			}
			if got := matches(t, s, `{"f":"`+f+`","g":"GOOD"}`); got != want {
				t.Errorf("%s, %s: %s raises %q, want %q", c.rules, c.condition, f, got, want)
			}
		}
	}
}

func TestFilterFaults(t *testing.T) {
	good := base + filterOf("rules: [a]", "s")
	for _, c := range []struct{ name, from, to, key, reason string }{
		{"a rule that is not there", "[a]", "[nobody]", "filter.rules", `no rule with the id or name "nobody"`},
		{"another log source", "[a]", "[c]", "filter.rules", "the rule \"c\" is of log source z/-/-, the filter of x/-/-"},
		{"what goes and what stays", "condition: s\n", "condition: s and not s2\n", "filter.condition", "can't be told; write not (…)"},
		{"no rules", "    rules: [a]\n", "", "filter.rules", "is missing; any stands for"},
		{"an empty list", "[a]", "[]", "filter.rules", "expected any, or a list"},
		{"no condition", "    condition: s\n", "", "filter.condition", "is missing"},
		{"a condition of nothing", "condition: s\n", "condition: s3\n", "filter.condition", `no detection "s3"`},
		{"no log source", "title: F\nlogsource: {product: x}\n", "title: F\n", "logsource", "is missing"},
		{"an unknown modifier", "{g: good}", "{g|gut: good}", "filter.s.g|gut", "no modifier"},
		{"a list", "filter:\n    rules: [a]\n    s: {g: good}\n    s2: {g: fine}\n    condition: s\n", "filter: []\n", "filter", "expected a table"},
	} {
		if !strings.Contains(good, c.from) {
			t.Fatal("the test does not replace anything")
		}
		s := linkedSet(strings.Replace(good, c.from, c.to, 1))
		if len(s.Faults) == 0 || s.Faults[0].Key != c.key || !strings.Contains(s.Faults[0].Reason, c.reason) || s.Faults[0].Text == "" {
			t.Errorf("%s: %v", c.name, s.Faults)
		}
		if matches(t, s, `{"f":"a","g":"good"}`) != "a" {
			t.Errorf("%s: a faulty filter works", c.name)
		}
	}
	s := linkedSet(base + chain("x", "a") + filterOf("rules: [x]", "s"))
	if len(s.Faults) != 1 || !strings.Contains(s.Faults[0].Reason, "is a correlation") {
		t.Errorf("%v", s.Faults)
	}
}

// A filter may come before its rules and from another file, and explain shows its clauses.
func TestFilterOfAnotherFile(t *testing.T) {
	s := Parse("filters.yml", []byte(filterOf("rules: any", "s")), Options{})
	s.Add(Parse("rules.yml", []byte(base), Options{}))
	s.Link()
	if len(s.Faults) > 0 || !slices.Equal(s.Rules[0].Filters, []string{"F"}) || s.Rules[2].Filters != nil {
		t.Fatal(s.Faults, s.Rules[0].Filters)
	}
	ix, err := NewIndex(s.Rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	m.Match(parsed(t, `{"f":"a","g":"good"}`))
	clauses, matched := m.Explain(0)
	if matched || len(clauses) != 2 || clauses[1].Field != "g" || !clauses[1].Held || !clauses[1].Negated {
		t.Errorf("%v %+v", matched, clauses)
	}
}
