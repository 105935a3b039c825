package query_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/query"
	"leat/pkg/row"
	"leat/pkg/row/rowtest"
	"leat/pkg/stage"
)

func openHot(t testing.TB, l *lake.Lake) *query.DB {
	t.Helper()
	q, err := query.Open(t.Context(), l, query.Config{Hot: true, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// feed hands lines to a sink as one batch.
func feed(t testing.TB, s *persist.Sink, lines ...string) {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	if err := s.Batch(&b); err != nil {
		t.Fatal(err)
	}
}

func newSink(t testing.TB, l *lake.Lake, cfg persist.Config) *persist.Sink {
	t.Helper()
	cfg.Dir = l.Dir()
	s, err := persist.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hasty is a clock that is a second later each time that it is asked.
func hasty() func() time.Time {
	began := time.Now()
	var asked atomic.Int64
	return func() time.Time { return began.Add(time.Duration(asked.Add(1)) * time.Second) }
}

// TestHot: what persist has taken in is seen before it is committed, with the views' columns, dataset and date; and only where asked.
func TestHot(t *testing.T) {
	l := newLake(t)
	s := newSink(t, l, persist.Config{MaxAge: time.Hour})
	feed(t, s, sample...)
	if err := s.Tick(time.Now().Add(time.Hour / 2)); err != nil {
		t.Fatal(err)
	}
	q := openHot(t, l)
	for view, want := range map[string]string{"events": "1 2 3", "alerts": "4", "errors": "5", "everything": "1 2 3 4 5"} {
		_, _, got := table(t, q, "SELECT event.id FROM "+view+" ORDER BY event.id")
		if got = strings.NewReplacer("\n", " ", `"`, "").Replace(got); got != want {
			t.Errorf("%s has %s, want %s", view, got, want)
		}
	}
	_, _, got := table(t, q, "SELECT dataset, count(*) FROM everything WHERE date >= DATE '2026-11-24' GROUP BY ALL ORDER BY ALL")
	if want := "\"_alerts\" 1\n\"_errors\" 1\n\"linux.auth\" 2\n\"x\" 1"; got != want {
		t.Errorf("got %s", got)
	}
	var lines []string
	for line, err := range q.Events(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	sort.Slice(lines, func(i, k int) bool { return idOf(lines[i]) < idOf(lines[k]) })
	for i := range sample {
		if d := rowtest.Diff([]byte(sample[i]), []byte(lines[i])); d != "" {
			t.Error(d)
		}
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if _, _, got := table(t, open(t, l), "SELECT count(*) FROM everything"); got != "0" {
		t.Errorf("%s rows without hot", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	q = openHot(t, l)
	defer q.Close()
	if _, _, got := table(t, q, "SELECT count(*) FROM everything"); got != "5" {
		t.Errorf("%s rows behind the commit", got)
	}
	if st := q.State(); len(st.Generations) != 1 {
		t.Errorf("generations %v", st.Generations)
	}
	add(t, l, sample[0])
	if st, _ := l.State(); len(st.Generations) != 1 {
		t.Errorf("the generation of a writer that has ended stays: %v", st.Generations)
	}
}

func idOf(line string) string {
	var e event.Event
	e.Reset([]byte(line))
	if e.Parse() != nil {
		return ""
	}
	return e.Get(event.MustPath("event.id")).String()
}

// TestHotTorn: the row that is being written is not seen yet; what is no spill of a living writer, never.
func TestHotTorn(t *testing.T) {
	l := newLake(t)
	w, err := l.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	rowOf := func(line string) string {
		var e event.Event
		e.Reset([]byte(line))
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		return string(persist.AppendRow(nil, row.NewEncoder(row.Standard()).Append(nil, &e), 0))
	}
	write := func(dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	small := rowOf(`{"event":{"id":"a"}}`)
	big := rowOf(`{"event":{"id":"b"},"message":"` + strings.Repeat("x", 3<<20) + `"}`)
	write(w.Staging(), "spill-1-0@x@2026-11-24.rows", small+small[:len(small)-1])
	write(w.Staging(), "spill-1-1@x@2026-11-24.rows", big)
	write(w.Staging(), "spill-1-2@x@2026-11-24.rows", small[:5])
	for _, name := range []string{
		"spill-1-3-errors@x@2026-11-24.rows", "spill-0-1@x@2026-11-24.rows", "spill-1-4@X Y@2026-11-24.rows", "spill-1-5@x@2026-11-24.rowsa",
		"spill-1-0.rows", "spill-1-6@x@2026-11-24.rows.parquet", "x",
	} {
		write(w.Staging(), name, small)
	}
	write(l.Staging("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "spill-1-0@x@2026-11-24.rows", small)
	q := openHot(t, l)
	defer q.Close()
	if _, _, got := table(t, q, "SELECT event.id, length(message) FROM everything ORDER BY 1"); got != "\"a\" \n\"b\" 3145728" {
		t.Errorf("got %s", got)
	}
}

// TestHotMarked: in a marked pipe files that were rolled are not committed before the mark; their rows are seen all the time, once.
func TestHotMarked(t *testing.T) {
	l := newLake(t)
	p, err := l.OpenPipeline(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	s := newSink(t, l, persist.Config{MaxRows: 50, Now: hasty()})
	if err := s.Hello(stage.Hello{Lake: p.Lake, Pipeline: p.Pipeline, Epoch: p.Epoch, Run: p.Run, Resume: p.Mark}); err != nil {
		t.Fatal(err)
	}
	count := func(hot bool) string {
		t.Helper()
		q, err := query.Open(t.Context(), l, query.Config{Hot: hot, TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		_, _, rows := table(t, q, "SELECT count(*), count(DISTINCT event.id) FROM events")
		return rows
	}
	n := 0
	for mark := int64(1); mark <= 3; mark++ {
		before := n
		for range 7 {
			var lines []string
			for range 20 {
				lines = append(lines, fmt.Sprintf(`{"event":{"id":"%d","dataset":"d%d"}}`, n, n%2))
				n++
			}
			feed(t, s, lines...)
			if got, want := count(true), fmt.Sprintf("%d %d", n, n); got != want {
				t.Fatalf("mark %d: %s rows hot, want %s", mark, got, want)
			}
		}
		if got, want := count(false), fmt.Sprintf("%d %d", before, before); got != want {
			t.Errorf("mark %d: %s rows are committed, want %s", mark, got, want)
		}
		if err := s.Mark(stage.Mark{N: mark, Run: p.Run, Since: mark - 1, End: mark == 3}); err != nil {
			t.Fatal(err)
		}
		if got, want := count(true), fmt.Sprintf("%d %d", n, n); got != want {
			t.Errorf("behind mark %d: %s rows hot, want %s", mark, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := count(false), fmt.Sprintf("%d %d", n, n); got != want {
		t.Errorf("%s rows in the end, want %s", got, want)
	}
}

// TestHotNeverTwice: while persist takes in and commits, each event is there exactly once, and none that was there goes away.
func TestHotNeverTwice(t *testing.T) {
	l := newLake(t)
	// By this clock each batch is written out at once, so that queries meet every state between spill and commit.
	s := newSink(t, l, persist.Config{MaxRows: 400, MaxAge: 1 << 60, Now: hasty()})
	var fed, written atomic.Int64 // handed to persist, and taken in
	done := make(chan error, 1)
	stop := time.Now().Add(3 * time.Second)
	go func() {
		for n := 0; time.Now().Before(stop); {
			var b event.Batch
			for range 37 {
				b.Push(fmt.Appendf(nil, `{"event":{"id":"%d","dataset":"d%d"},"message":"m"}`, n, n%3))
				n++
			}
			fed.Store(int64(n))
			if err := s.Batch(&b); err != nil {
				done <- err
				return
			}
			written.Store(int64(n))
		}
		done <- s.Close()
	}()
	before, rounds, mixed := int64(0), 0, 0
	for time.Now().Before(stop) {
		least := max(before, written.Load())
		q := openHot(t, l)
		_, _, got := table(t, q, "SELECT count(*), count(DISTINCT event.id) FROM events")
		_, rows, _ := q.State().Totals()
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		var count, ids int64
		if _, err := fmt.Sscan(got, &count, &ids); err != nil {
			t.Fatal(err)
		}
		if n := fed.Load(); count != ids || count < least || count > n {
			t.Fatalf("round %d: %d rows, %d ids; at least %d were written and at most %d fed", rounds, count, ids, least, n)
		}
		if count > rows && rows > 0 {
			mixed++
		}
		before = count
		rounds++
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	n := fed.Load()
	if _, _, got := table(t, open(t, l), "SELECT count(DISTINCT event.id) FROM events"); got != fmt.Sprint(n) {
		t.Errorf("%s events in the end, %d fed", got, n)
	}
	if st, _ := l.State(); rounds < 5 || mixed == 0 || st.N < 3 {
		t.Errorf("%d rounds, %d with committed and hot rows, %d commits: this tests little", rounds, mixed, st.N)
	}
	t.Logf("%d rounds, %d with committed and hot rows", rounds, mixed)
}
