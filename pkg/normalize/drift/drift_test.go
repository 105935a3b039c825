package drift

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

type told struct {
	Time  string `json:"@timestamp"`
	Event struct{ ID, Kind, Dataset, Action string }
	Leat  struct {
		Drift struct {
			Dataset, Field, Type, Example string
			Was                           []string
			EventID                       string `json:"event_id"`
			Events, Suppressed            uint64
		}
	}
}

// feed takes lines through the stage and returns the drift events.
func feed(t testing.TB, s *Stage, lines ...string) (out []told) {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	for _, e := range b.Events {
		if !e.Get(pathDataset).Is(Dataset) {
			continue
		}
		var d told
		if err := json.Unmarshal(e.Append(nil), &d); err != nil {
			t.Fatalf("%v: %s", err, e.Append(nil))
		}
		out = append(out, d)
	}
	if len(b.Events) != len(lines)+len(out) {
		t.Fatalf("%d lines and %d drift events became %d", len(lines), len(out), len(b.Events))
	}
	return out
}

func line(id int, rest string) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-24T08:17:44Z","event":{"id":"e%d","kind":"event","dataset":"acme.gw","original":"x"},"acme":{"gw":{"n":%d,"s":"t"%s}}}`, id, id, rest)
}

// learned is a stage that has seen n events of the dataset.
func learned(t testing.TB, n int, rest string) *Stage {
	t.Helper()
	s := New(Config{Learn: 100})
	for i := range n {
		if d := feed(t, s, line(i, rest)); i < 100 && len(d) > 0 {
			t.Fatalf("told while it learned: %v", d)
		}
	}
	return s
}

func TestNewField(t *testing.T) {
	s := learned(t, 100, "")
	d := feed(t, s, line(100, `,"fresh":{"a":true,"b":null}`))
	if len(d) != 1 || d[0].Event.Action != "field-new" || d[0].Leat.Drift.Field != "acme.gw.fresh.a" || d[0].Leat.Drift.Type != "boolean" ||
		d[0].Leat.Drift.Example != "true" || d[0].Leat.Drift.EventID != "e100" || d[0].Event.Kind != "event" || d[0].Time != "2026-11-24T08:17:44Z" {
		t.Fatalf("%+v", d)
	}
	if d := feed(t, s, line(101, `,"fresh":{"a":false}`)); len(d) != 0 {
		t.Errorf("told twice: %+v", d)
	}
}

func TestChangedType(t *testing.T) {
	s := learned(t, 100, "")
	d := feed(t, s, strings.Replace(line(100, ""), `"s":"t"`, `"s":7`, 1))
	if len(d) != 1 || d[0].Event.Action != "field-type" || d[0].Leat.Drift.Field != "acme.gw.s" || d[0].Leat.Drift.Type != "number" || fmt.Sprint(d[0].Leat.Drift.Was) != "[string]" {
		t.Fatalf("%+v", d)
	}
	d = feed(t, s, strings.Replace(line(101, ""), `"s":"t"`, `"s":{"deep":1}`, 1))
	if len(d) != 2 || d[0].Event.Action != "field-type" || d[0].Leat.Drift.Type != "object" || d[1].Leat.Drift.Field != "acme.gw.s.deep" {
		t.Fatalf("%+v", d)
	}
}

func TestGoneField(t *testing.T) {
	s := learned(t, window, `,"always":1`)
	var d []told
	for i := window; i < 2*window; i++ {
		d = append(d, feed(t, s, line(i, ""))...)
	}
	if len(d) != 1 || d[0].Event.Action != "field-gone" || d[0].Leat.Drift.Field != "acme.gw.always" || d[0].Leat.Drift.Example != "" {
		t.Fatalf("%+v", d)
	}
	for i := range 2 * window {
		if d := feed(t, s, line(2*window+i, "")); len(d) > 0 {
			t.Fatalf("told again: %+v", d)
		}
	}
	feed(t, s, line(9, `,"always":1`)) // it comes again without a word
}

func TestBounds(t *testing.T) {
	s := learned(t, 100, "")
	var d []told
	for i := range 3 * maxFields {
		d = append(d, feed(t, s, line(100+i, fmt.Sprintf(`,"k%d":1`, i)))...)
	}
	full := 0
	var suppressed uint64
	for _, e := range d {
		suppressed += e.Leat.Drift.Suppressed
		if e.Event.Action == "too-many-fields" {
			full++
		}
	}
	if windows := (100+3*maxFields)/window + 1; len(d) > windows*maxTold || full > 1 {
		t.Errorf("%d drift events, %d of them that there are too many fields", len(d), full)
	}
	if suppressed == 0 {
		t.Error("none says how many were not told")
	}
	if n := len(s.sets["acme.gw"].list); n > maxFields {
		t.Errorf("%d fields are kept", n)
	}
	for i := range 2 * maxDatasets {
		feed(t, s, strings.Replace(line(i, ""), "acme.gw", fmt.Sprintf("d%d", i), 1))
	}
	if len(s.sets) > maxDatasets {
		t.Errorf("%d datasets are kept", len(s.sets))
	}
}

func TestWhatIsNotWatched(t *testing.T) {
	s := New(Config{Learn: 1})
	for _, l := range []string{
		`{"event":{"kind":"pipeline_error","dataset":"a"}}`, `{"event":{"kind":"alert","dataset":"a"}}`, `{"event":{"kind":"event","dataset":"leat.ingest"}}`, `{"event":{"kind":"event"}}`, `no json`,
	} {
		feed(t, s, l, l, l)
	}
	if len(s.sets) != 0 {
		t.Errorf("watched: %v", s.sets)
	}
}

// TestIDsAreThoseOfAReplay: the same stream gives the same events.
func TestIDsAreThoseOfAReplay(t *testing.T) {
	var ids [2]string
	for i := range ids {
		for _, d := range feed(t, learned(t, 100, ""), line(100, `,"x":1,"y":"2"`)) {
			ids[i] += d.Event.ID
		}
	}
	if ids[0] != ids[1] || len(ids[0]) != 64 {
		t.Errorf("%s and %s", ids[0], ids[1])
	}
}

// TestGoesOnAtAMark: what was learned before the mark is known after a restart, and what came behind it is forgotten.
func TestGoesOnAtAMark(t *testing.T) {
	dir := t.TempDir()
	open := func(resume int64) *Stage {
		s := New(Config{Learn: 100, State: dir})
		run := ""
		if resume > 0 {
			run = "r1"
		}
		if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r", Resume: resume, ResumeRun: run}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open(0)
	for i := range 100 {
		feed(t, s, line(i, ""))
	}
	if err := s.Mark(stage.Mark{N: 1, Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	first := feed(t, s, line(100, `,"x":1`))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(1)
	defer s.Close()
	again := feed(t, s, line(100, `,"x":1`))
	if len(first) != 1 || len(again) != 1 || first[0].Event.ID != again[0].Event.ID {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func FuzzStage(f *testing.F) {
	f.Add(line(1, `,"a":{"b":[1,{"c":2}]}`))
	f.Add(`{"event":{"dataset":"a\u0000b","kind":7},"":{"":null},"event":1}`)
	f.Fuzz(func(t *testing.T, l string) {
		s := New(Config{Learn: 1, Now: func() time.Time { return time.Unix(0, 0) }})
		feed(t, s, line(1, ""), line(2, ""))
		var e event.Event
		e.Reset([]byte(l))
		if e.Parse() != nil || e.Get(pathDataset).Is(Dataset) {
			return
		}
		feed(t, s, l, l, strings.Replace(l, "1", `"x"`, 1))
	})
}

func BenchmarkStage(b *testing.B) {
	s := learned(b, 200, `,"a":1,"b":"x","c":{"d":true,"e":[1,2]},"f":"long enough to be a value"`)
	in := []byte(line(7, `,"a":1,"b":"x","c":{"d":true,"e":[1,2]},"f":"long enough to be a value"`))
	var batch event.Batch
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		batch.Push(in)
		if err := s.Process(&batch); err != nil {
			b.Fatal(err)
		}
	}
}
