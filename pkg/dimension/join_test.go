package dimension

import (
	"encoding/csv"
	"fmt"
	"math/rand"
	"net/netip"
	"strings"
	"testing"
)

// TestExactAgainstNaive: random tables with several aliases, duplicates and odd letters give what a scan of the rows does.
func TestExactAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	word := func() string {
		letters := []string{"a", "A", "b", "é", "É", "ß", "σ", "ς", "Σ", "ı", "I", " ", "K", "\xff", "ő"}
		var b strings.Builder
		for range r.Intn(4) {
			b.WriteString(letters[r.Intn(len(letters))])
		}
		return b.String()
	}
	for round := range 150 {
		fold := round%2 == 0
		var rows [][]string
		var text strings.Builder
		w := csv.NewWriter(&text)
		_ = w.Write([]string{"id", "sam", "n"})
		for i := range 1 + r.Intn(60) {
			row := []string{word(), word(), fmt.Sprint(i)}
			rows = append(rows, row)
			_ = w.Write(row)
		}
		w.Flush()
		s, err := build(t, text.String(), Shape{Join: Exact, Fold: fold}, "id", "sam")
		if err != nil {
			if strings.Contains(err.Error(), "no row has a key") {
				continue
			}
			t.Fatal(err)
		}
		same := func(a, b string) bool {
			// A table keeps what is not UTF-8 as U+FFFD.
			a, b = string([]rune(strings.TrimSpace(a))), string([]rune(strings.TrimSpace(b)))
			if fold {
				a, b = strings.ToLower(strings.ToUpper(a)), strings.ToLower(strings.ToUpper(b))
			}
			return a == b && a != ""
		}
		for range 200 {
			key := string([]rune(word()))
			want := -1
			for col := 0; col < 2 && want < 0; col++ {
				for i, row := range rows {
					if same(row[col], key) {
						want = i
						break
					}
				}
			}
			k := s.AppendKey(nil, []byte(key))
			got := -1
			if len(k) > 0 {
				got = s.Find(k, 0)
			}
			if got != want {
				t.Fatalf("key %q (fold %v): row %d, want %d\n%s", key, fold, got, want, text.String())
			}
		}
	}
}

func TestAliases(t *testing.T) {
	s, err := buildObjects(t, Shape{Join: Exact, Keys: templates(t, "k", "m", `{k}@{m}`)},
		`{"k":["a","b"],"m":"x"}`, `{"k":"c","m":"a"}`, `{"k":"c","m":"d"}`, `{"m":"e"}`)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"a": 0, "b": 0, "x": 0, "c": 1, "d": 2, "e": 3, "c@a": 1, "c@d": 2, "@e": -1, `["a","b"]@x`: 0, "y": -1} {
		if got := s.Find([]byte(key), 0); got != want {
			t.Errorf("key %q: row %d, want %d", key, got, want)
		}
	}
	// c is in rows 2 and 3; a is row 2's m, but row 1's k.
	if s.Duplicates != 2 {
		t.Errorf("%d duplicates, want 2", s.Duplicates)
	}
}

func TestExactGrows(t *testing.T) {
	x := newExact(0, 7)
	for i := range 10_000 {
		if _, fresh, err := x.insert(fmt.Appendf(nil, "k%d", i), uint32(i)); !fresh || err != nil {
			t.Fatal(i, err)
		}
	}
	for i := range 10_000 {
		if got := x.find(fmt.Appendf(nil, "k%d", i)); got != i {
			t.Fatalf("k%d is row %d", i, got)
		}
	}
	if got := x.find([]byte("k10000")); got != -1 {
		t.Errorf("k10000 is row %d", got)
	}
}

func randomAddr(r *rand.Rand) netip.Addr {
	// Few different bits, so that blocks overlap and addresses hit them.
	if r.Intn(2) == 0 {
		return netip.AddrFrom4([4]byte{10, byte(r.Intn(3)), byte(r.Intn(4) * 64), byte(r.Intn(256))})
	}
	b := [16]byte{0: 0xfd, 7: byte(r.Intn(3)), 8: byte(r.Intn(2) * 128), 15: byte(r.Intn(256))}
	return netip.AddrFrom16(b)
}

// TestCIDRAgainstNaive: the longest of all prefixes that contain the address, the first row of equal ones.
func TestCIDRAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	for range 150 {
		var prefixes []netip.Prefix
		text := "k\n"
		for range 1 + r.Intn(80) {
			a := randomAddr(r)
			p := netip.PrefixFrom(a, r.Intn(a.BitLen()+1))
			prefixes = append(prefixes, p.Masked())
			switch {
			case p.IsSingleIP() && r.Intn(2) == 0:
				text += a.String() + "\n"
			case a.Is4() && r.Intn(4) == 0:
				text += fmt.Sprintf("::ffff:%s/%d\n", a, p.Bits()+96)
			default:
				text += p.String() + "\n"
			}
		}
		s, err := build(t, text, Shape{Join: CIDR}, "k")
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			a := randomAddr(r)
			want := -1
			for i, p := range prefixes {
				if p.Contains(a) && (want < 0 || p.Bits() > prefixes[want].Bits()) {
					want = i
				}
			}
			key := a.String()
			if a.Is4() && r.Intn(3) == 0 {
				key = "::ffff:" + key
			}
			if a.Is6() && r.Intn(3) == 0 {
				key += "%eth0"
			}
			if got := s.Find([]byte(key), 0); got != want {
				t.Fatalf("%s: row %d, want %d of\n%s", key, got, want, text)
			}
		}
	}
}

// TestRangesAgainstNaive: the narrowest range that covers the value; ranges may overlap in any way.
func TestRangesAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(9))
	for round := range 150 {
		type pair struct{ first, last int64 }
		var all []pair
		text := "k,l\n"
		show := func(n int64) string { return fmt.Sprint(n) }
		if round%2 == 0 {
			show = func(n int64) string { return netip.AddrFrom4([4]byte{10, 0, 0, byte(n + 100)}).String() }
		}
		for range 1 + r.Intn(40) {
			p := pair{first: int64(r.Intn(150) - 100)}
			p.last = p.first + int64(r.Intn(50))
			all = append(all, p)
			text += show(p.first) + "," + show(p.last) + "\n"
		}
		s, err := build(t, text, Shape{Join: Range}, "k", "l")
		if err != nil {
			t.Fatal(err)
		}
		for n := int64(-100); n < 150; n++ {
			want := -1
			for i, p := range all {
				if p.first <= n && n <= p.last && (want < 0 || p.last-p.first < all[want].last-all[want].first) {
					want = i
				}
			}
			if got := s.Find([]byte(show(n)), 0); got != want {
				t.Fatalf("%s: row %d, want %d of\n%s", show(n), got, want, text)
			}
		}
	}
}

func TestRangeEnds(t *testing.T) {
	s, err := build(t, "k,l\n0.0.0.0,255.255.255.255\n::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n,\nfe80::,fe80::ffff\n", Shape{Join: Range}, "k", "l")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"0.0.0.0": 0, "255.255.255.255": 0, "::": 1, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": 1,
		"fe80::ffff": 3, "fe80::1:0": 1, "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff": 1, "x": -1, "": -1} {
		if got := s.Find([]byte(key), 0); got != want {
			t.Errorf("%s: row %d, want %d", key, got, want)
		}
	}
	for _, text := range []string{"k,l\n5,4\n", "k,l\n5,\n", "k,l\n10.0.0.9,10.0.0.1\n", "k,l\n10.0.0.1,fe80::1\n", "k,l\n1,2\n10.0.0.1,10.0.0.2\n", "k,l\nfe80::1%a,fe80::2\n"} {
		if _, err := build(t, text, Shape{Join: Range}, "k", "l"); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a", "{a}", `{a}\{b}`, "x{a}y", "{", "}", "{}", "a}{b}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := ParseTemplate(s)
		if err != nil {
			return
		}
		var b strings.Builder
		for i, n := range tpl.Names {
			b.WriteString(tpl.Texts[i] + "{" + n + "}")
		}
		b.WriteString(tpl.Texts[len(tpl.Names)])
		if got := b.String(); got != s && got != "{"+s+"}" {
			t.Errorf("%q was read as %q", s, got)
		}
	})
}
