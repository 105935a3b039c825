package row

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

func rowOf(t testing.TB, line string) []byte {
	t.Helper()
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatal(err)
	}
	return NewEncoder(Standard()).Append(nil, &e)
}

func TestNextCell(t *testing.T) {
	cols := Standard()
	row := rowOf(t, `{"@timestamp":"2026-11-24T08:17:44.123456Z","tags":["a","","é"],"source":{"port":-1},"leat":{"escaped":true},"event":{"risk_score":0.5},"message":"m\n","x":1}`)
	var got []string
	for len(row) > 0 {
		c, rest, err := cols.NextCell(row)
		if err != nil {
			t.Fatal(err)
		}
		name := Rest
		if c.Column < len(cols.List()) {
			name = cols.List()[c.Column].Field
		}
		text, err := appendValue(nil, &c)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name+"="+string(text))
		row = rest
	}
	want := `@timestamp="2026-11-24T08:17:44.123456Z" tags=["a","","é"] source.port=-1 leat.escaped=true event.risk_score=0.5 message="m\n" rest="{\"x\":1}"`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

// TestDamagedCells: a row that is cut anywhere but between two cells, or says what can't be, is refused.
func TestDamagedCells(t *testing.T) {
	cols := Standard()
	whole := rowOf(t, `{"@timestamp":"2026-11-24T08:17:44.123Z","tags":["a","b"],"message":"some text"}`)
	good := map[int]bool{0: true}
	for row := whole; len(row) > 0; {
		_, rest, err := cols.NextCell(row)
		if err != nil {
			t.Fatal(err)
		}
		row = rest
		good[len(whole)-len(row)] = true
	}
	for n := range whole {
		if _, err := cols.AppendJSON(nil, whole[:n]); (err == nil) != good[n] {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
	for _, bad := range []string{"\xff", "\x01\x05abc", "\x01\x02\xff\xfe", "\x02\xff\xff\xff\xff", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if _, err := cols.AppendJSON(nil, []byte(bad)); err == nil {
			t.Errorf("%x passes", bad)
		}
	}
}

// FuzzCells: whatever stands in a row, it is refused or is JSON.
func FuzzCells(f *testing.F) {
	f.Add(rowOf(f, `{"@timestamp":"2026-11-24T08:17:44.123Z","tags":["a","b"],"source":{"geo":{"city_name":"x"},"port":1},"user":{"office":{"name":"y"}},"z":[]}`))
	cols := Standard()
	f.Fuzz(func(t *testing.T, row []byte) {
		line, err := cols.AppendJSON(nil, row)
		if err != nil {
			return
		}
		var e event.Event
		e.Reset(line)
		if err := e.Parse(); err != nil {
			t.Errorf("%x became %s: %v", row, line, err)
		}
	})
}
