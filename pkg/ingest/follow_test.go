package ingest

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// exactly compares what was read with what was written, as sets with counts: rotation may reorder files.
func exactly(t *testing.T, got, want []string) {
	t.Helper()
	count := map[string]int{}
	for _, w := range want {
		count[w]--
	}
	for _, g := range got {
		count[g]++
	}
	bad := 0
	for line, n := range count {
		if n != 0 {
			if bad++; bad < 6 {
				t.Errorf("%+d times: %.120q", n, line)
			}
		}
	}
	if bad > 0 {
		t.Fatalf("%d of %d lines are missing or doubled (read %d)", bad, len(want), len(got))
	}
}

// A file is read while it grows, is rotated by three means, and appears anew.
func TestFollowRotation(t *testing.T) {
	rotations := map[string]func(t *testing.T, path string, n int){
		"rename": func(t *testing.T, path string, n int) {
			rename(t, path, fmt.Sprintf("%s.%d", path, n))
		},
		"rename and compress": func(t *testing.T, path string, n int) {
			to := fmt.Sprintf("%s.%d", path, n)
			rename(t, path, to)
			run(t, "gzip", to)
		},
		"copy and truncate": func(t *testing.T, path string, n int) {
			run(t, "cp", path, fmt.Sprintf("%s.%d", path, n))
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		},
		"copy, truncate and compress": func(t *testing.T, path string, n int) {
			to := fmt.Sprintf("%s.%d", path, n)
			run(t, "cp", path, to)
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			run(t, "gzip", to)
		},
	}
	for name, rotate := range rotations {
		for _, glob := range []string{"app.log", "app.log*"} {
			t.Run(name+" "+glob, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "app.log")
				k := &keeper{t: t}
				stop := following(t, testConfig(t, filepath.Join(filepath.Dir(path), glob)), k)
				var want []string
				for n := 8; n > 0; n-- {
					for range 5 {
						block := ""
						for range 200 {
							line := fmt.Sprintf("%s record %d of the log with some text behind it", name, len(want))
							want = append(want, line)
							block += line + "\n"
						}
						appendFile(t, path, block)
						time.Sleep(time.Duration(len(want)%7) * time.Millisecond)
					}
					rotate(t, path, n)
				}
				appendFile(t, path, "the end\n")
				want = append(want, "the end")
				for end := time.Now().Add(20 * time.Second); len(k.originals()) < len(want) && time.Now().Before(end); {
					time.Sleep(5 * time.Millisecond)
				}
				stop()
				exactly(t, k.originals(), want)
				if gaps := k.notices("source_gap"); len(gaps) > 0 {
					t.Errorf("gaps although nothing is missing: %+v", gaps)
				}
				uniqueIDs(t, k)
			})
		}
	}
}

func uniqueIDs(t *testing.T, k *keeper) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range k.recs {
		if other, ok := seen[r.Event.ID]; ok {
			t.Fatalf("two events have the id %s: %q and %q", r.Event.ID, other, r.Event.Original)
		}
		seen[r.Event.ID] = r.Event.Original
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// The rest of a line is waited for; a file that appears later is read from its beginning.
func TestFollowUnfinishedLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	writeFile(t, path, "one\ntw")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, filepath.Join(dir, "*.log")), k)
	k.await(1)
	appendFile(t, path, "o\nthr")
	k.await(2)
	appendFile(t, filepath.Join(dir, "b.log"), "other\n")
	k.await(3)
	stop()
	if got, want := k.originals(), []string{"one", "two", "other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A truncation without a copy loses what was not read yet, perhaps nothing: it is told.
func TestFollowTruncationIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	writeFile(t, path, "one\ntwo\n")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, path), k)
	k.await(2)
	writeFile(t, path, "three\n") // truncates
	k.await(3)
	waitFor(t, "a source_gap", func() bool { return len(k.notices("source_gap")) == 1 })
	stop()
	gap := k.notices("source_gap")[0]
	if gap.Leat.Gap.From == nil || *gap.Leat.Gap.From != 8 || gap.Leat.Gap.Reason != "truncated" || gap.Event.Kind != "event" ||
		gap.Log.File.Path != path || gap.Event.Dataset != "leat.ingest" {
		t.Errorf("gap: %+v", gap)
	}
}

// A deleted file is read as long as its writer goes on; nothing is missing then.
func TestFollowDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	writeFile(t, path, "one\n")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, path), k)
	k.await(1)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("two\n"); err != nil {
		t.Fatal(err)
	}
	k.await(2)
	writeFile(t, path, "three\n")
	k.await(3)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"one", "two", "three"}) || len(k.notices("source_gap")) > 0 {
		t.Errorf("got %q, gaps %+v", got, k.notices("source_gap"))
	}
}

// More files than stay open: the idle ones are closed, and opened again where they grow.
func TestFollowManyFiles(t *testing.T) {
	dir := t.TempDir()
	const n = maxOpen + 100
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("f%04d.log", i)) }
	var want []string
	for i := range n {
		line := fmt.Sprintf("first line of file %d", i)
		want = append(want, line)
		writeFile(t, path(i), line+"\n")
	}
	k := &keeper{t: t}
	stop := following(t, testConfig(t, filepath.Join(dir, "*.log")), k)
	k.await(n)
	open := func() (c int) {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc: open files can't be counted")
		}
		for _, e := range names {
			if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, dir) {
				c++
			}
		}
		return c
	}
	waitFor(t, "idle files to be closed", func() bool { return open() <= maxOpen })
	for i := range n {
		line := fmt.Sprintf("second line of file %d", i)
		want = append(want, line)
		appendFile(t, path(i), line+"\n")
	}
	k.await(2 * n)
	stop()
	exactly(t, k.originals(), want)
	if gaps := k.notices("source_gap"); len(gaps) > 0 {
		t.Errorf("gaps: %+v", gaps[0])
	}
}

// A path that may not be read is told once and holds up nothing; any other failure ends the run.
func TestRefused(t *testing.T) {
	cfg := testConfig(t, "/x").withDefaults()
	said := &strings.Builder{}
	cfg.Log = slog.New(slog.NewTextHandler(said, nil))
	tl, err := newTailer(&cfg, newEmitter(&cfg, &keeper{t: t}), []spec{{path: "/x"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := tl.refused("/x", &fileError{"/x", os.ErrPermission}); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(said.String(), "can't read"); n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
	if err := tl.refused("/x", os.ErrInvalid); err == nil {
		t.Error("another error is swallowed")
	}
}
