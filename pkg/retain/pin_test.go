package retain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
)

// TestKinds: a file that holds rows of several kinds stays as long as the longest of their rules.
func TestKinds(t *testing.T) {
	p := mustPolicy(t, "rules: [{dataset: '*', kind: alert, keep: 100d}, {dataset: '*', kind: 'ev*', keep: 1d}]")
	for _, c := range []struct {
		kinds map[string]int64
		want  bool
	}{
		{map[string]int64{"event": 3}, true},
		{map[string]int64{"event": 3, "alert": 1}, false},
		{map[string]int64{"event": 3, "metric": 1}, false}, // no rule speaks of a metric
		{nil, false},
	} {
		f := file("linux.auth", "2026-10-24", 10)
		f.Kinds = c.kinds
		if got := Make(state(f), p, now, Disk{}).Files[0]; got.Remove != c.want {
			t.Errorf("%v: goes %v, want %v (%s)", c.kinds, got.Remove, c.want, got.Reason)
		}
	}
}

// TestHoldCovers: a hold on dates reaches events that lie in the partition of another date, and datasets in the partition
// for odd names.
func TestHoldCovers(t *testing.T) {
	h := lake.Hold{Case: "c", Datasets: []string{"linux.*"}, From: "2026-03-01", To: "2026-03-31"}
	at := func(date string) int64 {
		d, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		return d.UnixNano()
	}
	for _, c := range []struct {
		dataset, date, first, last string
		want                       bool
	}{
		{"linux.auth", "2026-03-01", "", "", true},
		{"linux.auth", "2026-03-31", "", "", true},
		{"linux.auth", "2026-04-01", "", "", false},
		{"linux.auth", "2026-11-24", "2026-01-01", "2026-03-01", true},
		{"linux.auth", "2026-11-24", "2026-01-01", "2026-12-31", true},
		{"linux.auth", "2026-11-24", "2026-01-01", "2026-02-28", false},
		{"zeek.conn", "2026-03-15", "", "", false},
		{lake.OtherDataset, "2026-03-15", "", "", true},
	} {
		f := lake.File{Dataset: c.dataset, Date: c.date}
		if c.first != "" {
			f.MinTime, f.MaxTime = at(c.first), at(c.last)
		}
		if got := covers(h, f); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestLatePin: a file that a reader has kept in place when the trash was filled leaves the disk all the same once the
// reader is gone; while it is open, what is late is told.
func TestLatePin(t *testing.T) {
	ctx := context.Background()
	l := fill(t, t.TempDir(), "2020-01-01")
	k := keeper(t, l)
	reader, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	s := reader.State()
	gone, err := k.Apply(ctx, Make(s, mustPolicy(t, "rules: [{dataset: '*', keep: 1d}]"), now, Disk{}))
	if err != nil || len(gone) != 1 {
		t.Fatal(gone, err)
	}
	pinned := filepath.Join(l.Dir(), gone[0].Path)
	if n, err := k.Empty(ctx, 0); n != 0 || err != nil {
		t.Errorf("emptied %d, %v", n, err)
	}
	if body, err := os.ReadFile(pinned); err != nil || len(body) != 100 {
		t.Errorf("the reader's file: %d bytes, %v", len(body), err)
	}
	if n, err := k.Overdue(0); n != 0 || err != nil {
		t.Errorf("late at once: %d, %v", n, err)
	}
	k.now = func() time.Time { return time.Now().Add(2 * overdueAfter) }
	if n, err := k.Overdue(0); n != 100 || err != nil {
		t.Errorf("late: %d, %v", n, err)
	}
	if n, err := k.Overdue(4 * overdueAfter); n != 0 || err != nil {
		t.Errorf("late within its time in the trash: %d, %v", n, err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := k.Empty(ctx, 0); n != 100 || err != nil {
		t.Errorf("emptied %d, %v", n, err)
	}
	consistent(t, l)
	if _, err := os.Stat(k.trash(gone[0].Path)); err == nil {
		t.Error("it is still in the trash")
	}
	if got := ledger(t, l); len(got) != 1 {
		t.Errorf("ledger: %v", got)
	}
}

// TestShortOfSpace: what was removed before and is still on the disk counts as free, so that the same shortage does not
// take more at each run; and the plan says that the trash can't wait.
func TestShortOfSpace(t *testing.T) {
	s := state(file("a", "2026-11-01", 50), file("a", "2026-11-02", 60))
	p := mustPolicy(t, "free: 100B")
	for _, c := range []struct {
		free, trash int64
		removed     int
		purge       bool
	}{{100, 0, 0, false}, {60, 0, 1, true}, {60, 40, 0, true}, {0, 0, 2, true}} {
		s.Removals = map[int64]lake.Removal{3: {N: 3, Files: []lake.File{{Path: "x", Bytes: c.trash}}}}
		plan := Make(s, p, now, Disk{Total: 1000, Free: c.free})
		if gone, _ := plan.Removed(); len(gone) != c.removed || plan.Purge != c.purge {
			t.Errorf("%+v: %d go, purge %v", c, len(gone), plan.Purge)
		}
	}
}

// TestBesideWriter: sweeping while a writer commits takes nothing of the writer's, published or committed.
func TestBesideWriter(t *testing.T) {
	ctx := context.Background()
	l := fill(t, t.TempDir(), "2020-01-01")
	w, err := l.NewWriter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	done := make(chan error, 1)
	go func() {
		for i := range 40 {
			name := fmt.Sprintf("%d.parquet", i)
			if err := os.WriteFile(filepath.Join(w.Staging(), name), []byte(strings.Repeat("x", 10)), 0o600); err != nil {
				done <- err
				return
			}
			f := lake.File{Dataset: "a", Date: []string{"2020-01-01", "2026-11-24"}[i%2], Rows: 1}
			if _, err := w.CommitFiles(ctx, []lake.Staged{{Name: name, File: f}}, ""); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	k := keeper(t, l)
	k.now = func() time.Time { return time.Now().Add(2 * orphanAge) } // so that age protects nothing here
	p := mustPolicy(t, "rules: [{dataset: '*', keep: 300d}]")
	removed := 0
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		s, err := l.State()
		if err != nil {
			t.Fatal(err)
		}
		gone, err := k.Apply(ctx, Make(s, p, now, Disk{}))
		if err != nil {
			t.Fatal(err)
		}
		removed += len(gone)
		if n, err := k.Orphans(ctx); n != 0 || err != nil {
			t.Fatalf("%d of a living writer's files were taken for left over; %v", n, err)
		}
	}
	consistent(t, l)
	if s, _ := l.State(); len(s.Files) != 20 || removed != 21 {
		t.Errorf("%d files stay, %d were removed; want 20 and 21", len(s.Files), removed)
	}
}
