package retro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/event"
	"leat/pkg/intel"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/row"
	"leat/pkg/row/rowtest"
	"leat/pkg/stage"
)

// lakeOf makes a lake of lines, by persist.
func lakeOf(t testing.TB, cfg persist.Config, lines ...string) *lake.Lake {
	t.Helper()
	cfg.Dir = filepath.Join(t.TempDir(), "lake")
	s, err := persist.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader(strings.Join(lines, "\n") + "\n")
	if err := stage.Pump(t.Context(), &stage.Lines{In: in, Stage: "persist"}, s); err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func run(t testing.TB, cfg Config) ([]string, Stats) {
	t.Helper()
	var out bytes.Buffer
	stats, err := Run(t.Context(), cfg, stage.NewWriter(&out, nil))
	if err != nil {
		t.Fatal(err)
	}
	if out.Len() == 0 {
		return nil, stats
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), stats
}

func all(*event.Event) bool { return true }

// TestLossless: every event that was put in comes out as it was, whatever it is.
func TestLossless(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var lines []string
	for i := range 3000 {
		var e event.Event
		e.Reset(rowtest.Event(r))
		// An id of its own tells which is which, and the kind must be one that is looked at.
		_ = e.Set(event.MustPath("event"), []byte(fmt.Sprintf(`{"id":"%d","sequence":%d}`, i, i)))
		lines = append(lines, string(e.Append(nil)))
	}
	lines = append(lines, everything(t, "all"))
	l := lakeOf(t, persist.Config{}, lines...)
	got, stats := run(t, Config{Lake: l, Match: all, Enrich: all})
	if stats.Read != int64(len(lines)) || stats.Written != int64(len(lines)) {
		t.Errorf("%+v of %d", stats, len(lines))
	}
	id := func(line string) string {
		var e event.Event
		e.Reset([]byte(line))
		return e.Get(event.MustPath("event.id")).String()
	}
	want := map[string]string{}
	for _, line := range lines {
		want[id(line)] = line
	}
	for _, line := range got {
		if d := rowtest.Diff([]byte(want[id(line)]), []byte(line)); d != "" {
			t.Errorf("%s\n%s\n%s", want[id(line)], line, d)
		}
		delete(want, id(line))
	}
	if len(want) > 0 {
		t.Errorf("%d events are missing", len(want))
	}
}

// everything is an event with a value in each column.
func everything(t testing.TB, id string) string {
	t.Helper()
	var e event.Event
	e.Reset([]byte(`{}`))
	for i, c := range row.Standard().List() {
		p := event.MustPath(c.Field)
		value := map[row.Type]string{row.Text: fmt.Sprintf(`"t%d"`, i), row.Texts: fmt.Sprintf(`["a%d","b"]`, i), row.Int: fmt.Sprint(i), row.Float: fmt.Sprintf("%d.5", i),
			row.Bool: "true", row.Time: `"2026-11-24T08:17:44.123Z"`}[c.Type]
		if err := e.Set(p, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	_ = e.SetString(event.MustPath("event.id"), id)
	_ = e.SetString(event.MustPath("event.kind"), "event")
	return string(e.Append(nil))
}

func TestRun(t *testing.T) {
	at := func(day int, more string) string {
		return fmt.Sprintf(`{"@timestamp":"2026-11-%02dT10:00:00.000Z","event":{"id":"%d","dataset":"d%d"}%s}`, day, day, day%2, more)
	}
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	l := lakeOf(t, persist.Config{Now: now, KeepSmall: true},
		at(20, `,"source":{"ip":"192.0.2.1"}`), at(21, `,"source":{"ip":"192.0.2.2"}`), at(22, `,"source":{"ip":"192.0.2.1"},"x":{"y":[1,null]}`),
		at(23, `,"file":{"hash":{"sha1":"aa"}}`), `{"event":{"id":"no time"},"source":{"ip":"192.0.2.1"}}`,
		`{"@timestamp":"2026-11-22T10:00:00.000Z","event":{"id":"a","kind":"alert"},"source":{"ip":"192.0.2.1"}}`)
	ip, sha1, id := event.MustPath("source.ip"), event.MustPath("file.hash.sha1"), event.MustPath("event.id")
	cfg := Config{Lake: l, Fields: []string{"source.ip", "file.hash.sha1"},
		Match: func(e *event.Event) bool {
			// The columns that were not asked for are not there.
			if e.Get(id).Exists() {
				t.Error("event.id was read")
			}
			return e.Get(ip).Is("192.0.2.1") || e.Get(sha1).Is("aa")
		},
		Enrich: func(e *event.Event) bool { return e.SetString(event.MustPath("threat.x"), "y") == nil }}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 10, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name         string
		since, until time.Time
		want         []string
	}{
		{"all", time.Time{}, time.Time{}, []string{"no time", "20", "22", "23"}},
		{"since", day(21), time.Time{}, []string{"22", "23"}},
		{"until", time.Time{}, day(22), []string{"20"}},
		{"between", day(22), day(23), []string{"22"}},
		{"after", day(24), time.Time{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := cfg
			c.Since, c.Until = tt.since, tt.until
			lines, stats := run(t, c)
			var got []string
			for _, line := range lines {
				var e event.Event
				e.Reset([]byte(line))
				got = append(got, e.Get(id).String())
				if !strings.HasSuffix(line, `,"threat":{"x":"y"}}`) {
					t.Errorf("not enriched: %s", line)
				}
			}
			if !slices.Equal(got, tt.want) || stats.Written != int64(len(tt.want)) {
				t.Errorf("got %q, want %q; %+v", got, tt.want, stats)
			}
			if tt.name == "after" && stats.Files > 0 {
				t.Errorf("%d files were read in vain", stats.Files)
			}
		})
	}
	none := cfg
	none.Enrich = func(*event.Event) bool { return false }
	if lines, _ := run(t, none); lines != nil {
		t.Errorf("written though Enrich said no: %q", lines)
	}
}

// TestSameAsLive: what the lake's events are given is, to the byte, what they would have been given on their way.
func TestSameAsLive(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "iocs.txt"), []byte("192.0.2.1\nevil.example\n198.51.100.0/24\n"+strings.Repeat("ab", 20)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	no := false
	cfg := &intel.Config{Feeds: []*intel.Feed{{Name: "own", File: "iocs.txt"}}, Allow: intel.Allow{Builtin: &no}}
	if c := cfg.Check(); len(c) > 0 {
		t.Fatal(c)
	}
	src, err := cfg.Open(dimension.Env{Name: "ioc", Base: dir, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	f, err := src.Fetch(t.Context(), dimension.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := intel.NewSet(f.Table)
	if err != nil {
		t.Fatal(err)
	}
	m := intel.NewMatcher(set, intel.MatchOptions{})
	lines := []string{
		`{"@timestamp":"2026-11-20T10:00:00.000Z","event":{"id":"1"},"source":{"ip":"192.0.2.1"},"dns":{"question":{"name":"a.evil.example"},"resolved_ip":["203.0.113.1","198.51.100.4"]}}`,
		`{"@timestamp":"2026-11-20T10:00:01.000Z","event":{"id":"2"},"source":{"ip":"192.0.2.2"}}`,
		`{"@timestamp":"2026-11-20T10:00:02.000Z","event":{"id":"3"},"process":{"hash":{"sha1":"` + strings.Repeat("AB", 20) + `"}},"tls":{"client":{"server_name":"evil.example"}}}`,
		`{"@timestamp":"2026-11-20T10:00:03.000Z","event":{"id":"4"},"source":{"ip":["192.0.2.1"]},"threat":{"enrichments":[{"x":1}]}}`,
	}
	id, threat := event.MustPath("event.id"), event.MustPath("threat")
	live := map[string]string{}
	for _, line := range lines {
		var e event.Event
		e.Reset([]byte(line))
		if n, err := m.Enrich(&e); err != nil {
			t.Fatal(err)
		} else if n > 0 {
			live[e.Get(id).String()] = string(e.Get(threat).Raw)
		}
	}
	got, _ := run(t, Config{Lake: lakeOf(t, persist.Config{}, lines...), Fields: intel.MatchFields(false),
		Match: func(e *event.Event) bool { return len(m.Match(e)) > 0 },
		Enrich: func(e *event.Event) bool {
			n, err := m.Enrich(e)
			return n > 0 && err == nil
		}})
	if len(live) != 3 || len(got) != 3 {
		t.Errorf("%d live, %d of the lake", len(live), len(got))
	}
	for _, line := range got {
		var e event.Event
		e.Reset([]byte(line))
		if was := live[e.Get(id).String()]; was != string(e.Get(threat).Raw) {
			t.Errorf("event %s\n live %s\nretro %s", e.Get(id).String(), was, e.Get(threat).Raw)
		}
	}
}

// nowhere is a sink that takes everything, or fails.
type nowhere struct{ err error }

func (n nowhere) Batch(*event.Batch) error { return n.err }
func (nowhere) Hello(stage.Hello) error    { return nil }
func (nowhere) Mark(stage.Mark) error      { return nil }
func (nowhere) Close() error               { return nil }

func TestRunEnds(t *testing.T) {
	l := lakeOf(t, persist.Config{}, `{"event":{"id":"1"}}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Config{Lake: l, Match: all, Enrich: all}, nowhere{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Run(t.Context(), Config{Lake: l, Match: all, Enrich: all}, nowhere{os.ErrClosed}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if pins, err := os.ReadDir(filepath.Join(l.Dir(), "locks", "readers")); err != nil || len(pins) > 0 {
		t.Errorf("%d readers are left, %v", len(pins), err)
	}
}

// TestDamage: a file that is not what the log says is an error that names it, never a panic.
func TestDamage(t *testing.T) {
	var lines []string
	for i := range 500 {
		lines = append(lines, everything(t, fmt.Sprint(i)))
	}
	l := lakeOf(t, persist.Config{}, lines...)
	st, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	path, err := l.Abs(st.Sorted()[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 4, len(good) / 2, len(good) - 5} {
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), Config{Lake: l, Match: all, Enrich: all}, nowhere{}); err == nil || !strings.Contains(err.Error(), st.Sorted()[0].Path) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		bad := bytes.Clone(good)
		for range 1 + r.IntN(8) {
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = Run(t.Context(), Config{Lake: l, Match: all, Enrich: all}, nowhere{})
	}
}

func BenchmarkRun(b *testing.B) {
	var lines []string
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 100_000 {
		lines = append(lines, fmt.Sprintf(`{"@timestamp":"2026-11-24T10:00:00.000Z","event":{"id":"%032d","dataset":"proxy.access","original":"CONNECT www.n%d.example:443 allowed by policy"},`+
			`"source":{"ip":"10.0.%d.%d","port":51820},"destination":{"ip":"93.184.216.34"},"url":{"full":"https://www.n%d.example/","domain":"www.n%d.example"},"proxy":{"policy":"default"}}`,
			i, i, r.IntN(16), r.IntN(256), i, i))
	}
	size := 0
	for _, line := range lines {
		size += len(line) + 1
	}
	l := lakeOf(b, persist.Config{}, lines...)
	ip := event.MustPath("source.ip")
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		stats, err := Run(b.Context(), Config{Lake: l, Fields: []string{"source.ip", "destination.ip", "url.full", "url.domain"},
			Match: func(e *event.Event) bool { return e.Get(ip).Is("10.0.1.1") }, Enrich: all}, nowhere{})
		if err != nil || stats.Written == 0 {
			b.Fatal(stats, err)
		}
	}
}
