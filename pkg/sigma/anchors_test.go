package sigma

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAnchors compares the tables of whole texts, beginnings and endings with package strings.
func TestAnchors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab\\é"[rnd.IntN(5)]
		}
		return string(b)
	}
	for range 200 {
		var a anchors
		type want struct {
			op   op
			text string
		}
		var list []want
		for id := range 40 {
			w := want{op(rnd.IntN(3)), word(1 + rnd.IntN(70))}
			if id == 0 {
				w = want{opExact, ""}
			}
			list = append(list, w)
			a.add(w.op, w.text, int32(id))
		}
		a.build()
		m := &Matcher{ix: &Index{marks: make([][]int32, len(list))}, found: make([]uint32, len(list)), state: make([]uint32, len(list))}
		for range 40 {
			m.now += 2
			text := word(rnd.IntN(6))
			if pick := list[rnd.IntN(len(list))].text; rnd.IntN(3) > 0 {
				text = []string{pick, pick + text, text + pick}[rnd.IntN(3)]
			}
			a.scan([]byte(text), m)
			for id, w := range list {
				holds := map[op]bool{
					opExact: text == w.text, opPrefix: strings.HasPrefix(text, w.text), opSuffix: strings.HasSuffix(text, w.text),
				}[w.op]
				if got := m.wasHit(int32(id)); got != holds {
					t.Fatalf("%v %q on %q: %v", w.op, w.text, text, got)
				}
			}
		}
	}
}

// TestManyFields fills the table of names far beyond its first size, with names that collide by length and ends.
func TestManyFields(t *testing.T) {
	f := newFieldSet()
	for i := range 3000 {
		name := fmt.Sprintf("field%04dx", i)
		if s := f.slot(name, [][]string{{name}, {"event", name}}); s != int32(i) {
			t.Fatalf("slot %d, want %d", s, i)
		}
	}
	if f.slot("field0007x", [][]string{{"field0007x"}, {"event", "field0007x"}}) != 7 {
		t.Error("equal places have two slots")
	}
	r := newReading(f, false)
	for i := 0; i < 3000; i += 7 {
		name := fmt.Sprintf("field%04dx", i)
		r.read(parsed(t, `{"event":{"`+name+`":"B","other":1},"x":2}`))
		if v := r.first(int32(i)); v < 0 || string(r.vals[v].folded) != "b" || string(r.vals[v].text) != "B" || len(r.touched) != 1 {
			t.Fatalf("%s: value %d, %d touched", name, v, len(r.touched))
		}
		if r.exists(int32((i + 1) % 3000)) {
			t.Fatalf("the field behind %s is there", name)
		}
	}
	if f.root.find(nil) != nil || (&level{}).find([]byte("a")) != nil {
		t.Error("a name that is not there was found")
	}
}

// Of values that are there twice or deep within arrays, none is lost to keywords or fields, and none is told twice.
func TestReadingEverything(t *testing.T) {
	f := newFieldSet()
	slot := f.slot("a", [][]string{{"a"}})
	r := newReading(f, true)
	r.read(parsed(t, `{"a":"1","b":{"c":["2",{"d":"3","e":[["4"]]}]},"a":"5","n":null,"t":true,"o":{},"l":[]}`))
	var words, vals []string
	for i := r.word(0); i >= 0; i = r.word(i + 1) {
		words = append(words, string(r.vals[i].text))
	}
	for i := r.first(slot); i >= 0; i = r.vals[i].next {
		vals = append(vals, string(r.vals[i].text))
	}
	if got := strings.Join(words, " "); got != "1 2 3 4 5 true" {
		t.Errorf("words %s", got)
	}
	if got := strings.Join(vals, " "); got != "1 5" {
		t.Errorf("values %s", got)
	}
}

func TestLogSources(t *testing.T) {
	win := LogSource{Product: "windows", Category: "process_creation", Service: "sysmon"}
	for _, c := range []struct {
		rule LogSource
		want bool
	}{
		{LogSource{}, true},
		{LogSource{Product: "windows"}, true},
		{LogSource{Product: "windows", Service: "sysmon"}, true},
		{LogSource{Product: "linux", Category: "process_creation"}, false},
		{LogSource{Product: "windows", Service: "security"}, false},
	} {
		if got := c.rule.Admits(win); got != c.want {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
	if got := (LogSource{Service: "x"}).String(); got != "-/-/x" {
		t.Error(got)
	}
	for l := LevelInformational; l <= LevelCritical; l++ {
		if got, ok := parseLevel(l.String()); !ok || got != l {
			t.Errorf("%v became %v", l, got)
		}
	}
	if _, ok := parseLevel(""); ok {
		t.Error("no level is a level")
	}
}

func TestRuleWithoutParser(t *testing.T) {
	if _, err := NewIndex([]*Rule{{Meta: Meta{Title: "made by hand"}}}, nil); err == nil {
		t.Error("a rule without a condition is compiled")
	}
	ix, err := NewIndex(nil, nil)
	if err != nil || len(ix.NewMatcher().Match(parsed(t, `{"a":1}`))) != 0 || len(ix.Rules()) != 0 {
		t.Error("no rules are not nothing", err)
	}
}

// A pattern that can go back again and again does not go back for ever.
func TestHostilePatterns(t *testing.T) {
	p := parsePattern(strings.Repeat("a*", 30) + "b")
	if p.match([]byte(strings.Repeat("a", 20_000))) {
		t.Error("matches")
	}
}
