package sigma

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

func TestMatchedAndExplain(t *testing.T) {
	r := mustRule(t, `proc:
  - Image|endswith: '\a.exe'
  - Image|endswith: '\b.exe'
line:
  CommandLine|contains|all:
    - one
    - two
filter:
  User: SYSTEM
kw:
  - evil
condition: proc and line and kw and not filter`, Options{})
	ix, err := NewIndex([]*Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	long := strings.Repeat("é", 1000)
	if len(m.Match(parsed(t, `{"Image":"C:\\b.exe","CommandLine":"TWO one","User":"bob","x":["n","so evil"],"y":"`+long+`"}`))) != 1 {
		t.Fatal("no match")
	}
	var got []string
	for _, c := range m.Matched(0) {
		got = append(got, c.Detection+" "+c.Field+" "+c.Modifiers+" "+c.Want+" "+c.Have)
	}
	want := []string{`proc Image endswith \b.exe C:\b.exe`, `line CommandLine contains|all one TWO one`, `line CommandLine contains|all two TWO one`, `kw   evil so evil`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	m.Match(parsed(t, `{"Image":"C:\\b.exe","User":"system"}`))
	clauses, matched := m.Explain(0)
	if matched || len(clauses) != 6 {
		t.Fatalf("%v with %d clauses", matched, len(clauses))
	}
	for _, c := range clauses {
		switch {
		case c.Field == "User" && (!c.Held || !c.Negated || c.Have != "system"):
			t.Errorf("%+v", c)
		case c.Field == "CommandLine" && (c.Present || c.Held):
			t.Errorf("%+v", c)
		}
	}
}

func TestClausesAreCut(t *testing.T) {
	if got := cut([]byte("x" + strings.Repeat("é", 1000))); len(got) != maxShown-1 || !strings.HasSuffix(got, "é") {
		t.Errorf("%d bytes", len(got))
	}
}

type mapped map[string][][]string

func (m mapped) Paths(_ LogSource, field string) [][]string { return m[field] }

// The first place that holds a value is the field; null is no value, and is there all the same.
func TestPlaces(t *testing.T) {
	places := mapped{
		"Image": {{"Image"}, {"Event", "*", "Image"}, {"process", "executable"}},
		"Host":  {{"host", "name"}},
	}
	r := mustRule(t, "s:\n  Image: a\ncondition: s", Options{})
	ex := mustRule(t, "s:\n  Image|exists: true\ncondition: s", Options{})
	ix, err := NewIndex([]*Rule{r, ex}, places)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	for line, want := range map[string]int{
		`{"Image":"a"}`: 2,
		`{"process":{"executable":"a"},"Image":null}`: 2,
		`{"process":{"executable":"a"},"Image":"b"}`:  1,
		`{"Image":"b","process":{"executable":"a"}}`:  1,
		`{"Event":{"EventData":{"Image":"a"}}}`:       2,
		`{"Event":{"UserData":{"Image":["b","a"]}}}`:  2,
		`{"Event":[{"x":{"Image":"a"}}]}`:             2,
		`{"Event":{"x":{"y":{"Image":"a"}}}}`:         0,
		`{"process":{"executable":null}}`:             1,
		`{"process":"a"}`:                             0,
		`{"process":{"name":"a"},"executable":"a"}`:   0,
	} {
		if got := len(m.Match(parsed(t, line))); got != want {
			t.Errorf("%d matches, want %d: %s", got, want, line)
		}
	}
	// A field that an earlier stage set is read like one of the line.
	e := parsed(t, `{"x":1}`)
	if err := e.SetString(pathOf("process.executable"), "A"); err != nil {
		t.Fatal(err)
	}
	if len(m.Match(e)) != 2 {
		t.Error("a field that was set is not seen")
	}
}

func pathOf(name string) event.Path { return event.MustPath(name) }
