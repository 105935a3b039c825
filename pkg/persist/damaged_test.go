package persist_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/persist"
	"leat/pkg/query"
)

// TestDamagedRows: rows that can't be written are found among many, and kept as text. The encoder makes no such rows, so they are put into
// the spill here.
func TestDamagedRows(t *testing.T) {
	l := initLake(t)
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	text := func(column byte, text string) []byte {
		return append(binary.AppendUvarint([]byte{column}, uint64(len(text))), text...)
	}
	bad := map[int][]byte{
		7:   append(text(1, "twice"), text(1, "the same column")...),
		500: text(1, "cut short")[:8],
		501: text(1, "not UTF-8 \xff"),
		502: text(255, "no such column"),
		999: {0, 1, 2, 3}, // a time of three bytes
	}
	var b event.Batch
	for i := range 1000 {
		b.Reset()
		b.Push(fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:00:00.%03dZ","event":{"dataset":"d","severity":3,"kind":"event"},"source":{"port":1},"message":"row %d"}`, i, i))
		if err := s.Batch(&b); err != nil {
			t.Fatal(err)
		}
		if row, ok := bad[i]; ok {
			if err := s.TakeRow(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rows, kinds := int64(0), map[string]int64{}
	for _, f := range state(t, l).Files {
		rows += f.Rows
		for k, n := range f.Kinds {
			kinds[k] += n
		}
		if f.Dataset == "d" && f.MinTime == 0 {
			t.Errorf("%s has no bounds", f.Path)
		}
	}
	if rows != 1005 || kinds[event.KindError] != 5 || kinds["event"] != 1000 {
		t.Errorf("%d rows, kinds %v", rows, kinds)
	}
	good, originals := 0, []byte(nil)
	for line, err := range query.Events(t.Context(), l, "") {
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
		if !e.Get(event.MustPath("leat.stage")).Is("persist") || !strings.Contains(e.Get(event.MustPath("error.message")).String(), "damaged row") {
			t.Errorf("an error says nothing: %s", line)
		}
		original := e.Get(event.MustPath("event.original")).Text(nil)
		if e.Get(event.MustPath("leat.escaped")).Kind == event.True {
			original = event.UnescapeText(nil, original)
		}
		originals = append(append(originals, original...), '\n')
	}
	if good != 1000 {
		t.Errorf("%d good rows came back", good)
	}
	for i, row := range bad {
		if i != 7 && !bytes.Contains(originals, row) {
			t.Errorf("row %d is not kept in %q", i, originals)
		}
	}
	if !bytes.Contains(originals, []byte("the same column")) {
		t.Errorf("the row with a column twice is not kept in %q", originals)
	}
}
