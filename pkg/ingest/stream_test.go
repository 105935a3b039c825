package ingest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/ingest/journal"
	"leat/pkg/stage"
)

// Records of a pipe go on as they come, and the end of the run does not wait for a silent writer.
func TestStdinPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	cfg := testConfig(t, "-")
	cfg.Stdin = r
	k := &keeper{t: t}
	stop := following(t, cfg, k)
	for i, text := range []string{"one\n", "two\n", "three\nfour"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		k.await(i + 1)
	}
	stop()
	// The rest of a line that was read is not thrown away.
	if got := k.originals(); !slices.Equal(got, []string{"one", "two", "three", "four"}) {
		t.Errorf("got %q", got)
	}
}

func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	k := &keeper{t: t}
	stop := following(t, testConfig(t, path), k)
	// Followed, it outlives its writers.
	for i := range 3 {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "line\n"); err != nil {
			t.Fatal(err)
		}
		w.Close()
		k.await(i + 1)
	}
	stop()
	// Without follow it ends with its writer; one that nobody opens can be given up.
	src, err := New(testConfig(t, path))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := stage.Pump(ctx, src, &keeper{t: t}); err != nil {
		t.Error(err)
	}
}

// 100 MB in one line: bounded memory, nothing lost.
func TestHugeLine(t *testing.T) {
	cfg := testConfig(t, "-")
	cfg.MaxLine = 1 << 20
	const size = 100 << 20
	cfg.Stdin = io.MultiReader(strings.NewReader("before\n"), io.LimitReader(endless{}, size), strings.NewReader("\nafter\n"))
	k := collect(t, cfg)
	if len(k.recs) != 3 || k.recs[0].text() != "before" || k.recs[2].text() != "after" || k.recs[1].Leat.Spool.Bytes != size {
		t.Fatalf("%d records: %.300q", len(k.recs), k.lines)
	}
	if info, err := os.Stat(k.recs[1].Leat.Spool.Path); err != nil || info.Size() != size {
		t.Errorf("%v, %v", info, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'z'
	}
	return len(p), nil
}

// A journal that is not there any more is a gap; numbers that it used are not used again.
func TestJournalReplaced(t *testing.T) {
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "-")
	cfg.Stdin = strings.NewReader("one\ntwo\n")
	first := resumed(t, cfg, lakeDir)
	if err := os.RemoveAll(lakeDir + ".state"); err != nil {
		t.Fatal(err)
	}
	cfg.Stdin = strings.NewReader("three\n")
	second := resumed(t, cfg, lakeDir)
	gaps := second.notices("source_gap")
	if len(gaps) != 1 || *gaps[0].Leat.Gap.From != 3 || !strings.HasPrefix(gaps[0].Leat.Gap.Source, "journal:") {
		t.Errorf("gaps %+v", gaps)
	}
	if got := second.originals(); !slices.Equal(got, []string{"three"}) {
		t.Errorf("got %q", got)
	}
	cfg.Stdin = strings.NewReader("")
	if third := resumed(t, cfg, lakeDir); len(third.recs) > 0 {
		t.Errorf("told again: %q", third.lines)
	}
	uniqueIDs(t, &keeper{recs: append(first.recs, second.recs...)})
}

// A pipeline whose journal another process holds is left in peace: it is not fenced.
func TestJournalBusy(t *testing.T) {
	lakeDir := filepath.Join(t.TempDir(), "lake")
	j, err := journal.Open(filepath.Join(lakeDir+".state", "journal", "default"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	cfg := testConfig(t, "-")
	cfg.Resume, cfg.Stdin = lakeDir, strings.NewReader("x\n")
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{t: t}
	if err := stage.Pump(context.Background(), src, k); err == nil || !strings.Contains(err.Error(), "another process") || k.hello != nil {
		t.Errorf("error %v, hello %v", err, k.hello)
	}
}
