package ingest

import (
	"fmt"
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
