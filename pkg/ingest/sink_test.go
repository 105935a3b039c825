package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/stage"
)

// record is what the tests read from an event.
type record struct {
	Event struct{ ID, Kind, Dataset, Action, Original string }
	Log   struct {
		File   struct{ Path string }
		Source struct{ Address string }
		Offset *int64
	}
	Error struct{ Type, Message string }
	Leat  struct {
		Escaped bool
		Gap     struct {
			Source, Reason    string
			From, To, Dropped *int64
		}
		Spool struct {
			Path, SHA256 string
			Bytes        int64
		}
	}
}

// text is the record as it was read.
func (r record) text() string {
	if r.Leat.Escaped {
		return string(event.UnescapeText(nil, []byte(r.Event.Original)))
	}
	return r.Event.Original
}

// keeper is a Sink that keeps everything and, with a writer, commits each mark to the lake.
type keeper struct {
	t      testing.TB
	mu     sync.Mutex
	recs   []record
	lines  []string
	hello  *stage.Hello
	marks  []stage.Mark
	atMark []int // number of records before each mark
	commit *lake.Writer
	prev   int64
}

func (k *keeper) Batch(b *event.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range b.Events {
		line := e.Append(nil)
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			k.t.Errorf("not JSON: %v: %s", err, line)
		}
		if stage.IsControl(line) {
			k.t.Errorf("an event that looks like a control line: %s", line)
		}
		k.recs = append(k.recs, r)
		k.lines = append(k.lines, string(line))
	}
	return nil
}

func (k *keeper) Hello(h stage.Hello) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hello, k.prev = &h, h.Resume
	return nil
}

// awaitHello waits until the stream has begun; by then every address is bound.
func (k *keeper) awaitHello() {
	k.t.Helper()
	waitFor(k.t, "the hello", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.hello != nil
	})
}

func (k *keeper) Mark(m stage.Mark) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.marks = append(k.marks, m)
	k.atMark = append(k.atMark, len(k.recs))
	if k.commit == nil {
		return nil
	}
	_, err := k.commit.CommitMark(context.Background(), lake.MarkCommit{
		Pipeline: k.hello.Pipeline, Run: k.hello.Run, Epoch: k.hello.Epoch, Prev: k.prev, Mark: m.N, Since: m.Since,
		Positions: m.Sources, End: m.End,
	})
	k.prev = m.N
	return err
}

func (k *keeper) Close() error { return nil }

func (k *keeper) originals() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for _, r := range k.recs {
		if r.Event.Dataset != noticeDataset {
			out = append(out, r.text())
		}
	}
	return out
}

func (k *keeper) notices(action string) []record {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []record
	for _, r := range k.recs {
		if r.Event.Action == action {
			out = append(out, r)
		}
	}
	return out
}

// await waits until n records other than notices came.
func (k *keeper) await(n int) {
	k.t.Helper()
	waitFor(k.t, fmt.Sprintf("%d records", n), func() bool { return len(k.originals()) >= n })
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func testConfig(t testing.TB, sources ...string) Config {
	cfg := Config{Sources: sources, Poll: 50 * time.Millisecond, Grace: 300 * time.Millisecond, Spool: t.TempDir()}
	if testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg
}

// collect runs cfg to its end.
func collect(t testing.TB, cfg Config) *keeper {
	t.Helper()
	k := &keeper{t: t}
	runInto(t, cfg, k)
	return k
}

// resumed is collect against a lake to which every mark is committed.
func resumed(t testing.TB, cfg Config, dir string) *keeper {
	t.Helper()
	cfg.Resume = dir
	k := &keeper{t: t, commit: lakeWriter(t, dir)}
	runInto(t, cfg, k)
	return k
}

func runInto(t testing.TB, cfg Config, k *keeper) {
	t.Helper()
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Pump(context.Background(), src, k); err != nil {
		t.Fatal(err)
	}
}

func lakeWriter(t testing.TB, dir string) *lake.Writer {
	t.Helper()
	l, err := lake.Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.NewWriter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// following runs cfg until stop is called, which returns what Run returned.
func following(t testing.TB, cfg Config, k *keeper) (stop func()) {
	t.Helper()
	cfg.Follow = true
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- stage.Pump(ctx, src, k) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func appendFile(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
