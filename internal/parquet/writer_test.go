package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"leat/internal/duck"
)

// testFields are of every kind, at several depths; the object a.far is there seldom.
func testFields() []Field {
	return []Field{
		{[]string{"t"}, Time}, {[]string{"a", "id"}, Text}, {[]string{"a", "few"}, Text}, {[]string{"a", "n"}, Int}, {[]string{"tags"}, Texts},
		{[]string{"a", "far", "few"}, Text}, {[]string{"a", "far", "list"}, Texts}, {[]string{"a", "x"}, Float}, {[]string{"a", "far", "b"}, Bool},
		{[]string{"never", "y"}, Text}, {[]string{"never", "l"}, Texts}, {[]string{"long"}, Text}, {[]string{"uniq", "list"}, Texts}, {[]string{"port"}, Int},
	}
}

const testTypes = `{t: 'TIMESTAMP', a: 'STRUCT(id VARCHAR, few VARCHAR, n BIGINT, far STRUCT(few VARCHAR, list VARCHAR[], b BOOLEAN), x DOUBLE)',
	tags: 'VARCHAR[]', never: 'STRUCT(y VARCHAR, l VARCHAR[])', long: 'VARCHAR', uniq: 'STRUCT(list VARCHAR[])', port: 'BIGINT'}`

// both writes the same row to a Writer and to lines of JSON.
type both struct {
	r     *rand.Rand
	w     *Writer
	lines bytes.Buffer
}

func (b *both) text(field int, s string) string {
	b.w.Text(field, []byte(s))
	return strconv.Quote(s)
}

func (b *both) bits(field int, v uint64, text string) string {
	b.w.Bits(field, v)
	return text
}

func (b *both) list(field int, items ...string) string {
	b.w.List(field, len(items))
	var quoted []string
	for _, s := range items {
		b.w.Item(field, []byte(s))
		quoted = append(quoted, strconv.Quote(s))
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func (b *both) row(t *testing.T, i int) {
	t.Helper()
	member := map[string][]string{}
	put := func(object, name, value string) { member[object] = append(member[object], `"`+name+`":`+value) }
	at := int64(1_795_000_000_000_000) + int64(i)*1000
	put("", "t", b.bits(0, uint64(at), fmt.Sprintf(`"%s"`, micros(at))))
	if i%5 != 0 {
		put("a", "id", b.text(1, fmt.Sprintf("%016x é", b.r.Uint64())))
		put("a", "few", b.text(2, fmt.Sprintf("few %d", i%3)))
	}
	if n := b.r.Int64() >> (i % 60); i%2 == 0 {
		put("a", "n", b.bits(3, uint64(n), strconv.FormatInt(n, 10)))
	}
	if i%3 == 0 {
		put("", "tags", b.list(4, []string{"x", "y", "", "z"}[:i%5%4]...))
	}
	if i/100%7 == 3 {
		put("far", "few", b.text(5, "few"))
		if i%2 == 0 {
			put("far", "list", b.list(6, strconv.Itoa(i)))
		}
		put("far", "b", b.bits(8, uint64(i/3%2), strconv.FormatBool(i/3%2 == 1)))
	}
	if i%4 == 1 {
		x := math.Round(b.r.NormFloat64()*1e6) / 1e3
		put("a", "x", b.bits(7, math.Float64bits(x), strconv.FormatFloat(x, 'g', -1, 64)))
	}
	if i%50 == 0 {
		put("", "long", b.text(11, strings.Repeat(strconv.Itoa(i), b.r.IntN(2000))))
	}
	if i%2 == 1 {
		put("uniq", "list", b.list(12, fmt.Sprintf("%x", b.r.Uint64()), fmt.Sprintf("%x", b.r.Uint64())))
	}
	put("", "port", b.bits(13, uint64(b.r.Int64N(60000)), ""))
	member[""] = member[""][:len(member[""])-1]
	if len(member["far"]) > 0 {
		put("a", "far", "{"+strings.Join(member["far"], ",")+"}")
	}
	for _, o := range []string{"a", "uniq"} {
		if len(member[o]) > 0 {
			put("", o, "{"+strings.Join(member[o], ",")+"}")
		}
	}
	b.lines.WriteString("{" + strings.Join(member[""], ",") + "}\n")
	if err := b.w.EndRow(); err != nil {
		t.Fatal(err)
	}
}

func micros(at int64) string {
	return fmt.Sprintf("2026-11-18 %02d:%02d:%02d.%06d", at/3600e6%24, at/60e6%60, at/1e6%60, at%1e6)
}

func newWriter(t testing.TB, fields []Field) *Writer {
	t.Helper()
	s, err := NewSchema(fields)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWriter: what DuckDB reads from the file is what it reads from the same rows as JSON. Ports are checked apart: their sum.
func TestWriter(t *testing.T) {
	l := newLab(t)
	w := newWriter(t, testFields())
	for _, rows := range []int{0, 1, 7, 8, 9, 2047, 5000, groupRows + 1, 3} {
		t.Run(strconv.Itoa(rows), func(t *testing.T) {
			l := &lab{t, l.db, l.dir}
			path := filepath.Join(l.dir, "w.parquet")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			w.Reset(f)
			b := &both{r: rand.New(rand.NewPCG(uint64(rows), 2)), w: w}
			for i := range rows {
				b.row(t, i)
			}
			if n, err := w.Close(); err != nil || n != int64(rows) {
				t.Fatalf("%d rows, %v", n, err)
			}
			if m := l.footer(path); m.Rows != int64(rows) || m.Groups != (rows+groupRows-1)/groupRows {
				t.Errorf("the footer says %d rows in %d groups", m.Rows, m.Groups)
			}
			if rows == 0 {
				return
			}
			json := filepath.Join(l.dir, "w.json")
			if err := os.WriteFile(json, b.lines.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			ours := "(SELECT * EXCLUDE port FROM " + duck.Text(path) + ")"
			theirs := "(SELECT * EXCLUDE port FROM read_json(" + duck.Text(json) + ", columns = " + testTypes + ", format = 'newline_delimited'))"
			for _, q := range []string{ours + " EXCEPT ALL " + theirs, theirs + " EXCEPT ALL " + ours} {
				if got := l.ask("SELECT * FROM (" + q + ") LIMIT 3"); got != "[]" {
					t.Errorf("a difference: %.2000s", got)
				}
			}
			if got, want := l.ask("DESCRIBE SELECT * FROM "+duck.Text(path)), l.ask("DESCRIBE SELECT * FROM read_json("+duck.Text(json)+", columns = "+testTypes+")"); got != want {
				t.Errorf("types\n got %s\nwant %s", got, want)
			}
			// Skipping by bounds and Bloom filters drops no row that is there.
			for _, q := range []string{`a.id = (SELECT max(a.id) FROM %s)`, `a.few = 'few 1'`, `a.n = (SELECT min(a.n) FROM %s)`, `t = (SELECT max(t) FROM %s)`, `a.x < 0`} {
				from := func(table string) string {
					return "SELECT count(*) n FROM " + table + " WHERE " + strings.ReplaceAll(q, "%s", table)
				}
				if got, want := l.ask(from(ours)), l.ask(from(theirs)); got != want {
					t.Errorf("%s: got %s, want %s", q, got, want)
				}
			}
		})
	}
}

// TestBloomFilters: DuckDB uses them: a value that is not there is excluded from nearly every row group.
func TestBloomFilters(t *testing.T) {
	l := newLab(t)
	w := newWriter(t, []Field{{[]string{"id"}, Text}, {[]string{"user"}, Text}, {[]string{"port"}, Int}, {[]string{"long"}, Text}})
	path := filepath.Join(l.dir, "b.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w.Reset(f)
	for i := range 20_000 {
		w.Text(0, fmt.Appendf(nil, "id-%d", i))
		w.Text(1, fmt.Appendf(nil, "user-%d", i%500))
		w.Bits(2, uint64(i*7))
		w.Text(3, fmt.Appendf(nil, "%0200d", i))
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	probe := func(column, value string) string {
		return l.ask(fmt.Sprintf("SELECT count(*) FILTER (bloom_filter_excludes) n FROM parquet_bloom_probe(%s, %s, %s)", duck.Text(path), duck.Text(column), value))
	}
	for _, tt := range []struct{ column, there, not string }{{"id", "'id-19999'", "'id-20001'"}, {"user", "'user-77'", "'user-501'"}, {"port", "7", "6::BIGINT"}} {
		if got := probe(tt.column, tt.there); got != `[{"n":0}]` {
			t.Errorf("%s = %s is excluded: %s", tt.column, tt.there, got)
		}
		if got := probe(tt.column, tt.not); got != `[{"n":1}]` {
			t.Errorf("%s = %s is not excluded: %s", tt.column, tt.not, got)
		}
	}
	if got := l.ask("SELECT count(bloom_filter_offset) n FROM parquet_metadata(" + duck.Text(path) + ")"); got != `[{"n":3}]` {
		t.Errorf("filters: %s; long texts need none", got)
	}
	if got := l.ask("SELECT stats_min_value lo, stats_max_value hi, stats_null_count empty FROM parquet_metadata(" + duck.Text(path) + ") WHERE path_in_schema = 'port'"); got != `[{"lo":"0","hi":"139993","empty":0}]` {
		t.Errorf("bounds: %s", got)
	}
}

func TestHash64(t *testing.T) {
	for text, want := range map[string]uint64{
		"": 0xef46db3751d8e999, "a": 0xd24ec4f1a98c6e5b, "abc": 0x44bc2cf5ad770999, "Nobody inspects the spammish repetition": 0xfbcea83c8a378bf1,
	} {
		if got := hash64([]byte(text)); got != want {
			t.Errorf("%q: %x, want %x", text, got, want)
		}
	}
}

// TestHybrid: any levels come back, by the definition of the encoding.
func TestHybrid(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		width := 1 + r.IntN(3)
		var v []uint8
		for len(v) < r.IntN(200) {
			x := uint8(r.IntN(1 << width))
			for range 1 + r.IntN(1+r.IntN(40)) {
				v = append(v, x)
			}
		}
		b := appendHybrid(nil, v, width)
		var got []uint8
		d := &decoder{b: b}
		for d.i < len(b) {
			head := d.uvarint()
			if head&1 == 0 {
				x := d.byte()
				for range head >> 1 {
					got = append(got, x)
				}
				continue
			}
			packed := d.bytes(head >> 1 * uint64(width))
			for i := range int(head>>1) * 8 {
				var x uint8
				for k := range width {
					bit := i*width + k
					x |= packed[bit>>3] >> (bit & 7) & 1 << k
				}
				got = append(got, x)
			}
		}
		if d.err != nil || len(got) < len(v) || len(got) > len(v)+7 || !bytes.Equal(got[:len(v)], v) {
			t.Fatalf("width %d: %v came back as %v (%v)", width, v, got, d.err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	for _, fields := range [][]Field{
		{{[]string{"a"}, Text}, {[]string{"a"}, Int}}, {{[]string{"a"}, Text}, {[]string{"a", "b"}, Int}}, {{[]string{"a", "b"}, Text}, {[]string{"a"}, Int}},
		{{[]string{}, Text}}, {{[]string{""}, Text}}, {{[]string{"a", ""}, Text}},
	} {
		if _, err := NewSchema(fields); err == nil {
			t.Errorf("%v passes", fields)
		}
	}
}

// failing fails at a byte.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestWriterTellsErrors(t *testing.T) {
	w := newWriter(t, testFields())
	for _, n := range []int{0, 10, 1000, 10_000} {
		w.Reset(&failing{n})
		for i := range uint64(200_000) {
			w.Bits(0, i)
			w.Text(1, strconv.AppendUint(nil, i, 10))
			_ = w.EndRow()
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("no error when only %d bytes can be written", n)
		}
	}
}

// BenchmarkWriter is a row of eight columns.
func BenchmarkWriter(b *testing.B) {
	w := newWriter(b, testFields())
	w.Reset(io.Discard)
	id, few, long := []byte("0123456789abcdef"), []byte("few"), bytes.Repeat([]byte("some text "), 20)
	b.SetBytes(int64(len(id) + len(few) + len(long) + 24))
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		id[i%16]++
		w.Bits(0, i)
		w.Text(1, id)
		w.Text(2, few)
		w.Bits(3, i%100)
		w.Text(11, long)
		if err := w.EndRow(); err != nil {
			b.Fatal(err)
		}
	}
}
