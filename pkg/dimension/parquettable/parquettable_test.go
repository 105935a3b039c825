package parquettable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"leat/pkg/dimension"
)

// python runs a script with pyarrow and DuckDB: other writers and readers than ours.
func python(t *testing.T, script string, args ...string) string {
	t.Helper()
	py := os.Getenv("LEAT_PYTHON")
	if py == "" {
		py = filepath.FromSlash("../../../.cache/python/bin/python")
	}
	if _, err := os.Stat(py); err != nil {
		t.Skip("no Python with pyarrow and duckdb (scripts/setup test makes one, or LEAT_PYTHON tells)")
	}
	out, err := exec.Command(py, append([]string{"-c", script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, out)
	}
	return string(out)
}

func load(data []byte) (*dimension.Table, error) {
	return Load(bytes.NewReader(data), int64(len(data)), dimension.Limits{Rows: 100_000})
}

func rows(t *dimension.Table) (out []string) {
	for i := range t.Rows() {
		out = append(out, string(t.AppendRow(nil, i)))
	}
	return out
}

const arrow = `
import pyarrow as pa, pyarrow.parquet as pq, sys, datetime as d, decimal
utc = d.timezone.utc
t = pa.table({
 'id': pa.array([1, 2, 3], pa.int64()),
 'u': pa.array([2**64-1, None, 0], pa.uint64()),
 'u8': pa.array([200, None, 0], pa.uint8()),
 'f': pa.array([1.0, 1e300, float('nan')], pa.float64()),
 'f4': pa.array([0.1, None, float('-inf')], pa.float32()),
 'h': pa.array([1.5, -0.25, None], pa.float16()) ,
 's': pa.array(['a"b\n', '', None]),
 'bin': pa.array([b'\xff\xad', b'text', None]),
 'fix': pa.array([b'\xff\x00', b'ab', None], pa.binary(2)),
 'ok': pa.array([True, False, None]),
 'dec': pa.array([decimal.Decimal('123456789012345678901234567890.12'), decimal.Decimal('-0.05'), None], pa.decimal128(38, 2)),
 'dec9': pa.array([decimal.Decimal('-1.5'), decimal.Decimal('0'), None], pa.decimal128(5, 1)),
 'ms': pa.array([d.datetime(2026,11,24,8,17,44,500000,utc), d.datetime(1969,12,31,23,59,59,1000,utc), None], pa.timestamp('ms', 'UTC')),
 'us': pa.array([d.datetime(2026,11,24,8,17,44,123456), d.datetime(9000,1,1), None], pa.timestamp('us')),
 'ns': pa.array([1700000000123456789, -1, None], pa.timestamp('ns')),
 'day': pa.array([d.date(2026,11,24), d.date(1969,12,31), None]),
 'tod': pa.array([d.time(8,17,44,5), d.time(0,0), None], pa.time64('us')),
 'list': pa.array([[1, None, 3], [], None], pa.list_(pa.int32())),
 'deep': pa.array([[[1],[],None,[2,3]], [None], []], pa.list_(pa.list_(pa.int32()))),
 'office': pa.array([{'city': 'Budapest', 'floor': {'n': 3}}, {'city': None, 'floor': None}, None], pa.struct([('city', pa.string()), ('floor', pa.struct([('n', pa.int32())]))])),
 'tags': pa.array([{'l': ['x']}, {'l': None}, None], pa.struct([('l', pa.list_(pa.string()))])),
 'groups': pa.array([[{'n': 'a', 'm': [1, 2]}, None, {'n': None, 'm': None}], [], None], pa.list_(pa.struct([('n', pa.string()), ('m', pa.list_(pa.int64()))]))),
 'map': pa.array([[('k', 1), ('l', None)], [], None], pa.map_(pa.string(), pa.int32())),
 'imap': pa.array([[(7, 'x')], None, None], pa.map_(pa.int32(), pa.string())),
 'cat': pa.array(['x', 'x', None]).dictionary_encode(),
})
pq.write_table(t, sys.argv[1], **eval(sys.argv[2]))
`

var wantArrow = []string{
	`{"id":1,"u":18446744073709551615,"u8":200,"f":1.0,"f4":0.1,"h":1.5,"s":"a\"b\n","bin":"ffad","fix":"ff00","ok":true,"dec":123456789012345678901234567890.12,"dec9":-1.5,` +
		`"ms":"2026-11-24T08:17:44.500Z","us":"2026-11-24T08:17:44.123456Z","ns":"2023-11-14T22:13:20.123456789Z","day":"2026-11-24","tod":"08:17:44.000005",` +
		`"list":[1,null,3],"deep":[[1],[],null,[2,3]],"office.city":"Budapest","office.floor.n":3,"tags.l":["x"],` +
		`"groups":[{"n":"a","m":[1,2]},null,{"n":null,"m":null}],"map":{"k":1,"l":null},"imap":{"7":"x"},"cat":"x"}`,
	`{"id":2,"f":1e+300,"h":-0.25,"bin":"text","fix":"ab","ok":false,"dec":-0.05,"dec9":0.0,"ms":"1969-12-31T23:59:59.001Z","us":"9000-01-01T00:00:00.000Z",` +
		`"ns":"1969-12-31T23:59:59.999999999Z","day":"1969-12-31","tod":"00:00:00","list":[],"deep":[null],"groups":[],"map":{},"cat":"x"}`,
	`{"id":3,"u":0,"u8":0,"f":"NaN","f4":"-Inf","deep":[]}`,
}

// TestOthersFiles reads what Arrow's writer makes of each type, in each of its ways.
func TestOthersFiles(t *testing.T) {
	for _, options := range []string{
		`{}`, `{'compression': 'zstd', 'data_page_version': '2.0'}`, `{'compression': 'gzip', 'use_dictionary': False}`, `{'row_group_size': 1}`,
		`{'compression': 'none', 'store_decimal_as_integer': True}`, `{'compression': 'snappy'}`, `{'compression': 'brotli', 'use_compliant_nested_type': False}`,
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		python(t, arrow, path, options)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := load(data)
		if err != nil {
			t.Errorf("%s: %v", options, err)
			continue
		}
		if diff := cmp.Diff(wantArrow, rows(tab)); diff != "" {
			t.Errorf("%s: %s", options, diff)
		}
	}
}

// TestLZ4 is refused rather than read for ever.
func TestLZ4(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	python(t, arrow, path, `{'compression': 'lz4'}`)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(data); err == nil || !strings.Contains(err.Error(), "LZ4") {
		t.Error(err)
	}
}

// TestOldTimes: Spark's and Impala's times of 96 bits.
func TestOldTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	python(t, `import pyarrow as pa, pyarrow.parquet as pq, sys
pq.write_table(pa.table({'t': pa.array([1700000000123456789, -1], pa.timestamp('ns'))}), sys.argv[1], use_deprecated_int96_timestamps=True)`, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := load(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`{"t":"2023-11-14T22:13:20.123456789Z"}`, `{"t":"1969-12-31T23:59:59.999999999Z"}`}, rows(tab)); diff != "" {
		t.Error(diff)
	}
}

// random makes a table of all sorts of cells.
func random(t *testing.T, r *rand.Rand) *dimension.Table {
	t.Helper()
	names := []string{"z", "a", "office.city", "valid_from", "Ünï", "valid_to", "long"}
	b := dimension.NewBuilder(dimension.Limits{}, names...)
	cells := []string{`1`, `-1.50`, `1e400`, `true`, `"x"`, `"a\"\\b\u0000\ud800"`, `[1,[2,null],{}]`, `{"a":{"b":[]}}`, `"2026-11-24T08:17:44.000Z"`, `"né"`}
	for range r.IntN(2000) {
		for i, n := range names {
			cell := cells[r.IntN(len(cells))]
			switch {
			case r.IntN(3) == 0:
				continue
			case strings.HasPrefix(n, "valid"):
				cell = fmt.Sprintf(`"20%02d-11-24T08:17:44.%03dZ"`, r.IntN(100), r.IntN(1000))
			case n == "long":
				cell = `"` + strings.Repeat("x", r.IntN(3000)) + `"`
			}
			if err := b.Set(i, []byte(cell)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Table()
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(20) {
		tab := random(t, rand.New(rand.NewPCG(seed, 1)))
		var times []string
		if seed%2 == 0 {
			times = []string{"valid_from", "valid_to"}
		}
		var b bytes.Buffer
		if err := Write(&b, tab, times...); err != nil {
			t.Fatal(err)
		}
		got, err := load(b.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(tab.Columns(), got.Columns()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if diff := cmp.Diff(rows(tab), rows(got)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// TestOthersRead: what we wrote is a table for DuckDB and Arrow too.
func TestOthersRead(t *testing.T) {
	b := dimension.NewBuilder(dimension.Limits{}, "user", "office.city", "valid_from")
	for _, r := range []string{`{"user":"alice","office":{"city":"Budapest"},"valid_from":"2026-11-24T08:17:44.123Z"}`, `{"user":7}`} {
		if err := b.Object([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Write(f, b.Table(), "valid_from"), f.Close()); err != nil {
		t.Fatal(err)
	}
	got := python(t, `import duckdb, pyarrow.parquet as pq, sys
duckdb.sql("set TimeZone = 'UTC'")
print(duckdb.sql("select \"user\"::varchar, \"office.city\"::varchar, epoch_ms(valid_from::timestamptz) from '" + sys.argv[1] + "'").fetchall())
print(pq.read_table(sys.argv[1]).num_rows)`, path)
	if want := "[('\"alice\"', '\"Budapest\"', 1795508264123), ('7', None, None)]\n2\n"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	b := dimension.NewBuilder(dimension.Limits{}, "a")
	if err := b.Object([]byte(`{"a":"soon"}`)); err != nil {
		t.Fatal(err)
	}
	tab := b.Table()
	if err := Write(&bytes.Buffer{}, tab, "b"); err == nil || !strings.Contains(err.Error(), `no column "b"`) {
		t.Error(err)
	}
	if err := Write(&bytes.Buffer{}, tab, "a"); err == nil || !strings.Contains(err.Error(), "no time") || strings.Contains(err.Error(), "soon") {
		t.Error(err)
	}
	if err := Write(&bytes.Buffer{}, dimension.NewBuilder(dimension.Limits{}).Table()); err == nil {
		t.Error("a table without columns")
	}
	if err := Write(failing{}, tab); err == nil {
		t.Error("a full disk")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// sample is a small file of ours.
func sample(t testing.TB) []byte {
	t.Helper()
	b := dimension.NewBuilder(dimension.Limits{}, "k", "v")
	for i := range 50 {
		if err := b.Object(fmt.Appendf(nil, `{"k":"key%d","v":[%d]}`, i, i%3)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, b.Table()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestDamage cuts and flips a file everywhere: an error or the same table, never a panic, never a shorter table.
func TestDamage(t *testing.T) {
	data := sample(t)
	for cut := range len(data) {
		if tab, err := load(data[:cut]); err == nil {
			t.Fatalf("cut at %d: %d rows and no error", cut, tab.Rows())
		}
	}
	wrong := 0
	for at := range data {
		for _, bit := range []byte{1, 0x80} {
			flipped := bytes.Clone(data)
			flipped[at] ^= bit
			tab, err := load(flipped)
			if err == nil && tab.Rows() != 50 {
				t.Fatalf("flipped at %d: %d rows", at, tab.Rows())
			}
			if err != nil {
				wrong++
			}
		}
	}
	if wrong == 0 {
		t.Error("no damage was noticed at all")
	}
}

func TestLimits(t *testing.T) {
	data := sample(t)
	if _, err := Load(bytes.NewReader(data), int64(len(data)), dimension.Limits{Rows: 49}); err == nil || !strings.Contains(err.Error(), "more than max_rows") {
		t.Error(err)
	}
	for _, text := range []string{"", "PAR1", "PAR1PAR1", "PAR1\x00\x00\x00\x00PAR1", "PAR1\xff\xff\xff\x7fPAR1", "PAR1....\xf0\xff\xff\xf0PAR1", "hello, this is a text"} {
		if _, err := load([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

type two struct {
	A struct {
		B string `parquet:"b"`
	} `parquet:"a"`
	C string `parquet:"a.b"`
}

func TestTwoColumnsOfOneName(t *testing.T) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[two](&b)
	if _, err := w.Write([]two{{}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := load(b.Bytes()); err == nil || !strings.Contains(err.Error(), `"a.b"`) {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(sample(f))
	var b bytes.Buffer
	w := parquet.NewGenericWriter[struct {
		L []struct {
			M map[string]int32 `parquet:"m"`
			D *float64         `parquet:"d,optional"`
		} `parquet:"l,list"`
		T int64 `parquet:"t,timestamp"`
	}](&b)
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		tab, err := load(data)
		if err != nil {
			return
		}
		for i := range tab.Rows() {
			if raw := tab.AppendRow(nil, i); !json.Valid(raw) {
				t.Fatalf("row %d: %q", i, raw)
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	build := dimension.NewBuilder(dimension.Limits{}, "k", "v")
	for i := range 100_000 {
		if err := build.Object(fmt.Appendf(nil, `{"k":"key%d","v":"value %d"}`, i, i%300)); err != nil {
			b.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, build.Table()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(out.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
