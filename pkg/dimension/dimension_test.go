package dimension

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
)

// TestTimedAgainstNaive: of the rows that have a key and hold at a time, the one that began last answers; of prefixes the
// narrowest one first. Random tables against a scan.
func TestTimedAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(11))
	for round := range 200 {
		join := []Join{Exact, CIDR, Suffix}[round%3]
		type row struct {
			key      string
			from, to int64
		}
		var rows []row
		text := "k,f,t\n"
		stamp := func(s int64) string { return string(event.AppendTime(nil, s*second)) }
		keys := map[Join][]string{
			Exact:  {"a", "b", "c"},
			CIDR:   {"10.0.0.0/8", "10.0.0.0/24", "10.0.0.7", "fd00::/8", "fd00::1", "0.0.0.0/0"},
			Suffix: {"example.org", "a.example.org", "org", "b.a.example.org"},
		}[join]
		for range 1 + r.Intn(30) {
			x := row{keys[r.Intn(len(keys))], int64(r.Intn(20)), 0}
			x.to = x.from + int64(r.Intn(10))
			from, to := stamp(x.from), stamp(x.to)
			if r.Intn(5) == 0 {
				x.from, from = sinceEver/second, ""
			}
			if r.Intn(5) == 0 {
				x.to, to = forEver/second, ""
			}
			rows = append(rows, x)
			text += x.key + "," + from + "," + to + "\n"
		}
		d, err := build(t, text, Shape{Join: join, From: "f", To: "t"}, "k")
		if err != nil {
			t.Fatal(err)
		}
		width := func(key, of string) int { // how closely key describes of; -1: not at all
			switch join {
			case Exact:
				if key == of {
					return 0
				}
			case Suffix:
				if key == of || strings.HasSuffix(of, "."+key) {
					return len(key)
				}
			case CIDR:
				p, err := netip.ParsePrefix(key)
				if err != nil {
					a := netip.MustParseAddr(key)
					p = netip.PrefixFrom(a, a.BitLen())
				}
				if p.Contains(netip.MustParseAddr(of)) {
					return p.Bits()
				}
			}
			return -1
		}
		asked := map[Join][]string{Exact: {"a", "b", "c", "d"}, CIDR: {"10.0.0.7", "10.0.0.8", "10.1.1.1", "11.0.0.1", "fd00::1", "fd00::2"},
			Suffix: {"example.org", "x.a.example.org", "b.a.example.org", "org", "net", "xexample.org"}}[join]
		for _, key := range asked {
			for at := int64(-1); at < 32; at++ {
				want := -1
				for i, x := range rows {
					w := width(x.key, key)
					if w < 0 || at < x.from || at >= x.to {
						continue
					}
					if want < 0 || w > width(rows[want].key, key) || w == width(rows[want].key, key) && x.from > rows[want].from {
						want = i
					}
				}
				if got := d.Find(d.AppendKey(nil, []byte(key)), at*second); got != want {
					t.Fatalf("%s at %d: row %d, want %d of\n%s", key, at, got, want, text)
				}
			}
		}
	}
}

func TestTimesThatAreNone(t *testing.T) {
	for _, text := range []string{"k,f\na,yesterday\n", "k,f\na,99999999999999999999\n", "k,f,t\na,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z\n"} {
		shape := Shape{Join: Exact, From: "f"}
		if strings.Contains(text, ",t\n") {
			shape.To = "t"
		}
		if _, err := build(t, text, shape, "k"); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
	if _, err := build(t, "k\na\n", Shape{Join: Exact, From: "f"}, "k"); err == nil || !strings.Contains(err.Error(), `no column "f"`) {
		t.Error(err)
	}
}

func TestSuffix(t *testing.T) {
	d, err := build(t, "k\n*.evil.example.\nEvil.example\nbad.test\ncom\n", Shape{Join: Suffix}, "k")
	if err != nil || d.Duplicates != 1 {
		t.Fatal(err, d.Duplicates)
	}
	for key, want := range map[string]int{"evil.example": 0, "WWW.Evil.Example.": 0, "notevil.example": -1, "a.b.bad.test": 2, "test": -1, "x.com": 3, "": -1, ".": -1} {
		got := -1
		if k := d.AppendKey(nil, []byte(key)); len(k) > 0 {
			got = d.Find(k, 0)
		}
		if got != want {
			t.Errorf("%q: row %d, want %d", key, got, want)
		}
	}
}

// TestBuilder: whatever is set in whatever order, the table says it; also when a column has more values than can be
// numbered.
func TestBuilder(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, distinct := range []int{3, 300, maxCodes + 500} {
		b := NewBuilder(Limits{}, "a")
		rows := 2*distinct + 50
		want := make([]map[string]string, rows)
		for i := range rows {
			want[i] = map[string]string{}
			for c := range 4 {
				if r.Intn(3) == 0 {
					continue
				}
				name := fmt.Sprint("c", c)
				v := fmt.Sprint(i % distinct * (c + 1))
				col, err := b.Column(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := b.Set(col, []byte(v)); err != nil {
					t.Fatal(err)
				}
				// The first value of a row stays.
				if err := b.Set(col, []byte("7777777")); err != nil {
					t.Fatal(err)
				}
				want[i][name] = v
			}
			if err := b.EndRow(); err != nil {
				t.Fatal(err)
			}
		}
		tab := b.Table()
		if tab.Rows() != rows || tab.Column("a") != 0 || tab.Empty(0) != rows || tab.Column("x") != -1 {
			t.Fatalf("%d rows, columns %q", tab.Rows(), tab.Columns())
		}
		for i := range rows {
			for c, name := range tab.Columns() {
				if got := string(tab.Cell(i, c)); got != want[i][name] {
					t.Fatalf("%d distinct: row %d, column %s: %q, want %q", distinct, i, name, got, want[i][name])
				}
			}
		}
	}
}

func TestBuilderIsBounded(t *testing.T) {
	b := NewBuilder(Limits{Rows: 1})
	if err := b.Object([]byte(`{"a":{"b":[1,2]},"c":null}`)); err != nil {
		t.Fatal(err)
	}
	if err := b.Object([]byte(`{}`)); err == nil {
		t.Error("a row more than the limit was taken")
	}
	if got := string(b.Table().AppendRow(nil, 0)); got != `{"a.b":[1,2]}` {
		t.Error(got)
	}
}

// snapshots are one dimension of each kind.
func snapshots(t testing.TB) map[string]*Dimension {
	out := map[string]*Dimension{}
	for name, c := range map[string]struct {
		text  string
		shape Shape
		keys  []string
	}{
		"exact":  {"k,v\na,1\nB,2\n", Shape{Join: Exact, Fold: true}, []string{"k", `{k}/{v}`}},
		"cidr":   {"k,v\n10.0.0.0/8,1\nfd00::/8,2\n", Shape{Join: CIDR}, []string{"k"}},
		"range":  {"k,l\n5,9\n20,30\n", Shape{Join: Range}, []string{"k", "l"}},
		"suffix": {"k,v\nexample.org,1\n", Shape{Join: Suffix}, []string{"k"}},
		"timed":  {"k,f,t\na,,2026-01-01T00:00:00Z\na,2026-01-01T00:00:00Z,\n", Shape{Join: Exact, From: "f", To: "t"}, []string{"k"}},
	} {
		d, err := build(t, c.text, c.shape, c.keys...)
		if err != nil {
			t.Fatal(name, err)
		}
		out[name] = d
	}
	return out
}

func TestFile(t *testing.T) {
	for name, d := range snapshots(t) {
		path := filepath.Join(t.TempDir(), "d")
		stamp := Stamp{Version: "v1", AsOf: time.Unix(5, 7).UTC(), Cursor: "c"}
		if err := d.WriteFile(path, stamp, "note"); err != nil {
			t.Fatal(err)
		}
		got, s, note, err := Open(path)
		if err != nil || s != stamp || note != "note" {
			t.Fatal(err, s, note)
		}
		if got.Keys != d.Keys || got.Duplicates != d.Duplicates || got.Rows() != d.Rows() {
			t.Errorf("%s: %+v", name, got)
		}
		for _, key := range []string{"a", "b", "B", "B/2", "10.1.1.1", "fd00::7", "11.0.0.1", "6", "25", "10", "www.example.org", "org"} {
			for _, at := range []int64{0, time.Now().UnixNano()} {
				k := d.AppendKey(nil, []byte(key))
				row := d.Find(k, at)
				if again := got.Find(k, at); again != row {
					t.Errorf("%s: %s is row %d in memory and row %d in the file", name, key, row, again)
				}
				if row >= 0 && !bytes.Equal(d.AppendRow(nil, row), got.AppendRow(nil, row)) {
					t.Errorf("%s: row %d differs: %s", name, row, got.AppendRow(nil, row))
				}
			}
		}
		if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// TestTornFile: a file that is cut short or has one wrong byte is refused, wherever.
func TestTornFile(t *testing.T) {
	for name, d := range snapshots(t) {
		path := filepath.Join(t.TempDir(), "d")
		if err := d.WriteFile(path, Stamp{}, ""); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(whole); i++ {
			if i > 4096 {
				i += 997 // a big array; its bytes are all alike to the checksum
			}
			if i >= len(whole) {
				break
			}
			flipped := bytes.Clone(whole)
			flipped[i] ^= 0x10
			for what, data := range map[string][]byte{"cut": whole[:i], "flipped": flipped} {
				if _, _, err := parse(data); !errors.Is(err, ErrTorn) {
					t.Fatalf("%s, %s at byte %d: %v", name, what, i, err)
				}
			}
		}
		if err := os.WriteFile(path, whole[:len(whole)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := Open(path); !errors.Is(err, ErrTorn) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range snapshots(f) {
		path := filepath.Join(f.TempDir(), "d")
		if err := d.WriteFile(path, Stamp{}, ""); err != nil {
			f.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, _, err := parse(data); err == nil {
			d.Find([]byte("a"), 0)
		}
	})
}

// million is a dimension of a million users, as a directory gives them.
func million(b *testing.B, n int) *Dimension {
	bu := NewBuilder(Limits{}, "id", "sam", "name", "email", "department", "office")
	for i := range n {
		for c, s := range []string{fmt.Sprintf("S-1-5-21-1-2-3-%d", i), fmt.Sprintf("u%07d", i), fmt.Sprintf("First%d Last%d", i%977, i), fmt.Sprintf("first%d.last%d@corp.example", i%977, i),
			fmt.Sprint("department ", i%300), []string{"Budapest", "Dublin", "New York"}[i%3]} {
			if err := bu.SetString(c, s); err != nil {
				b.Fatal(err)
			}
		}
		if err := bu.EndRow(); err != nil {
			b.Fatal(err)
		}
	}
	d, err := Build(bu.Table(), Shape{Join: Exact, Fold: true, Keys: templates(b, "id", "sam", "email")})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// BenchmarkOpen is the warm start with a million users and three million keys.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "d")
	if err := million(b, 1_000_000).WriteFile(path, Stamp{}, ""); err != nil {
		b.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(fi.Size())
	b.ReportAllocs()
	for b.Loop() {
		d, _, _, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if d.Find([]byte("u0500000"), 0) != 500_000 {
			b.Fatal("not there")
		}
	}
}

func BenchmarkFind(b *testing.B) {
	d := million(b, 1_000_000)
	r := rand.New(rand.NewSource(1))
	keys := make([][]byte, 1<<16)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "u%07d", r.Intn(1_050_000))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if row := d.Find(keys[i&(1<<16-1)], 0); row >= 0 {
			_ = d.Cell(row, 3)
		}
		i++
	}
}
