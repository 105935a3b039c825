package retain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"leat/pkg/lake"
)

// fill makes a lake with n committed files of dataset and date.
func fill(t testing.TB, dir string, dates ...string) *lake.Lake {
	t.Helper()
	l, err := lake.Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.NewWriter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range dates {
		name := fmt.Sprintf("%d.parquet", i)
		if err := os.WriteFile(filepath.Join(w.Staging(), name), bytes.Repeat([]byte{byte(i)}, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CommitFiles(context.Background(), []lake.Staged{{Name: name, File: lake.File{Dataset: "linux.auth", Date: d, Rows: 1}}}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

func keeper(t *testing.T, l *lake.Lake) *Keeper {
	t.Helper()
	k, err := NewKeeper(l, "test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// consistent fails unless each file on the disk is named by the log, and each that the log removed is not in data/.
func consistent(t *testing.T, l *lake.Lake) {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	for p := range s.Files {
		if _, err := os.Stat(filepath.Join(l.Dir(), p)); err != nil {
			t.Errorf("in the log, not on the disk: %v", err)
		}
	}
	_ = filepath.WalkDir(filepath.Join(l.Dir(), "data"), func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(l.Dir(), p)
			if _, ok := s.Files[rel]; !ok {
				t.Errorf("%s is on the disk and not in the log", rel)
			}
		}
		return nil
	})
}

func ledger(t *testing.T, l *lake.Lake) map[string]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.Dir(), "ledger", "removed.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]int{}
	for line := range bytes.Lines(data) {
		var e LedgerLine
		if json.Unmarshal(line, &e) == nil && e.Path != "" {
			paths[e.Path]++
		}
	}
	return paths
}

func TestApply(t *testing.T) {
	l := fill(t, t.TempDir(), "2020-01-01", "2020-01-02", "2026-11-24")
	k := keeper(t, l)
	if _, err := NewKeeper(l, "other", time.Now); !errors.Is(err, lake.ErrBusy) {
		t.Errorf("two keepers: %v", err)
	}
	p := mustPolicy(t, "rules: [{dataset: '*', keep: 300d}]\ntrash: {keep: 1d}")
	reader, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := l.State()
	plan := Make(s, p, now, Disk{})
	gone, err := k.Apply(context.Background(), plan)
	if err != nil || len(gone) != 2 {
		t.Fatalf("%v %v", gone, err)
	}
	for _, v := range gone {
		if _, err := os.Stat(filepath.Join(l.Dir(), v.Path)); err != nil {
			t.Errorf("a reader's file was moved: %v", err)
		}
	}
	if _, err := k.Apply(context.Background(), plan); !errors.Is(err, ErrChanged) {
		t.Errorf("a stale plan: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if err := k.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	consistent(t, l)
	if got := ledger(t, l); len(got) != 2 {
		t.Errorf("ledger: %v", got)
	}
	if n, err := k.Empty(context.Background(), time.Hour); n != 0 || err != nil {
		t.Errorf("emptied too early: %d %v", n, err)
	}
	if n, err := k.Empty(context.Background(), 0); n != 200 || err != nil {
		t.Errorf("emptied %d, %v", n, err)
	}
	if n, damaged, err := Verify(context.Background(), l, 0, 1); n != 1 || len(damaged) != 0 || err != nil {
		t.Errorf("verify: %d %v %v", n, damaged, err)
	}
}

func TestHoldAfterPlan(t *testing.T) {
	l := fill(t, t.TempDir(), "2020-01-01")
	k := keeper(t, l)
	s, _ := l.State()
	plan := Make(s, mustPolicy(t, "rules: [{dataset: '*', keep: 1d}]"), now, Disk{})
	if err := SetHold(context.Background(), l, lake.Hold{Case: "c", Datasets: []string{"*"}}, "me", "why"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Apply(context.Background(), plan); !errors.Is(err, ErrHeldNow) {
		t.Errorf("%v", err)
	}
	for _, h := range []lake.Hold{{Case: "c", Datasets: []string{"other"}}, {Case: "d", Datasets: []string{"["}}} {
		if err := SetHold(context.Background(), l, h, "me", ""); err == nil {
			t.Errorf("%+v is taken", h)
		}
	}
	if err := SetHold(context.Background(), l, lake.Hold{Case: "none", Released: true}, "me", ""); err == nil {
		t.Error("a hold that never was is released")
	}
}

func TestOrphansAndDamage(t *testing.T) {
	l := fill(t, t.TempDir(), "2026-11-23", "2026-11-24")
	old := filepath.Join(l.Dir(), "data", "dataset=x", "date=2026-11-01", "01J-left.parquet")
	fresh := filepath.Join(filepath.Dir(old), "01J-fresh.parquet")
	_ = os.MkdirAll(filepath.Dir(old), 0o700)
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * orphanAge)
	_ = os.Chtimes(old, long, long)
	k := keeper(t, l)
	if n, err := k.Orphans(context.Background()); n != 1 || err != nil {
		t.Errorf("%d orphans, %v", n, err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the orphan stays")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a file that may be under way went")
	}
	s, _ := l.State()
	for p := range s.Files {
		if err := os.WriteFile(filepath.Join(l.Dir(), p), []byte("rot"), 0o600); err != nil {
			t.Fatal(err)
		}
		break
	}
	if n, damaged, err := Verify(context.Background(), l, 0, 1); n != 2 || len(damaged) != 1 || err != nil {
		t.Errorf("verify: %d %v %v", n, damaged, err)
	}
}

// child applies a plan over and over until it is killed.
func child(dir string) int {
	l, err := lake.Open(dir)
	if err != nil {
		return 1
	}
	k, err := NewKeeper(l, "child", time.Now)
	if err != nil {
		return 1
	}
	p, _ := ParsePolicy("p", []byte("rules: [{dataset: '*', keep: 1d}]"))
	for {
		s, err := l.State()
		if err != nil {
			return 1
		}
		plan := Make(s, p, time.Now(), Disk{})
		// One file at a time, so that a kill finds work at every step.
		for i := range plan.Files {
			if plan.Files[i].Remove {
				one := *plan
				one.Files = plan.Files[i : i+1]
				if _, err := k.Apply(context.Background(), &one); err != nil {
					return 1
				}
			}
		}
		if _, err := k.Empty(context.Background(), 0); err != nil {
			return 1
		}
	}
}

// TestKill kills a process that applies plans, again and again; each time the next run must find everything in order.
func TestKill(t *testing.T) {
	var dates []string
	for i := range 120 {
		dates = append(dates, time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	dir := t.TempDir()
	l := fill(t, dir, dates...)
	r := rand.New(rand.NewPCG(5, 6))
	for range 25 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "LEAT_RETAIN_CHILD="+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+r.IntN(60)) * time.Millisecond)
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	k := keeper(t, l)
	if err := k.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	consistent(t, l)
	s, _ := l.State()
	removed := len(dates) - len(s.Files)
	told := ledger(t, l)
	if removed == 0 || len(told) != removed {
		t.Errorf("%d files were removed, the ledger tells of %d", removed, len(told))
	}
	for p, n := range told {
		if n != 1 {
			t.Errorf("%s is told %d times", p, n)
		}
	}
}
