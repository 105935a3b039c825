package row

import (
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/row/rowtest"
)

// there and back returns the row of an event, and the event of the row.
func thereAndBack(t testing.TB, line string) (row, back string) {
	t.Helper()
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	cols := Standard()
	r, err := cols.AppendJSON(nil, NewEncoder(cols).Append(nil, &e))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	out, err := NewDecoder(cols).Append(nil, r)
	if err != nil {
		t.Fatalf("%s: row %s: %v", line, r, err)
	}
	return string(r), string(out)
}

func TestRow(t *testing.T) {
	tests := []struct{ name, event, row string }{
		{"nothing", `{}`, `{}`},
		{"a column", `{"message":"m"}`, `{"message":"m"}`},
		{"no column", `{"foo":1}`, `{"rest":"{\"foo\":1}"}`},
		{"both in one object", `{"source":{"ip":"::1","x":2}}`, `{"source":{"ip":"::1"},"rest":"{\"source\":{\"x\":2}}"}`},
		{"an empty object", `{"source":{}}`, `{"rest":"{\"source\":{}}"}`},
		{"null is not absent", `{"message":null}`, `{"rest":"{\"message\":null}"}`},
		{"text in an integer", `{"source":{"port":"443"}}`, `{"source":{"port":443},"rest":"{\"source\":{\"port\":\"443\"}}"}`},
		{"an integer as 1.0", `{"source":{"port":1.0}}`, `{"source":{"port":1},"rest":"{\"source\":{\"port\":1.0}}"}`},
		{"a fraction is no integer", `{"source":{"port":1.5}}`, `{"rest":"{\"source\":{\"port\":1.5}}"}`},
		{"beyond 64 bits", `{"source":{"port":9223372036854775808}}`, `{"rest":"{\"source\":{\"port\":9223372036854775808}}"}`},
		{"one text in a list", `{"tags":"a"}`, `{"tags":["a"],"rest":"{\"tags\":\"a\"}"}`},
		{"a list", `{"tags":["a","b"]}`, `{"tags":["a","b"]}`},
		{"an empty list", `{"tags":[]}`, `{"tags":[]}`},
		{"a null in a list", `{"tags":["a",null]}`, `{"rest":"{\"tags\":[\"a\",null]}"}`},
		{"an array of one in a text", `{"message":["a"]}`, `{"message":"a","rest":"{\"message\":[\"a\"]}"}`},
		{"an array of two in a text", `{"message":["a","b"]}`, `{"rest":"{\"message\":[\"a\",\"b\"]}"}`},
		{"milliseconds", `{"@timestamp":"2026-11-24T08:17:44.123Z"}`, `{"@timestamp":"2026-11-24T08:17:44.123Z"}`},
		{"nanoseconds", `{"@timestamp":"2026-11-24T08:17:44.123456789Z"}`,
			`{"@timestamp":"2026-11-24T08:17:44.123456Z","rest":"{\"@timestamp\":\"2026-11-24T08:17:44.123456789Z\"}"}`},
		{"before 1970, downwards", `{"@timestamp":"1969-12-31T23:59:59.999999999Z"}`,
			`{"@timestamp":"1969-12-31T23:59:59.999999Z","rest":"{\"@timestamp\":\"1969-12-31T23:59:59.999999999Z\"}"}`},
		{"another zone", `{"@timestamp":"2026-11-24T10:17:44.000+02:00"}`,
			`{"@timestamp":"2026-11-24T08:17:44.000Z","rest":"{\"@timestamp\":\"2026-11-24T10:17:44.000+02:00\"}"}`},
		{"no time", `{"@timestamp":"yesterday"}`, `{"rest":"{\"@timestamp\":\"yesterday\"}"}`},
		{"seconds since 1970 are no time", `{"@timestamp":1764000000}`, `{"rest":"{\"@timestamp\":1764000000}"}`},
		{"a boolean", `{"leat":{"escaped":true}}`, `{"leat":{"escaped":true}}`},
		{"a score", `{"event":{"risk_score":73.5}}`, `{"event":{"risk_score":73.5}}`},
		{"a score with a zero more", `{"event":{"risk_score":73.50}}`, `{"event":{"risk_score":73.5},"rest":"{\"event\":{\"risk_score\":73.50}}"}`},
		{"minus zero", `{"event":{"risk_score":-0}}`, `{"event":{"risk_score":0},"rest":"{\"event\":{\"risk_score\":-0}}"}`},
		{"hexadecimal is no number", `{"event":{"risk_score":"0x1p-2"}}`, `{"rest":"{\"event\":{\"risk_score\":\"0x1p-2\"}}"}`},
		{"NUL", `{"message":"a\u0000"}`, `{"rest":"{\"message\":\"a\\u001a0000\"}"}`},
		{"half a pair", `{"message":"\ud83d"}`, `{"rest":"{\"message\":\"\\u001ad83d\"}"}`},
		{"a pair", `{"message":"\ud83d\ude00"}`, `{"message":"😀"}`},
		{"the escape itself", `{"x":"\u001a"}`, `{"rest":"{\"x\":\"\\u001a\\u001a\"}"}`},
		{"beyond a double", `{"x":1e400}`, `{"rest":"{\"x\":\"\\u001an1e400\"}"}`},
		{"a dot in a key", `{"source.ip":"::1"}`, `{"rest":"{\"source.ip\":\"::1\"}"}`},
		{"a key with escapes", `{"\u006dessage":"m"}`, `{"message":"m"}`},
		{"a field called rest", `{"rest":"r"}`, `{"rest":"{\"rest\":\"r\"}"}`},
		{"twice", `{"message":"a","message":"b"}`, `{"message":"a","rest":"{\"message\":\"a\",\"message\":\"b\"}"}`},
		{"an object where text belongs", `{"message":{"a":1}}`, `{"rest":"{\"message\":{\"a\":1}}"}`},
		{"text where an object belongs", `{"source":"s"}`, `{"rest":"{\"source\":\"s\"}"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row, back := thereAndBack(t, tt.event)
			if row != tt.row {
				t.Errorf("row\n got %s\nwant %s", row, tt.row)
			}
			if d := rowtest.Diff([]byte(tt.event), []byte(back)); d != "" {
				t.Error(d)
			}
		})
	}
}

// nul is an escape of U+0000 whose backslash is not escaped itself.
var nul = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u0000`)

// TestLossless is the property that the package is for.
func TestLossless(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		line := string(rowtest.Event(r))
		row, back := thereAndBack(t, line)
		if d := rowtest.Diff([]byte(line), []byte(back)); d != "" {
			t.Fatalf("%s\nrow %s\n%s", line, row, d)
		}
		if nul.MatchString(row) {
			t.Fatalf("%s\na NUL reaches the database: %s", line, row)
		}
	}
}

func FuzzLossless(f *testing.F) {
	f.Add([]byte(`{"@timestamp":"2026-11-24T08:17:44.123Z","event":{"category":["a"],"severity":1},"x":[1e400,"\u0000"]}`))
	f.Add([]byte(`{"user":{"name":"a","name":null},"user":1}`))
	f.Add([]byte(`{"x":"\u001a\ud800\\u001a","":{"":[]}}`))
	cols := Standard()
	f.Fuzz(func(t *testing.T, line []byte) {
		var e event.Event
		e.Reset(line)
		if e.Parse() != nil || strings.ContainsAny(string(line), "\n") {
			return
		}
		r, err := cols.AppendJSON(nil, NewEncoder(cols).Append(nil, &e))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		var again event.Event
		again.Reset(r)
		if err := again.Parse(); err != nil {
			t.Fatalf("%q: row %q: %v", line, r, err)
		}
		back, err := NewDecoder(cols).Append(nil, r)
		if err != nil {
			t.Fatalf("%q: row %q: %v", line, r, err)
		}
		if d := rowtest.Diff(line, back); d != "" {
			t.Fatalf("%q: row %q: %s", line, r, d)
		}
	})
}

// FuzzDecode: a row need not be one of ours.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"@timestamp":"2026-11-24 08:17:44.1","event":null,"rest":"{\"a\":\"\\u001an\"}"}`))
	f.Add([]byte(`{"@timestamp":1,"event":"x","source":{"port":null},"rest":null,"tags":{}}`))
	cols := Standard()
	f.Fuzz(func(t *testing.T, row []byte) {
		_, _ = NewDecoder(cols).Append(nil, row)
	})
}

func TestDuckDBsText(t *testing.T) {
	row := `{"@timestamp":"2026-11-24 08:17:44.12","event":{"created":"2026-11-24 08:17:44","end":"2026-11-24 08:17:44.123456","risk_score":21.0,"kind":null},` +
		`"source":{"ip":null,"geo":{"city_name":null}},"tags":[],"dataset":"d","date":"2026-11-24","rest":null}`
	want := `{"@timestamp":"2026-11-24T08:17:44.120Z","event":{"created":"2026-11-24T08:17:44.000Z","end":"2026-11-24T08:17:44.123456Z","risk_score":21},"tags":[]}`
	got, err := NewDecoder(Standard()).Append(nil, []byte(row))
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	for _, bad := range []string{`[]`, `{"rest":"{"}`, `{"rest":"1"}`, ``} {
		if _, err := NewDecoder(Standard()).Append(nil, []byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestEncoderSaysWhatThePartitionNeeds(t *testing.T) {
	x := NewEncoder(Standard())
	var e event.Event
	read := func(line string) {
		e.Reset([]byte(line))
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		x.Append(nil, &e)
	}
	read(`{"@timestamp":"2026-11-24T08:17:44.123456789Z","event":{"kind":["alert"],"dataset":"linux.auth"},"message":"m"}`)
	if !x.HasTime || x.Time != 1795508264123456789 || !x.Kind.Is("alert") || !x.Dataset.Is("linux.auth") {
		t.Errorf("got %d %v %q %q", x.Time, x.HasTime, x.Kind.Raw, x.Dataset.Raw)
	}
	read(`{"@timestamp":5,"event":"x"}`)
	if x.HasTime || x.Kind.Exists() || x.Dataset.Exists() {
		t.Errorf("something is left of the event before: %+v", x)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct {
		list []Column
		want string
	}{
		{[]Column{{"a", Text}, {"a", Int}}, "column already"},
		{[]Column{{"a", Text}, {"a.b", Int}}, "column already"},
		{[]Column{{"a.b", Text}, {"a", Int}}, "column already"},
		{[]Column{{"rest", Text}}, "no such name"},
		{[]Column{{"a..b", Text}}, "no such name"},
		{[]Column{{`a"`, Text}}, "no such name"},
	} {
		if _, err := Compile(tt.list); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want %q", tt.list, err, tt.want)
		}
	}
	var many []Column
	for i := range 65 {
		many = append(many, Column{"x" + strings.Repeat("y", i), Text})
	}
	if _, err := Compile(many); err == nil {
		t.Error("65 names at one level pass")
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	x := NewEncoder(Standard())
	var e event.Event
	line := []byte(`{"@timestamp":"2026-11-24T08:17:44.123Z","event":{"kind":"event","category":["a"],"severity":"3"},"user":{"name":"\u00e9"},"x":{"y":[1,2e5]}}`)
	var dst []byte
	n := testing.AllocsPerRun(100, func() {
		e.Reset(line)
		_ = e.Parse()
		dst = x.Append(dst[:0], &e)
	})
	// ParseFloat of 2e5 takes a string.
	if n > 1 {
		t.Errorf("%v allocations an event", n)
	}
}

func benchmarkLines(b *testing.B) [][]byte {
	b.Helper()
	path := os.Getenv("LEAT_EVENTS")
	if path == "" {
		r := rand.New(rand.NewPCG(3, 4))
		var lines [][]byte
		for range 1000 {
			lines = append(lines, rowtest.Event(r))
		}
		return lines
	}
	body, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var lines [][]byte
	for l := range strings.Lines(string(body[:min(len(body), 4<<20)])) {
		if strings.HasSuffix(l, "\n") {
			lines = append(lines, []byte(strings.TrimSuffix(l, "\n")))
		}
	}
	return lines
}

// BenchmarkEncode: LEAT_EVENTS names a file of events; without it they are hostile ones.
func BenchmarkEncode(b *testing.B) {
	lines := benchmarkLines(b)
	x := NewEncoder(Standard())
	var e event.Event
	var dst []byte
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	b.ReportAllocs()
	b.SetBytes(int64(size / len(lines)))
	i := 0
	for b.Loop() {
		e.Reset(lines[i%len(lines)])
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
		dst = x.Append(dst[:0], &e)
		i++
	}
}

func BenchmarkDecode(b *testing.B) {
	lines := benchmarkLines(b)
	x := NewEncoder(Standard())
	var rows [][]byte
	size := 0
	for _, l := range lines {
		var e event.Event
		e.Reset(l)
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
		r, err := x.c.AppendJSON(nil, x.Append(nil, &e))
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, r)
		size += len(r)
	}
	d := NewDecoder(Standard())
	var dst []byte
	b.ReportAllocs()
	b.SetBytes(int64(size / len(rows)))
	i := 0
	for b.Loop() {
		var err error
		if dst, err = d.Append(dst[:0], rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
