package ingest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"leat/pkg/stage"
)

// sick is a file of which reading fails as long as its error is set.
type sick struct {
	*os.File
	err *atomic.Pointer[error]
}

func (s sick) ReadAt(p []byte, off int64) (int, error) {
	if err := s.err.Load(); err != nil {
		return 0, *err
	}
	return s.File.ReadAt(p, off)
}

func (s sick) Stat() (os.FileInfo, error) {
	if err := s.err.Load(); err != nil && errors.Is(*err, syscall.ESTALE) {
		return nil, *err
	}
	return s.File.Stat()
}

// failing makes cfg fail to read files whose names hold part, while the returned error is set.
func failing(cfg *Config, part string) *atomic.Pointer[error] {
	fault := &atomic.Pointer[error]{}
	cfg.open = func(path string) (handle, error) {
		err := fault.Load()
		if !strings.Contains(path, part) {
			return os.Open(path)
		}
		if err != nil && errors.Is(*err, syscall.EACCES) {
			return nil, &os.PathError{Op: "open", Path: path, Err: *err}
		}
		f, oerr := os.Open(path)
		if oerr != nil {
			return nil, oerr
		}
		return sick{f, fault}, nil
	}
	return fault
}

// A file that can't be read for a while (no permission, an I/O error, a stale handle of NFS) stops nothing, is told once on
// stderr, and is no gap: it goes on where it stood.
func TestUnreadableForAWhile(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ESTALE, syscall.EACCES} {
		for _, suffix := range []string{"", ".gz"} {
			t.Run(errno.Error()+suffix, func(t *testing.T) {
				dir := t.TempDir()
				bad, good := filepath.Join(dir, "bad.log"), filepath.Join(dir, "good.log")
				writeFile(t, bad, "bad 1\n")
				writeFile(t, good, "good 1\n")
				cfg := testConfig(t, filepath.Join(dir, "*"))
				fault := failing(&cfg, "bad")
				k := &keeper{t: t}
				stop := following(t, cfg, k)
				k.await(2)
				err := error(errno)
				fault.Store(&err)
				if suffix == ".gz" {
					writeFile(t, filepath.Join(dir, "bad2.log.gz"), string(gzipped1(t, "zipped 1\nzipped 2\n")))
				} else {
					appendFile(t, bad, "bad 2\n")
				}
				time.Sleep(2 * cfg.Grace)
				appendFile(t, good, "good 2\n")
				// An open file may be read without permission; one that is not yet open may not.
				waitFor(t, "the good one", func() bool { return slices.Contains(k.originals(), "good 2") })
				time.Sleep(cfg.Grace)
				fault.Store(nil)
				n := 4
				if suffix == ".gz" {
					n = 5
				}
				k.await(n)
				stop()
				want := []string{"bad 1", "good 1", "good 2", "bad 2"}
				if suffix == ".gz" {
					want = []string{"bad 1", "good 1", "good 2", "zipped 1", "zipped 2"}
				}
				exactly(t, k.originals(), want)
				if len(k.notices("source_gap"))+len(k.notices("source_damaged")) > 0 {
					t.Errorf("told: %+v %+v", k.notices("source_gap"), k.notices("source_damaged"))
				}
			})
		}
	}
}

// Without follow, what can be read is read and committed in order, the run fails with the file's name, and the next one goes on.
func TestUnreadableOnce(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.EACCES} {
		dir := t.TempDir()
		lakeDir := filepath.Join(t.TempDir(), "lake")
		writeFile(t, filepath.Join(dir, "bad.log"), "bad 1\n")
		writeFile(t, filepath.Join(dir, "good.log"), "good 1\n")
		cfg := testConfig(t, filepath.Join(dir, "*.log"))
		cfg.Resume = lakeDir
		fault := failing(&cfg, "bad")
		first := resumed(t, cfg, lakeDir)
		appendFile(t, filepath.Join(dir, "bad.log"), "bad 2\n")
		appendFile(t, filepath.Join(dir, "good.log"), "good 2\n")
		err := error(errno)
		fault.Store(&err)
		src, nerr := New(cfg)
		if nerr != nil {
			t.Fatal(nerr)
		}
		k := &keeper{t: t, commit: first.commit}
		if err := stage.Pump(context.Background(), src, k); !errors.Is(err, errno) || !strings.Contains(err.Error(), "bad.log") {
			t.Errorf("run: %v", err)
		}
		if len(k.marks) == 0 || !k.marks[len(k.marks)-1].End {
			t.Error("the stream did not end in order")
		}
		fault.Store(nil)
		last := resumed(t, cfg, lakeDir)
		exactly(t, slices.Concat(first.originals(), k.originals(), last.originals()), []string{"bad 1", "good 1", "good 2", "bad 2"})
		if len(k.notices("source_gap"))+len(last.notices("source_gap")) > 0 {
			t.Errorf("%v: gaps", errno)
		}
	}
}
