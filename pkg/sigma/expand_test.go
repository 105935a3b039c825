package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseLookup(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\n# no value\n\n  b c  \r\n", "a|b c"},
		{"- a\n- 'b: c'\n- 0x10\n", "a|b: c|16"},
		{`["a", "b"]`, "a|b"},
		{"srv*\n-dash\n", "srv*|-dash"},
	} {
		got, err := ParseLookup("l", []byte(c.in))
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
	}
	for in, want := range map[string]string{
		"":                                 "no values",
		"# nothing\n":                      "no values",
		"[]":                               "no values",
		"- a\n- [b]\n":                     "l:2: expected a value",
		"- a\n- ~\n":                       "l:2: expected a value",
		"[a":                               "not YAML",
		strings.Repeat("x\n", maxLookup+1): "more than",
	} {
		if got, err := ParseLookup("l", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %d values, %v; want %s", in, len(got), err, want)
		}
	}
}

func TestExpandMeans(t *testing.T) {
	look := Lookups{"admins": {"root", "adm*"}, "net": {"10.0.0.1"}}
	for _, c := range []struct{ value, event string }{
		{`%admins%`, "root"}, {`%admins%`, "ADMIN"}, {`x-%admins%-%net%`, "x-root-10.0.0.1"}, {`\%plain%net%`, "%plain10.0.0.1"},
		{`100\%`, "100%"},
	} {
		text := ruleText(fmt.Sprintf("s:\n  a|expand: '%s'\ncondition: s", c.value))
		rules, faults := ParseFile("t.yml", []byte(text), Options{Placeholder: look.Placeholder})
		if len(faults) > 0 {
			t.Errorf("%s: %v", c.value, faults)
			continue
		}
		ix, err := NewIndex(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := ix.NewMatcher()
		if len(m.Match(parsed(t, `{"a":"`+c.event+`"}`))) != 1 || len(m.Match(parsed(t, `{"a":"other"}`))) != 0 {
			t.Errorf("%s does not find %s alone", c.value, c.event)
		}
	}
	_, faults := ParseFile("t.yml", []byte(ruleText("s:\n  a|expand: '%nobody%'\ncondition: s")), Options{Placeholder: look.Placeholder})
	if len(faults) != 1 || !strings.Contains(faults[0].Reason, "no values for the placeholder %nobody%; give a file of them (--lookup nobody=FILE)") {
		t.Errorf("%v", faults)
	}
}

// A long list of values is one look-up.
func TestExpandMany(t *testing.T) {
	var many []string
	for i := range 50_000 {
		many = append(many, fmt.Sprintf("host-%d", i))
	}
	look := Lookups{"hosts": many}
	rules, faults := ParseFile("t.yml", []byte(ruleText("s:\n  a|expand: '%hosts%'\ncondition: s")), Options{Placeholder: look.Placeholder})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	ix, err := NewIndex(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	if len(m.Match(parsed(t, `{"a":"HOST-49999"}`))) != 1 || len(m.Match(parsed(t, `{"a":"host-50000"}`))) != 0 {
		t.Error("the last of many values")
	}
	look["hosts"] = slices.Repeat(many, 3)
	if _, faults := ParseFile("t.yml", []byte(ruleText("s:\n  a|expand: '%hosts%%hosts%'\ncondition: s")), Options{Placeholder: look.Placeholder}); len(faults) != 1 {
		t.Error("a product of lists without end")
	}
}

func FuzzParseLookup(f *testing.F) {
	f.Add([]byte("- a\n- *b\n"))
	f.Add([]byte("a\r\n#b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if vals, err := ParseLookup("l", data); err == nil && len(vals) == 0 {
			t.Fatal("no values and no error")
		}
	})
}
