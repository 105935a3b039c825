package sigma

import (
	"strings"
	"testing"
)

// lettersRule has the detections a to d and _x, each true where the event has that field.
func lettersRule(condition string) string {
	return "a:\n  a: 1\nb:\n  b: 1\nc_one:\n  c: 1\nc_two:\n  d: 1\n_x:\n  x: 1\ncondition: " + condition
}

func TestConditions(t *testing.T) {
	for _, c := range []struct{ condition, yes, no string }{
		{"a", "a", "b"},
		{"not a", "b", "a"},
		{"not not a", "a", "b"},
		{"a and b", "ab", "a"},
		{"a or b", "b", "c"},
		{"a or b and c_one", "a", "b"},
		{"(a or b) and c_one", "bc", "a"},
		{"not a and b", "b", "ab"},
		{"not (a and b)", "a", "ab"},
		{"not a or b", "ab", "a"},
		{"1 of c_*", "d", "ab"},
		{"all of c_*", "cd", "c"},
		{"any of c_*", "c", "a"},
		{"1 of *one", "c", "d"},
		{"1 of c*o", "d", "c"},
		{"1 of them", "d", "x"},
		{"all of them", "abcd", "abcx"},
		{"not 1 of c_*", "ab", "c"},
		{"a and not 1 of c_*", "a", "ad"},
		{"a AND NOT b", "a", "ab"},
		{"1 of _*", "x", "a"},
		{"((a))", "a", "b"},
	} {
		k := languageCase{c.condition, lettersRule("'" + c.condition + "'"), []string{letters(c.yes)}, []string{letters(c.no)}}
		t.Run(c.condition, func(t *testing.T) { k.run(t, Options{}) })
	}
	k := languageCase{"", lettersRule("\n  - a and b\n  - c_one"), []string{letters("ab"), letters("c")}, []string{letters("a")}}
	t.Run("a list of conditions", func(t *testing.T) { k.run(t, Options{}) })
}

func letters(set string) string {
	var parts []string
	for _, c := range set {
		parts = append(parts, `"`+string(c)+`":1`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestConditionFaults(t *testing.T) {
	for condition, want := range map[string]string{
		"":                "empty condition",
		"a and":           "ends where a detection's name is expected at character 6",
		"(a or b":         "expected ), found the end",
		"a b":             `expected and, or or the end, found "b" at character 3`,
		"nothing":         `no detection "nothing"; there are: a, b`,
		"1 of nothing*":   `"nothing*" matches no detection`,
		"3 of them":       `"3" of: expected 1, any or all`,
		"a | count() > 5": `expected and, or or the end, found "|"`,
		"1 of":            "expected them or a pattern, found the end",
		")":               "unexpected )",
		strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100): "nested deeper than 64",
	} {
		_, faults := ParseFile("t.yml", []byte(ruleText("a:\n  a: 1\nb:\n  b: 1\ncondition: '"+condition+"'")), Options{})
		if len(faults) != 1 || !strings.Contains(faults[0].Reason, want) {
			t.Errorf("%q: %v, want %q", condition, faults, want)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a and not (b or 1 of c*)", "all of them", "not not a", "((", "1 of", "a | count() by x > 3"} {
		f.Add(s)
	}
	names := []string{"a", "b", "c1", "_d"}
	look := map[string]*node{}
	for _, n := range names {
		look[n] = &node{atom: &atom{field: n, op: opPresent}}
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseCondition(s, "detection", names, look)
		if (n == nil) == (err == nil) {
			t.Fatalf("%v, %v", n, err)
		}
		if err == nil && depth(n) > 4*maxDepth {
			t.Fatalf("depth %d", depth(n))
		}
	})
}

func depth(n *node) int {
	most := 0
	for _, k := range n.kids {
		most = max(most, depth(k))
	}
	return most + 1
}
