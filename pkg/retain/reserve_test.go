package retain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/lake"
)

// TestFullDisk: on a disk without a free byte a run gets out by itself, with and without something in the trash.
func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name    string
		trashed bool
	}{{"something in the trash", true}, {"only the reserve", false}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
				t.Skipf("needs a small file system of its own; mount tmpfs: %v", err)
			}
			t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
			ctx := context.Background()
			l := fill(t, filepath.Join(dir, "lake"), "2020-01-01", "2020-01-02", "2026-11-23")
			k := keeper(t, l)
			if c.trashed {
				s, _ := l.State()
				if _, err := k.Apply(ctx, Make(s, mustPolicy(t, "rules: [{dataset: '*', keep: 300d}]"), now, Disk{})); err != nil {
					t.Fatal(err)
				}
			}
			if err := k.Reserve(); err != nil {
				t.Fatal(err)
			}
			brim(t, filepath.Join(dir, "others"))
			disk, err := DiskOf(dir)
			if err != nil || disk.Free != 0 {
				t.Fatalf("%+v, %v", disk, err)
			}
			s, _ := l.State()
			plan := Make(s, mustPolicy(t, "free: 99%\ntrash: {keep: 7d}"), time.Now(), disk)
			want, _ := plan.Removed()
			if _, err := k.Apply(ctx, plan); !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("the disk is not full enough to show anything: %v", err)
			}
			if _, err := k.Relieve(ctx); err != nil {
				t.Fatal(err)
			}
			if gone, err := k.Apply(ctx, plan); err != nil || len(gone) != len(want) || len(gone) == 0 {
				t.Errorf("%d of %d files went: %v", len(gone), len(want), err)
			}
			if _, err := k.Empty(ctx, 0); err != nil {
				t.Error(err)
			}
			consistent(t, l)
		})
	}
}

// brim fills a file until the disk takes no byte more.
func brim(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(bytes.Repeat([]byte("x"), 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// TestUnnamed: what was committed or removed since data/ was listed is no orphan.
func TestUnnamed(t *testing.T) {
	s := state(lake.File{Path: "data/committed"})
	s.Removals = map[int64]lake.Removal{4: {N: 4, Files: []lake.File{{Path: "data/removed"}}}}
	if got := fmt.Sprint(unnamed(s, []string{"data/committed", "data/left", "data/removed"})); got != "[data/left]" {
		t.Error(got)
	}
}

// TestTornLedger: a line that a crash cut off spoils neither the next line nor the count.
func TestTornLedger(t *testing.T) {
	ctx := context.Background()
	l := fill(t, t.TempDir(), "2020-01-01", "2020-01-02")
	k := keeper(t, l)
	if err := os.WriteFile(filepath.Join(l.Dir(), "ledger", "removed.ndjson"), []byte(`{"time":"2026-`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := l.State()
	plan := Make(s, mustPolicy(t, "rules: [{dataset: '*', keep: 1d}]"), now, Disk{})
	other := *plan
	other.Files = append([]Verdict(nil), plan.Files...)
	other.Files[1].SHA256 = "another"
	if _, err := k.Apply(ctx, &other); !errors.Is(err, ErrChanged) {
		t.Errorf("a plan of another file of that name: %v", err)
	}
	if _, err := k.Apply(ctx, plan); err != nil {
		t.Fatal(err)
	}
	told := ledger(t, l)
	for _, f := range plan.Files {
		if told[f.Path] != 1 {
			t.Errorf("%s is told %d times", f.Path, told[f.Path])
		}
	}
}

// TestUnreachableFree: where others fill the disk, the plan says that its goal can't be met.
func TestUnreachableFree(t *testing.T) {
	for _, c := range []struct {
		free     int64
		warnings int
	}{{50, 0}, {40, 0}, {39, 1}} {
		plan := Make(state(file("a", "2026-11-01", 60)), mustPolicy(t, "free: 100B"), now, Disk{Total: 1000, Free: c.free})
		if len(plan.Warnings) != c.warnings {
			t.Errorf("%d free: %q", c.free, plan.Warnings)
		}
	}
}
