package intel

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
)

// noon is when the tests run.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// source opens a configuration in a folder; clock may be nil.
func source(t testing.TB, cfg *Config, base string, clock func() time.Time) *Source {
	t.Helper()
	if got := cfg.Check(); len(got) > 0 {
		t.Fatalf("configuration: %v", got)
	}
	if clock == nil {
		clock = func() time.Time { return noon }
	}
	src, err := cfg.Open(dimension.Env{Name: "ioc", Base: base, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src.(*Source)
}

// fetch returns the table, which must be there.
func fetch(t testing.TB, s *Source) *dimension.Fetched {
	t.Helper()
	f, err := s.Fetch(context.Background(), dimension.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rows returns a table's rows by indicator, each as its cells.
func rows(t testing.TB, tab *dimension.Table) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for row := range tab.Rows() {
		var cells map[string]any
		if err := json.Unmarshal(tab.AppendRow(nil, row), &cells); err != nil {
			t.Fatal(err)
		}
		out[cells["indicator"].(string)] = cells
	}
	return out
}

func no() *bool { n := false; return &n }

// write writes a file and returns the folder.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// read makes a table of one feed's text.
func read(t testing.TB, format, text string, change ...func(*Config)) (map[string]map[string]any, counts) {
	t.Helper()
	dir := write(t, t.TempDir(), "feed", text)
	cfg := &Config{Feeds: []*Feed{{Name: "test", File: "feed", Format: format}}, Allow: Allow{Builtin: no()}}
	for _, c := range change {
		c(cfg)
	}
	s := source(t, cfg, dir, nil)
	var last counts
	f := s.feeds[0]
	if err := f.stat(); err != nil {
		t.Fatal(err)
	}
	allow, err := s.allowed()
	if err != nil {
		t.Fatal(err)
	}
	in := intake{feed: f.feed, allow: allow, out: &collector{}, kinds: s.wanted(), life: life{now: noon}}
	if err := f.read(context.Background(), &in); err != nil {
		t.Fatal(err)
	}
	last = in.counts
	return rows(t, fetch(t, s).Table), last
}

// check compares some cells of a row: "column=value" with the cell's JSON.
func check(t *testing.T, got map[string]map[string]any, indicator string, cells ...string) {
	t.Helper()
	row, ok := got[indicator]
	if !ok {
		t.Errorf("no row %q; there are %d", indicator, len(got))
		return
	}
	for _, c := range cells {
		column, want, _ := strings.Cut(c, "=")
		have, err := json.Marshal(row[column])
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want {
			t.Errorf("%s: %s is %s, want %s", indicator, column, have, want)
		}
	}
}

// readBytes reads a feed's text without files.
func (t *intake) readBytes(data []byte) error {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	if t.feed.Format == formatSTIX {
		return readSTIX(open, t)
	}
	return t.readStream(bytes.NewReader(data))
}
