package sigma

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"leat/pkg/event"
)

// reference evaluates a rule on a decoded event in the most obvious way: every comparison is a regular expression over
// texts that encoding/json decoded, and nothing is shared with the index.
type reference struct{ fields map[string]any }

func (r reference) texts(field string) (list []string, there bool) {
	if field == "" {
		for _, v := range r.fields {
			list = appendTexts(list, v, true)
		}
		return list, true
	}
	v, there := r.fields[field]
	return appendTexts(nil, v, false), there
}

func appendTexts(list []string, v any, deep bool) []string {
	switch v := v.(type) {
	case nil:
	case string:
		list = append(list, v)
	case json.Number:
		list = append(list, v.String())
	case bool:
		list = append(list, strconv.FormatBool(v))
	case []any:
		for _, e := range v {
			list = appendTexts(list, e, deep)
		}
	case map[string]any:
		for _, e := range v {
			if deep {
				list = appendTexts(list, e, deep)
			}
		}
	}
	return list
}

func (r reference) node(n *node) bool {
	switch n.kind {
	case isNot:
		return !r.node(n.kids[0])
	case isAnd:
		return !slices.ContainsFunc(n.kids, func(k *node) bool { return !r.node(k) })
	case isOr:
		return slices.ContainsFunc(n.kids, r.node)
	}
	return r.atom(n.atom)
}

func (r reference) atom(a *atom) bool {
	list, there := r.texts(a.field)
	switch a.op {
	case opNull:
		return len(list) == 0
	case opExists:
		return there
	case opAbsent:
		return !there
	case opRef:
		others, _ := r.texts(a.ref)
		return slices.ContainsFunc(list, func(s string) bool {
			return slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(s, o) })
		})
	}
	return slices.ContainsFunc(list, func(s string) bool {
		quoted := regexp.QuoteMeta(a.text)
		switch a.op {
		case opPresent:
			return true
		case opPrefix:
			return regexp.MustCompile("(?is)^" + quoted).MatchString(s)
		case opSuffix:
			return regexp.MustCompile("(?is)" + quoted + "$").MatchString(s)
		case opContains:
			return regexp.MustCompile("(?is)" + quoted).MatchString(s)
		case opExact:
			return regexp.MustCompile("(?is)^" + quoted + "$").MatchString(s)
		case opGlob:
			return regexp.MustCompile("(?i)" + a.glob.expression().String()).MatchString(s)
		case opRegex:
			return a.re.MatchString(s)
		case opCIDR:
			addr, err := netip.ParseAddr(s)
			return err == nil && a.prefix.Contains(addr)
		case opCompare:
			f, err := strconv.ParseFloat(s, 64)
			return err == nil && f > a.num
		}
		panic("an atom that the generator does not make")
	})
}

// generator makes random rules and events over few fields and texts, so that they meet often.
type generator struct{ *rand.Rand }

func (g generator) one(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) text() string {
	words := []string{"a", "b", "ab", "abc", "power", "shell", ".exe", "é", "K", "-enc", " ", "10.0.0.7", "0", "x"}
	var b strings.Builder
	for range g.IntN(5) {
		b.WriteString(words[g.IntN(len(words))])
	}
	return b.String()
}

func (g generator) value() string {
	v := g.text()
	if g.IntN(6) == 0 {
		v += g.one("*", "?", "*b", `\*`)
	}
	return strconv.Quote(v)
}

func (g generator) item(n int) string {
	field := g.one("f", "g", "h", "n")
	key := field + fmt.Sprintf("|%d", n)
	switch g.IntN(14) {
	case 0:
		return fmt.Sprintf("%s: null", field)
	case 1:
		return fmt.Sprintf("%s|exists: %v", field, g.IntN(2) == 0)
	case 2:
		return fmt.Sprintf("%s|re: '%s'", field, g.one("a+b", "power.*l", "(abc|exe)x", "^a", "[^a-z]$", "(?i)K"))
	case 3:
		return fmt.Sprintf("%s|cidr: %s", field, g.one("10.0.0.0/8", "0.0.0.0/0", "fe80::/10"))
	case 4:
		return fmt.Sprintf("%s|gt: %d", field, g.IntN(12))
	case 5:
		return fmt.Sprintf("%s|fieldref: %s", field, g.one("f", "g", "h"))
	}
	_ = key
	mod := g.one("", "", "|contains", "|startswith", "|endswith", "|contains|all", "|neq")
	var vals []string
	for range 1 + g.IntN(3) {
		vals = append(vals, g.value())
	}
	if g.IntN(8) == 0 {
		for range 10 {
			vals = append(vals, g.value())
		}
	}
	return fmt.Sprintf("%s%s: [%s]", field, mod, strings.Join(vals, ", "))
}

func (g generator) detection() string {
	var b strings.Builder
	names := []string{"a", "b", "c"}
	for _, n := range names {
		if g.IntN(6) == 0 {
			fmt.Fprintf(&b, "%s:\n  - %s\n  - %s\n", n, strconv.Quote("k"+g.text()), strconv.Quote(g.text()+"b"))
			continue
		}
		first := g.item(0)
		fmt.Fprintf(&b, "%s:\n  %s\n", n, first)
		second := g.item(1)
		if f, _, _ := strings.Cut(first, ":"); !strings.HasPrefix(second, f+":") {
			fmt.Fprintf(&b, "  %s\n", second)
		}
	}
	fmt.Fprintf(&b, "condition: %s", g.one("a", "a and b", "a or b", "a and not b", "not a", "1 of them", "all of them",
		"a and (b or not c)", "not (a or b) and c", "a or (b and c)"))
	return b.String()
}

func (g generator) event() string {
	fields := map[string]any{}
	for _, f := range []string{"f", "g", "h", "n"} {
		switch g.IntN(8) {
		case 0:
		case 1:
			fields[f] = nil
		case 2:
			fields[f] = g.IntN(20)
		case 3:
			fields[f] = []any{g.text(), g.text(), nil}
		default:
			fields[f] = g.text()
		}
	}
	line, _ := json.Marshal(fields)
	return string(line)
}

func TestIndexAgainstReference(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(11, 12))}
	hits := 0
	for range 30 {
		var rules []*Rule
		for range 60 {
			rules = append(rules, mustRule(t, g.detection(), Options{}))
		}
		ix, err := NewIndex(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := ix.NewMatcher()
		for range 60 {
			line := g.event()
			got := slices.Clone(m.Match(parsed(t, line)))
			dec := json.NewDecoder(strings.NewReader(line))
			dec.UseNumber()
			ref := reference{}
			if err := dec.Decode(&ref.fields); err != nil {
				t.Fatal(err)
			}
			for i, r := range rules {
				want := ref.node(r.root)
				if has := slices.Contains(got, int32(i)); has != want {
					t.Fatalf("the index says %v, the reference %v: %s\n%s", has, want, line, dump(r.root))
				}
				if _, plain := m.Explain(int32(i)); plain != want {
					t.Fatalf("the plain program says %v, the reference %v: %s\n%s", plain, want, line, dump(r.root))
				}
				if want {
					hits++
				}
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d matches: the test proves little", hits)
	}
}

func dump(n *node) string {
	if n.kind == isAtom {
		return fmt.Sprintf("%s|%s: %q", n.atom.field, n.atom.mods, n.atom.shown)
	}
	var kids []string
	for _, k := range n.kids {
		kids = append(kids, dump(k))
	}
	return [...]string{"", "and", "or", "not"}[n.kind] + "(" + strings.Join(kids, ", ") + ")"
}

// TestGrams compares the scan with strings.Contains over needles of every length.
func TestGrams(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcd\xc3\xa9"[rnd.IntN(6)]
		}
		return string(b)
	}
	for range 300 {
		var needles []gramRef
		for i := range 1 + rnd.IntN([]int{40, 400}[rnd.IntN(2)]) {
			needles = append(needles, gramRef{text: word(1 + rnd.IntN(12)), id: int32(i)})
		}
		g := newGrams(needles)
		ix := &Index{marks: make([][]int32, len(needles))}
		m := &Matcher{ix: ix, found: make([]uint32, len(needles)), state: make([]uint32, len(needles))}
		for range 20 {
			m.now += 2
			text := word(rnd.IntN(60))
			g.scan([]byte(text), m)
			for _, n := range needles {
				if got, want := m.wasHit(n.id), strings.Contains(text, n.text); got != want {
					t.Fatalf("%q in %q: %v", n.text, text, got)
				}
			}
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	rules := []*Rule{
		mustRule(t, "s:\n  a|contains: [powershell, cmd]\n  b|endswith: .exe\ncondition: s", Options{}),
		mustRule(t, "k:\n  - evil\ncondition: k", Options{}),
		mustRule(t, "s:\n  ip|cidr: 10.0.0.0/8\n  p|gt: 5\n  c|re: 'x[0-9]+y'\n  a|fieldref: b\ncondition: s", Options{}),
	}
	ix, err := NewIndex(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	line := []byte(`{"a":"C:\\Windows\\PowerShell","b":"c:\\x.dll","ip":"no address","p":"7x","c":"x12y","d":["Ä","b"],"e":{"f":null}}`)
	var e event.Event
	run := func() {
		e.Reset(line)
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		if len(m.Match(&e)) != 0 {
			t.Fatal("a match")
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n > 1 { // strconv makes an error for 7x
		t.Errorf("%v allocations per event", n)
	}
}

func TestMatcherSurvivesItsCounters(t *testing.T) {
	ix, err := NewIndex([]*Rule{mustRule(t, "s:\n  a: x\nn:\n  b: null\ncondition: s and n", Options{})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	yes, no := parsed(t, `{"a":"x"}`), parsed(t, `{"b":"x"}`)
	m.now, m.r.epoch = ^uint32(0)-5, ^uint32(0)-2
	for range 10 {
		if len(m.Match(yes)) != 1 || len(m.Match(no)) != 0 {
			t.Fatalf("wrong at %d", m.now)
		}
	}
}
