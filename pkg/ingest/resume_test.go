package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
	"leat/pkg/stage"
)

// block returns n lines that no other call returned.
func block(tag string, n int) (lines []string, text string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("%s %d with something behind it", tag, i))
	}
	return lines, strings.Join(lines, "\n") + "\n"
}

// Between two runs anything may happen to a file; every line is read once, and what can't be is told.
func TestResumeAfterRotation(t *testing.T) {
	const glob, exact = "a.log*", "a.log"
	type world struct {
		dir, log string
		t        *testing.T
	}
	old, oldText := block("old", 400)
	more, moreText := block("more", 300)
	newer, newText := block("new", 200)
	for name, c := range map[string]struct {
		between func(w world)
		gaps    int
		want    [][]string
	}{
		"nothing": {func(world) {}, 0, nil},
		"grew":    {func(w world) { appendFile(w.t, w.log, moreText) }, 0, [][]string{more}},
		"renamed": {func(w world) { rename(w.t, w.log, w.log+".1"); writeFile(w.t, w.log, newText) }, 0, [][]string{newer}},
		"no new": {func(w world) {
			appendFile(w.t, w.log, moreText)
			rename(w.t, w.log, w.log+".1")
			writeFile(w.t, w.log, "")
		}, 0, [][]string{more}},
		"truncated": {func(w world) { writeFile(w.t, w.log, newText) }, 1, [][]string{newer}},
		"grew, renamed": {func(w world) {
			appendFile(w.t, w.log, moreText)
			rename(w.t, w.log, w.log+".1")
			writeFile(w.t, w.log, newText)
		}, 0, [][]string{more, newer}},
		"grew, renamed, compressed": {func(w world) {
			appendFile(w.t, w.log, moreText)
			rename(w.t, w.log, w.log+".1")
			run(w.t, "gzip", w.log+".1")
			writeFile(w.t, w.log, newText)
		}, 0, [][]string{more, newer}},
		"grew, copied, truncated": {func(w world) {
			appendFile(w.t, w.log, moreText)
			run(w.t, "cp", w.log, w.log+".1")
			writeFile(w.t, w.log, newText)
		}, 0, [][]string{more, newer}},
		"rotated twice": {func(w world) {
			appendFile(w.t, w.log, moreText)
			rename(w.t, w.log, w.log+".2")
			run(w.t, "gzip", w.log+".2")
			writeFile(w.t, w.log+".1", newText)
			writeFile(w.t, w.log, "last\n")
		}, 0, [][]string{more, newer, {"last"}}},
		"deleted": {func(w world) {
			if err := os.Remove(w.log); err != nil {
				w.t.Fatal(err)
			}
			writeFile(w.t, w.log, newText)
		}, 1, [][]string{newer}},
	} {
		for _, pattern := range []string{glob, exact} {
			t.Run(name+" "+pattern, func(t *testing.T) {
				dir := t.TempDir()
				w := world{dir: dir, log: filepath.Join(dir, "a.log"), t: t}
				lakeDir := filepath.Join(t.TempDir(), "lake")
				cfg := testConfig(t, filepath.Join(dir, pattern))
				writeFile(t, w.log, oldText)
				first := resumed(t, cfg, lakeDir)
				if got := first.originals(); !slices.Equal(got, old) {
					t.Fatalf("first run: %d records", len(got))
				}
				c.between(w)
				second := resumed(t, cfg, lakeDir)
				exactly(t, second.originals(), slices.Concat(c.want...))
				if gaps := second.notices("source_gap"); len(gaps) != c.gaps {
					t.Errorf("%d gaps, want %d: %+v", len(gaps), c.gaps, gaps)
				}
				ids := &keeper{recs: append(first.recs, second.recs...)}
				uniqueIDs(t, ids)
				third := resumed(t, cfg, lakeDir)
				if len(third.recs) > 0 {
					t.Errorf("third run, nothing new: %.300q", third.lines)
				}
			})
		}
	}
}

// The id of a record does not depend on when it was read, or on the name that its file had by then.
func TestIDsAreStable(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "a.log")
	_, text := block("some", 100)
	writeFile(t, log, text)
	before := collect(t, testConfig(t, log))
	appendFile(t, log, "more\n")
	rename(t, log, log+".1")
	run(t, "gzip", log+".1")
	after := collect(t, testConfig(t, filepath.Join(dir, "a.log*")))
	for i, r := range before.recs {
		if r.Event.ID != after.recs[i].Event.ID {
			t.Fatalf("record %d: id %s, and %s from the rotated file", i, r.Event.ID, after.recs[i].Event.ID)
		}
	}
	// Two files with the same contents hold different records.
	writeFile(t, filepath.Join(dir, "b.log"), text)
	uniqueIDs(t, collect(t, testConfig(t, filepath.Join(dir, "*.log*"))))
}

// Short files that begin anew with the same bytes are told apart by generation and inode.
func TestSameShortContents(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "beat.log")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, log+"*")
	all := &keeper{}
	for n := 3; n > 0; n-- {
		writeFile(t, log, "ok\n")
		k := resumed(t, cfg, lakeDir)
		if got := k.originals(); !slices.Equal(got, []string{"ok"}) {
			t.Fatalf("run %d read %q", n, got)
		}
		all.recs = append(all.recs, k.recs...)
		rename(t, log, fmt.Sprintf("%s.%d", log, n))
	}
	uniqueIDs(t, all)
}

// Marks: hello first, numbers behind the committed one, only what changed, no event behind the last.
func TestMarks(t *testing.T) {
	dir := t.TempDir()
	lakeDir := filepath.Join(t.TempDir(), "lake")
	for i := range 20 {
		_, text := block(fmt.Sprint("file ", i), 50)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("f%02d.log", i)), text)
	}
	cfg := testConfig(t, filepath.Join(dir, "*.log"))
	cfg.MarkEvery = MarkEvery{Events: 30}
	first := resumed(t, cfg, lakeDir)
	if first.hello.Resume != 0 || first.hello.Epoch != 1 || first.hello.Run == "" || first.hello.Pipeline != "default" {
		t.Errorf("hello %+v", first.hello)
	}
	for i, m := range first.marks {
		if m.N != int64(i+1) || m.Run != first.hello.Run || m.End != (i == len(first.marks)-1) || m.Since != int64(i) {
			t.Fatalf("mark %d: %+v", i, m)
		}
		if len(m.Sources) > 3 {
			t.Errorf("mark %d names %d sources though 30 records can't be of so many", m.N, len(m.Sources))
		}
		if _, err := time.Parse(time.RFC3339, m.Time); err != nil {
			t.Errorf("mark %d: %v", m.N, err)
		}
		before := 0
		if i > 0 {
			before = first.atMark[i-1]
		}
		if first.atMark[i]-before > 30 {
			t.Errorf("mark %d follows %d records", m.N, first.atMark[i]-before)
		}
	}
	if n := len(first.marks); first.atMark[n-1] != 1000 || n < 34 {
		t.Errorf("%d marks, the last behind %d records", n, first.atMark[n-1])
	}
	appendFile(t, filepath.Join(dir, "f07.log"), "more\n")
	second := resumed(t, cfg, lakeDir)
	last := second.marks[len(second.marks)-1]
	if second.hello.Resume != first.marks[len(first.marks)-1].N || second.hello.Epoch != 2 || second.hello.Run == first.hello.Run {
		t.Errorf("second hello %+v", second.hello)
	}
	if got := second.originals(); !slices.Equal(got, []string{"more"}) {
		t.Errorf("second run read %q", got)
	}
	for name := range last.Sources {
		if !strings.Contains(name, "f07.log#") {
			t.Errorf("the last mark names %s, which did not change", name)
		}
	}
}

// Without a commit nothing is skipped: marks that nobody committed do not move the position.
func TestUncommittedComesAgain(t *testing.T) {
	dir := t.TempDir()
	lakeDir := filepath.Join(t.TempDir(), "lake")
	lines, text := block("x", 100)
	writeFile(t, filepath.Join(dir, "a.log"), text)
	cfg := testConfig(t, filepath.Join(dir, "a.log"))
	cfg.Resume = lakeDir
	cfg.MarkEvery = MarkEvery{Events: 10}
	var ids []string
	for range 2 {
		k := collect(t, cfg)
		if got := k.originals(); !slices.Equal(got, lines) {
			t.Fatalf("%d records", len(got))
		}
		for i, m := range k.marks {
			if m.Since != 0 || len(m.Sources) != 1 || m.N != int64(i+1) {
				t.Errorf("mark %+v", m)
			}
		}
		ids = append(ids, k.recs[99].Event.ID)
	}
	if ids[0] != ids[1] {
		t.Error("ids differ between two readings")
	}
}

// An ingest that was taken over makes no more marks.
func TestSuperseded(t *testing.T) {
	dir := t.TempDir()
	lakeDir := filepath.Join(t.TempDir(), "lake")
	log := filepath.Join(dir, "a.log")
	writeFile(t, log, "one\n")
	cfg := testConfig(t, log)
	cfg.Resume, cfg.Follow, cfg.MarkEvery = lakeDir, true, MarkEvery{Time: 10 * time.Millisecond}
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{t: t}
	done := make(chan error, 1)
	go func() { done <- stage.Pump(context.Background(), src, k) }()
	k.await(1)
	l, err := lake.Open(lakeDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.OpenPipeline(context.Background(), "default"); err != nil {
		t.Fatal(err)
	}
	appendFile(t, log, "two\n")
	if err := <-done; !errors.Is(err, lake.ErrSuperseded) {
		t.Errorf("ended with %v", err)
	}
}

// On an idle stream a mark follows the last event, without waiting for the time of --mark-every.
func TestIdleMark(t *testing.T) {
	log := filepath.Join(t.TempDir(), "a.log")
	writeFile(t, log, "one\n")
	cfg := testConfig(t, log)
	cfg.Resume = filepath.Join(t.TempDir(), "lake")
	cfg.MarkEvery = MarkEvery{Time: time.Hour}
	k := &keeper{t: t}
	stop := following(t, cfg, k)
	waitFor(t, "a mark", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return len(k.marks) == 1 && !k.marks[0].End
	})
	stop()
	if n := len(k.marks); n != 2 || !k.marks[1].End {
		t.Errorf("%d marks, the last %+v", n, k.marks[n-1])
	}
}
