package persist_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/stage"
)

// trickle is a marked pipe in which every mark follows a few events of some datasets.
type trickle struct {
	t    testing.TB
	sink *persist.Sink
	m    *marked
	n    int64 // marks
	rows int64
}

func newTrickle(t testing.TB, l *lake.Lake, cfg persist.Config) *trickle {
	t.Helper()
	cfg.Dir = l.Dir()
	s, err := persist.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := openMarked(t, l)
	ss := m.session
	if err := s.Hello(stage.Hello{Lake: ss.Lake, Pipeline: ss.Pipeline, Epoch: ss.Epoch, Run: ss.Run, Resume: ss.Mark}); err != nil {
		t.Fatal(err)
	}
	return &trickle{t: t, sink: s, m: m, n: ss.Mark, rows: ss.Mark * 12}
}

// batch returns twelve events of three datasets; those of a mark are the same whenever it is sent.
func (x *trickle) batch() *event.Batch {
	var b event.Batch
	for i := range int64(12) {
		b.Push(fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:%02d:%02d.%03dZ","event":{"id":"%d","dataset":"d%d"},"message":"m","own":{"n":%d}}`,
			x.n/60%60, x.n%60, (i*7)%12, x.n*12+i, i%3, i))
	}
	return &b
}

func (x *trickle) mark() {
	x.t.Helper()
	if err := x.sink.Batch(x.batch()); err != nil {
		x.t.Fatal(err)
	}
	x.rows += 12
	x.n++
	if err := x.sink.Mark(stage.Mark{N: x.n, Run: x.m.session.Run, Since: x.n - 1, Sources: map[string]string{"x": fmt.Sprint(x.n)}}); err != nil {
		x.t.Fatal(err)
	}
}

// wait waits until the last mark is committed and cleared up behind: another would have to wait for it.
func (x *trickle) wait(l *lake.Lake) {
	x.t.Helper()
	waitFor(x.t, func() bool { return state(x.t, l).Pipelines["default"].Mark == x.n })
}

func TestSmallFilesAreMerged(t *testing.T) {
	l := initLake(t)
	x := newTrickle(t, l, persist.Config{})
	for range 200 {
		x.mark()
	}
	x.wait(l)
	if err := x.sink.Close(); err != nil {
		t.Fatal(err)
	}
	files, rows, _ := state(t, l).Totals()
	// 200 = 3 x 64 + 1 x 8: four files, of three datasets.
	if files != 3*4 || rows != 2400 {
		t.Errorf("%d files of %d rows after 200 marks", files, rows)
	}
	if got := ask(t, l, `SELECT count(*), count(DISTINCT event.id), min("@timestamp"), max("@timestamp") FROM events`); !strings.HasPrefix(got, "2400 2400 ") {
		t.Errorf("got %s", got)
	}
	left := 0
	_ = filepath.WalkDir(filepath.Join(l.Dir(), "data"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left++
		}
		return err
	})
	// What the newest merges replaced is for retain.
	if st := state(t, l); left > files+mergedIn(st) || len(st.Removals) > 1 {
		t.Errorf("%d files on the disk, %d in the lake, removals %d", left, files, len(st.Removals))
	}
}

func mergedIn(s *lake.State) (n int) {
	for _, r := range s.Removals {
		n += len(r.Files)
	}
	return n
}

// TestMergeLeavesReadersTheirFiles: what a reader has pinned stays until it ends.
func TestMergeLeavesReadersTheirFiles(t *testing.T) {
	l := initLake(t)
	x := newTrickle(t, l, persist.Config{})
	for range 7 {
		x.mark()
	}
	x.wait(l)
	r, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for range 93 {
		x.mark()
	}
	x.wait(l)
	for path := range r.State().Files {
		if _, err := os.Stat(filepath.Join(l.Dir(), path)); err != nil {
			t.Errorf("a pinned file is gone: %v", err)
		}
		if _, ok := state(t, l).Files[path]; ok {
			t.Errorf("%s was not merged", path)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.sink.Close(); err != nil {
		t.Fatal(err)
	}
	for path := range r.State().Files {
		if _, err := os.Stat(filepath.Join(l.Dir(), path)); err == nil {
			t.Errorf("%s is still there after its reader has ended", path)
		}
	}
}

// TestMergeBringsNothingBack: rows that somebody has taken out of the lake do not come again with a merge, and held files stay.
func TestMergeBringsNothingBack(t *testing.T) {
	change := map[string]struct {
		entry  func(path string) *lake.Entry
		rows   int64
		intact bool // all files of before are still there
	}{
		"removed": {func(path string) *lake.Entry { return &lake.Entry{Kind: lake.KindRemove, Removed: []string{path}} }, 16*12 - 4, false},
		"held": {func(string) *lake.Entry {
			return &lake.Entry{Kind: lake.KindHold, Hold: &lake.Hold{Case: "c", Datasets: []string{"*"}}}
		}, 16 * 12, true},
	}
	for name, c := range change {
		t.Run(name, func(t *testing.T) {
			l := initLake(t)
			x := newTrickle(t, l, persist.Config{})
			for range 7 {
				x.mark()
			}
			x.wait(l)
			before := state(t, l).Sorted()
			if _, err := l.Commit(t.Context(), func(*lake.State) (*lake.Entry, error) { return c.entry(before[0].Path), nil }); err != nil {
				t.Fatal(err)
			}
			for range 9 {
				x.mark()
			}
			x.wait(l)
			if err := x.sink.Close(); err != nil {
				t.Fatal(err)
			}
			st := state(t, l)
			if _, rows, _ := st.Totals(); rows != c.rows {
				t.Errorf("%d rows, want %d", rows, c.rows)
			}
			for _, f := range before {
				if _, ok := st.Files[f.Path]; !ok && c.intact {
					t.Errorf("%s was merged", f.Path)
				}
			}
			if n, err := l.VerifyLog(t.Context()); err != nil || n.N != st.N {
				t.Errorf("the log: %v", err)
			}
		})
	}
}

// TestKilledWhileMerging: whenever persist is killed, each event is there once, and the next run goes on.
func TestKilledWhileMerging(t *testing.T) {
	l := initLake(t)
	merged := 0
	for try := range 12 {
		cmd := child("trickle", l.Dir())
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		from := state(t, l).N
		for range 3000 {
			if state(t, l).N > from+30+int64(try*5) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		st := state(t, l)
		merged += len(st.Removals)
		if _, rows, _ := st.Totals(); rows != 12*st.Pipelines["default"].Mark || st.N == from {
			t.Fatalf("try %d: %d rows at mark %d; %s", try, rows, st.Pipelines["default"].Mark, errs.String())
		}
		for path := range st.Files {
			if _, err := os.Stat(filepath.Join(l.Dir(), path)); err != nil {
				t.Fatalf("try %d: %v", try, err)
			}
		}
	}
	if merged == 0 {
		t.Error("no kill hit a pipe that had merged: this tests little")
	}
	n := state(t, l).Pipelines["default"].Mark * 12
	if got := ask(t, l, "SELECT count(*), count(DISTINCT event.id) FROM events"); got != fmt.Sprintf("%d %d\n", n, n) {
		t.Errorf("got %s, want %d", got, n)
	}
}

// trickleOn is the process that is killed: it sends marks as long as it lives.
func trickleOn(dir string) error {
	l, err := lake.Open(dir)
	if err != nil {
		return err
	}
	ss, err := l.OpenPipeline(context.Background(), "default")
	if err != nil {
		return err
	}
	s, err := persist.New(context.Background(), persist.Config{Dir: dir})
	if err != nil {
		return err
	}
	if err := s.Hello(stage.Hello{Lake: ss.Lake, Pipeline: ss.Pipeline, Epoch: ss.Epoch, Run: ss.Run, Resume: ss.Mark}); err != nil {
		return err
	}
	x := &trickle{n: ss.Mark}
	for {
		if err := s.Batch(x.batch()); err != nil {
			return err
		}
		x.n++
		if err := s.Mark(stage.Mark{N: x.n, Run: ss.Run, Since: x.n - 1, Sources: map[string]string{"x": fmt.Sprint(x.n)}}); err != nil {
			return err
		}
	}
}

// TestMergeGivesWayToAFullDisk: the rows that are kept for merging are given up before a commit fails for want of room.
func TestMergeGivesWayToAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l, err := lake.Init(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir(), MaxRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Each of five commits keeps 2 MB of rows that shrink to nothing; a file of its own is some kilobytes.
	text := strings.Repeat("the same words over and over ", 37_000)
	for i := range 5 {
		b := batchOf(fmt.Sprintf(`{"event":{"dataset":"d%d"},"message":%q}`, i, text[:1<<20-1024]), fmt.Sprintf(`{"event":{"dataset":"d%d"},"message":%q}`, i, text[:1<<20-1024]))
		if err := s.Batch(b); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return state(t, l).N == 5 })
	var kept int64
	found, _ := filepath.Glob(filepath.Join(l.Dir(), "staging", "*", "kept-*"))
	for _, p := range found {
		if info, err := os.Stat(p); err == nil {
			kept += info.Size()
		}
	}
	if kept < 8<<20 {
		t.Fatalf("only %d bytes are kept: this tests nothing", kept)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	// Room for the spill, and none for its file.
	noisy := make([]byte, 0, 1<<20)
	r := rand.New(rand.NewPCG(1, 1))
	for len(noisy) < 700<<10 {
		noisy = strconv.AppendUint(noisy, r.Uint64(), 36)
	}
	free := int64(st.Bavail) * st.Bsize
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, free-800<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Batch(batchOf(fmt.Sprintf(`{"event":{"dataset":"d9"},"message":%q}`, noisy))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the commit failed beside %d bytes that were only kept: %v", kept, err)
	}
	if _, rows, _ := state(t, l).Totals(); rows != 11 {
		t.Errorf("%d rows", rows)
	}
}
