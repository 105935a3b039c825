package intel

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"leat/pkg/dimension"
)

// TestIndexGrows: what was put in is found through every growth, and nothing else is.
func TestIndexGrows(t *testing.T) {
	const n = 20_000
	value := func(row uint32) []byte { return fmt.Appendf(nil, "h%d.example", row) }
	x := index{key: func(row uint32) (Kind, []byte) { return Domain, value(row) }}
	if _, ok := x.find(Domain, value(0)); ok {
		t.Error("something is in an empty index")
	}
	for row := range uint32(n) {
		x.insert(row)
	}
	for row := range uint32(n) {
		if got, ok := x.find(Domain, value(row)); !ok || got != row {
			t.Fatalf("row %d: got %d, %v", row, got, ok)
		}
		if _, ok := x.find(URL, value(row)); ok {
			t.Fatalf("row %d is found as another kind", row)
		}
		if _, ok := x.find(Domain, value(row+n)); ok {
			t.Fatalf("what is not there is found: %s", value(row+n))
		}
	}
	if 3*x.used > 2*len(x.slots)+3 {
		t.Errorf("%d of %d slots are in use", x.used, len(x.slots))
	}
}

// TestFilter: it never denies what is in it, and lets little else pass.
func TestFilter(t *testing.T) {
	const n = 50_000
	x := newIndex(1, nil)
	hash := func(i int) uint64 { return x.hash(URL, fmt.Appendf(nil, "http://a.example/%d", i)) }
	f := newFilter(n)
	for i := range n {
		f.add(hash(i))
	}
	wrong := 0
	for i := range n {
		if !f.may(hash(i)) {
			t.Fatalf("%d is denied", i)
		}
		if f.may(hash(i + n)) {
			wrong++
		}
	}
	if wrong > n/50 {
		t.Errorf("%d of %d pass in error", wrong, n)
	}
	if newFilter(0).may(1) {
		t.Error("something is in an empty filter")
	}
}

func TestArena(t *testing.T) {
	var a arena
	if a.get(a.add(nil)) != nil {
		t.Error("the empty text is not empty")
	}
	var refs []ref
	text := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, i%4000) }
	for i := range 4000 {
		refs = append(refs, a.add(text(i)))
	}
	for i, r := range refs {
		if !bytes.Equal(a.get(r), text(i)) {
			t.Fatalf("text %d is another", i)
		}
	}
	if len(a.chunks) < 2 {
		t.Errorf("%d chunks", len(a.chunks))
	}
	if got := a.get(a.add(bytes.Repeat([]byte("x"), 1<<17))); len(got) != 1<<16-1 {
		t.Errorf("a long text has %d bytes", len(got))
	}
}

func TestSets(t *testing.T) {
	var s sets
	a := s.with(0, 3)
	b := s.with(a, 700)
	if s.with(a, 3) != a || s.with(b, 3) != b || s.with(0, 3) != a || s.with(a, 700) != b || a == b || s.with(0, 700) == a {
		t.Error("sets are confused")
	}
	if got := fmt.Sprint(s.list[b]); got != "[3 700]" {
		t.Errorf("got %s", got)
	}
}

// TestTextsAreBounded: a hostile feed's free text is cut, at a letter's end, and its tags are few.
func TestTextsAreBounded(t *testing.T) {
	c := &collector{}
	i := &indicator{description: strings.Repeat("ü", maxText), confidence: 50}
	for n := range 2 * maxTags {
		i.tags = append(i.tags, fmt.Sprintf("%03d", n)+strings.Repeat("é", 300))
	}
	c.add(0, []byte("a.example"), Domain, i, 50)
	conf := 50
	w := newTableWriter(dimension.Limits{})
	tab, err := w.write(c, []*Feed{{Name: "f", Provider: "p", Confidence: &conf}}, []uint32{1})
	if err != nil {
		t.Fatal(err)
	}
	if d := unquote(tab.Cell(0, numDescription)); len(d) > maxText || bytes.Contains(d, []byte("\uFFFD")) || len(d) < maxText-2 {
		t.Errorf("%d bytes of description", len(d))
	}
	tags := rows(t, tab)["a.example"]["tags"].([]any)
	if len(tags) != maxTags || strings.Contains(tags[0].(string), "\uFFFD") || len(tags[0].(string)) > 256 {
		t.Errorf("%d tags, the first %q", len(tags), tags[0])
	}
}

// TestColumns: the numbers of the columns are their places.
func TestColumns(t *testing.T) {
	names := Columns()
	for at, want := range map[int]string{numIndicator: colIndicator, numKind: colKind, numBlock: colBlock, numType: colType, numConfidence: colConfidence, numLevel: colLevel,
		numSeverity: colSeverity, numValidFrom: colValidFrom, numValidTo: colValidTo, numFirstSeen: colFirstSeen, numLastSeen: colLastSeen, numAdded: colAdded,
		numProvider: colProvider, numFeed: colFeed, numFeeds: colFeeds, numReference: colReference, numDescription: colDescription, numName: colName, numTags: colTags,
		numTLP: colTLP, numID: colID} {
		if names[at] != want {
			t.Errorf("column %d is %q, want %q", at, names[at], want)
		}
	}
	if len(names) != numID+1 {
		t.Errorf("%d columns", len(names))
	}
	for _, f := range Fields() {
		found := false
		for _, n := range names {
			found = found || n == f[1]
		}
		if !found {
			t.Errorf("%s is from no column: %q", f[0], f[1])
		}
	}
}

func TestRowLimit(t *testing.T) {
	dir := write(t, t.TempDir(), "f.txt", "192.0.2.1\n192.0.2.2\n")
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "f.txt"}}, Allow: Allow{Builtin: no()}}, dir, nil)
	s.env.Limits.Rows = 1
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), "max_rows") {
		t.Errorf("got %v", err)
	}
}

// TestKinds: every kind has a name of its own, is found by it, and has a type of ECS.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for k := Unknown + 1; k < kinds; k++ {
		if seen[k.String()] || kindOf(k.String()) != k || kindOfCell([]byte(`"`+k.String()+`"`)) != k || ecsType(k, []byte("1.2.3.0/24")) == "" {
			t.Errorf("kind %d: %q", k, k)
		}
		seen[k.String()] = true
	}
	if ecsType(CIDR, []byte("2001:db8::/32")) != "ipv6-addr" || kindOf("x") != Unknown {
		t.Error("a kind is confused")
	}
}

func TestLevels(t *testing.T) {
	for n, want := range map[int]string{0: "None 21", 1: "Low 21", 29: "Low 21", 30: "Medium 47", 69: "Medium 47", 70: "High 73", 100: "High 73"} {
		if got := fmt.Sprint(levelOf(n), " ", severityOf(n)); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	for in, want := range map[string]string{"TLP:WHITE": "CLEAR", "tlp:clear": "CLEAR", "Green": "GREEN", "amber": "AMBER", "TLP:AMBER+STRICT": "AMBER+STRICT", "red": "RED", "blue": "", "": ""} {
		if got := tlpOf(in); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]int64{
		"2026-11-24T12:00:00Z": noon.Unix(), "2026-11-24 12:00:00": noon.Unix(), "2026-11-24 12:00:00 UTC": noon.Unix(), "2026-11-24T12:00:00.000+00:00": noon.Unix(),
		"2026-11-24": noon.Unix() - 12*3600, "1795521600": noon.Unix(), "": 0, "yesterday": 0, "99999999999999": 0, "-5": 0, "2026-13-40": 0,
	} {
		if got := parseTime(in); got != want*1e9 {
			t.Errorf("%q: got %d, want %d", in, got/1e9, want)
		}
	}
}

func TestCover(t *testing.T) {
	set := listed(t, "10.0.0.0/9", "192.0.2.128/25", "2001:db8::/32", "fc00::/19")
	for addr, want := range map[string]bool{"10.127.255.255": true, "10.128.0.0": false, "192.0.2.1": true, "192.0.3.1": false, "2001:db8::1": true, "2001:1::": true,
		"2002::": false, "fc00:1::": true, "fc01::": false} {
		a, ok := parseAddr([]byte(addr))
		if !ok || set.near.may(a) != want {
			t.Errorf("%s: not %v", addr, want)
		}
	}
}
