package persist_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/row/rowtest"
	"leat/pkg/stage"
)

// TestLosslessThroughParquet: what comes in by the pipe comes out of the files, whatever it is.
func TestLosslessThroughParquet(t *testing.T) {
	l := initLake(t)
	r := rand.New(rand.NewPCG(5, 6))
	var lines []string
	for i := range 4000 {
		e := string(rowtest.Event(r))
		number := fmt.Sprintf(`"number of the test":%d}`, i)
		if e != "{}" {
			number = "," + number
		}
		lines = append(lines, e[:len(e)-1]+number)
	}
	if err := persistAll(t, persist.Config{Dir: l.Dir(), MaxRows: 1500}, lines...); err != nil {
		t.Fatal(err)
	}
	path := event.MustPath("number of the test")
	seen := 0
	for _, got := range contents(t, l, "") {
		var e event.Event
		e.Reset([]byte(got))
		if err := e.Parse(); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		n, ok := e.Get(path).Int()
		if !ok {
			t.Fatalf("%s has no number", got)
		}
		if d := rowtest.Diff([]byte(lines[n]), []byte(got)); d != "" {
			t.Fatalf("event %d: %s", n, d)
		}
		seen++
	}
	if seen != len(lines) {
		t.Errorf("%d events came back of %d", seen, len(lines))
	}
	sweptClean(t, l)
	// rest is JSON for DuckDB too, whatever is in it.
	if got := ask(t, l, "SELECT count(*) FROM everything WHERE rest IS NOT NULL AND json_valid(rest) AND (rest->>'$.number of the test') >= '0'"); got != "4000\n" {
		t.Errorf("DuckDB reads %s rests as JSON", got)
	}
}

func TestMarked(t *testing.T) {
	l := initLake(t)
	m := openMarked(t, l)
	m.events(`{"message":"a"}`, `{"message":"b"}`)
	m.mark(1, 0, false, map[string]string{"file:x": "10"})
	m.mark(2, 1, false, nil) // says nothing new
	m.events(`{"message":"c"}`)
	m.mark(3, 1, false, map[string]string{"file:y": "5"})
	m.mark(4, 3, false, map[string]string{"file:y": "6"}) // positions alone
	m.events(`{"message":"torn"}`)
	wantError(t, persistAll(t, persist.Config{Dir: l.Dir(), MaxRows: 1, MaxAge: 1}, m.lines...), stage.ErrTail)
	s := state(t, l)
	p := s.Pipelines["default"]
	if p.Mark != 4 || p.Positions["file:x"] != "10" || p.Positions["file:y"] != "6" || !p.Open {
		t.Errorf("pipeline is %+v", p)
	}
	want := `{"message":"a"}{"message":"b"}{"message":"c"}`
	if got := strings.Join(contents(t, l, ""), ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// open, 1, 3, 4: the mark that said nothing left no trace.
	if s.N != 4 {
		t.Errorf("the log has %d entries", s.N)
	}
	sweptClean(t, l)

	m = openMarked(t, l)
	if m.session.Mark != 4 {
		t.Fatalf("resumes at mark %d", m.session.Mark)
	}
	m.events(`{"message":"torn"}`)
	m.mark(5, 4, true, nil)
	if err := persistAll(t, persist.Config{Dir: l.Dir()}, m.lines...); err != nil {
		t.Fatal(err)
	}
	if p := state(t, l).Pipelines["default"]; p.Open || p.Mark != 5 {
		t.Errorf("after the end the pipeline is %+v", p)
	}
	if got := strings.Join(contents(t, l, ""), ""); got != want+`{"message":"torn"}` {
		t.Errorf("got %s", got)
	}
}

func TestHelloIsChecked(t *testing.T) {
	l := initLake(t)
	old := openMarked(t, l)
	now := openMarked(t, l)
	s := now.session
	good := stage.Hello{Lake: s.Lake, Pipeline: s.Pipeline, Epoch: s.Epoch, Run: s.Run, Resume: s.Mark}
	tests := []struct {
		name string
		edit func(h *stage.Hello)
		want string
	}{
		{"another lake", func(h *stage.Hello) { h.Lake = "x" }, `for lake "x"`},
		{"no such pipeline", func(h *stage.Hello) { h.Pipeline = "x" }, `no pipeline "x"`},
		{"guessed run", func(h *stage.Hello) { h.Run = strings.Repeat("0", 32) }, "did not give out"},
		{"old epoch", func(h *stage.Hello) { h.Epoch, h.Run = old.session.Epoch, old.session.Run }, "another process opened epoch 2"},
		{"epoch to come", func(h *stage.Hello) { h.Epoch++ }, "did not give out"},
		{"another mark", func(h *stage.Hello) { h.Resume = 7 }, "holds mark 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := good
			tt.edit(&h)
			hello := strings.TrimSuffix(string(stage.AppendHello(nil, h)), "\n")
			mark := strings.TrimSuffix(string(stage.AppendMark(nil, stage.Mark{N: 8, Run: h.Run, End: true})), "\n")
			err := persistAll(t, persist.Config{Dir: l.Dir()}, hello, `{"message":"forged"}`, mark)
			wantError(t, err, persist.ErrRefused, tt.want)
			if n := len(state(t, l).Files); n != 0 {
				t.Errorf("%d files were committed", n)
			}
			sweptClean(t, l)
		})
	}
	if err := persistAll(t, persist.Config{Dir: l.Dir(), Unmarked: true}, now.lines...); err == nil {
		t.Error("--unmarked takes a hello")
	}
}

func TestSuperseded(t *testing.T) {
	l := initLake(t)
	m := openMarked(t, l)
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step(s.Hello(stage.Hello{Lake: m.session.Lake, Pipeline: "default", Epoch: m.session.Epoch, Run: m.session.Run}))
	b.Push([]byte(`{"message":"kept"}`))
	step(s.Batch(&b))
	step(s.Mark(stage.Mark{N: 1, Run: m.session.Run, Sources: map[string]string{"x": "1"}}))
	waitFor(t, func() bool { return state(t, l).Pipelines["default"].Mark == 1 })
	openMarked(t, l)
	b.Reset()
	b.Push([]byte(`{"message":"late"}`))
	step(s.Batch(&b))
	_ = s.Mark(stage.Mark{N: 2, Run: m.session.Run, Sources: map[string]string{"x": "2"}})
	wantError(t, s.Close(), lake.ErrSuperseded, "another process has taken over")
	if got := strings.Join(contents(t, l, ""), ""); got != `{"message":"kept"}` {
		t.Errorf("got %s", got)
	}
	sweptClean(t, l)
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it does not happen")
}

func TestUnmarkedCommitsByNumberAgeAndEnd(t *testing.T) {
	l := initLake(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir(), MaxRows: 2, MaxAge: time.Minute, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	send := func(lines ...string) {
		t.Helper()
		var b event.Batch
		for _, l := range lines {
			b.Push([]byte(l))
		}
		if err := s.Batch(&b); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() int64 {
		_, rows, _ := state(t, l).Totals()
		return rows
	}
	send(`{"n":1}`, `{"n":2}`)
	waitFor(t, func() bool { return rows() == 2 })
	send(`{"n":3}`)
	if err := s.Tick(now.Add(59 * time.Second)); err != nil || rows() != 2 {
		t.Errorf("young events were committed: %d rows, %v", rows(), err)
	}
	if err := s.Tick(now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return rows() == 3 })
	if err := s.Tick(now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	send(`{"n":4}`)
	if err := s.Close(); err != nil || rows() != 4 {
		t.Errorf("at the end there are %d rows, %v", rows(), err)
	}
	if n := len(state(t, l).Files); n != 3 {
		t.Errorf("%d files", n)
	}
	sweptClean(t, l)
}

func TestMarksFilteredOut(t *testing.T) {
	l := initLake(t)
	openMarked(t, l)
	cfg := persist.Config{Dir: l.Dir()}
	wantError(t, persistAll(t, cfg, `{"message":"m"}`), persist.ErrRefused, "marks were filtered out before me", "leat via", "--unmarked")
	cfg.Unmarked = true
	if err := persistAll(t, cfg, `{"message":"m"}`); err != nil {
		t.Errorf("with --unmarked: %v", err)
	}
	if got := len(contents(t, l, "")); got != 1 {
		t.Errorf("%d events", got)
	}
}

// TestDeadPipeline: a pipeline whose opener died long before does not forbid unmarked events.
func TestDeadPipeline(t *testing.T) {
	l := initLake(t)
	if out, err := child("open", l.Dir()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantError(t, persistAll(t, persist.Config{Dir: l.Dir()}, `{}`), persist.ErrRefused)
	later := func() time.Time { return time.Now().Add(time.Hour) }
	if err := persistAll(t, persist.Config{Dir: l.Dir(), Now: later}, `{}`); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	openMarked(t, l) // by this process, which lives
	wantError(t, persistAll(t, persist.Config{Dir: l.Dir(), Now: later}, `{}`), persist.ErrRefused)
}
