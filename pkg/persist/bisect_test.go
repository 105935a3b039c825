package persist

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/query"
	"leat/pkg/row"
)

// TestBisect: rows that DuckDB does not take are found among many, and kept as text. The encoder makes no such rows, so they are put into
// the spill here.
func TestBisect(t *testing.T) {
	s, err := New(t.Context(), Config{Dir: t.TempDir() + "/lake"})
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	bad := map[int]string{
		7:   `{"event":{"severity":"high"},"message":"wrong type"}`,
		500: `{"event":{"severity":1`,
		501: `{"@timestamp":"never","message":"\u0000"}`,
		999: `{"@timestamp":"2026-11-24T08:00:00.000Z","source":{"port":99999999999999999999}}`,
	}
	for i := range 1000 {
		b.Reset()
		b.Push(fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:00:00.%03dZ","event":{"dataset":"d","severity":3},"source":{"port":1},"message":"row %d"}`, i, i))
		if err := s.Batch(&b); err != nil {
			t.Fatal(err)
		}
		if line, ok := bad[i]; ok {
			sp := s.gen.order[0]
			if err := sp.add([]byte(line+"\n"), s.enc); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rows, kinds := int64(0), map[string]int64{}
	st, err := s.lake.State()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range st.Files {
		rows += f.Rows
		for k, n := range f.Kinds {
			kinds[k] += n
		}
		if f.Dataset == "d" && f.MinTime == 0 {
			t.Errorf("%s has no bounds", f.Path)
		}
	}
	if rows != 1004 || kinds[event.KindError] != 4 {
		t.Errorf("%d rows, kinds %v", rows, kinds)
	}
	good, originals := 0, ""
	for line, err := range query.Events(t.Context(), s.lake, "") {
		if err != nil {
			t.Fatal(err)
		}
		var e event.Event
		e.Reset(line)
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		if !e.Get(event.MustPath("event.kind")).Is(event.KindError) {
			good++
			continue
		}
		if !e.Get(event.MustPath("leat.stage")).Is("persist") || e.Get(event.MustPath("error.message")).String() == "" {
			t.Errorf("an error says nothing: %s", line)
		}
		originals += e.Get(event.MustPath("event.original")).String() + "\n"
	}
	if good != 1000 {
		t.Errorf("%d good rows came back", good)
	}
	for i, line := range bad {
		if strings.Contains(line, "message") && i != 501 {
			line = "wrong type"
		}
		if !strings.Contains(originals, line) && i != 501 && i != 999 {
			t.Errorf("row %d is not kept as text in %s", i, originals)
		}
	}
}

func TestSplitKeepsEveryRow(t *testing.T) {
	dir := t.TempDir()
	g := newGeneration(dir, 1)
	s := g.open(partition{dataset: "d"})
	x := row.NewEncoder(row.Standard())
	for i := range 5 {
		if err := s.add(fmt.Appendf(nil, "{\"message\":\"%d\"}\n", i), x); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	halves, err := split(source{path: s.path, rows: 5, used: s.used})
	if err != nil {
		t.Fatal(err)
	}
	if len(halves) != 2 || halves[0].rows != 2 || halves[1].rows != 3 {
		t.Errorf("halves: %+v", halves)
	}
	one, err := split(halves[0].source)
	if err != nil || len(one) != 2 {
		t.Fatalf("%+v, %v", one, err)
	}
	if one, err = split(one[0].source); err != nil || len(one) != 1 {
		t.Errorf("one row: %+v, %v", one, err)
	}
}
