package lake

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newLake(t *testing.T) *Lake {
	t.Helper()
	l, err := Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newWriter(t *testing.T, l *Lake) *Writer {
	t.Helper()
	w, err := l.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// staged writes a file into w's staging folder.
func staged(t *testing.T, w *Writer, name, content string) Staged {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.Staging(), name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return Staged{Name: name, File: File{Dataset: "linux.auth", Date: "2026-11-24", Rows: 3, Kinds: map[string]int64{"event": 3}}}
}

func TestMarkedPipeline(t *testing.T) {
	ctx := context.Background()
	l := newLake(t)
	sess, err := l.OpenPipeline(ctx, "default")
	if err != nil || sess.Epoch != 1 || sess.Mark != 0 || sess.Run == "" || sess.Lake != l.ID() {
		t.Fatalf("%+v, %v", sess, err)
	}
	w := newWriter(t, l)
	m := MarkCommit{
		Pipeline: "default", Run: sess.Run, Epoch: 1, Prev: 0, Mark: 1, Positions: map[string]string{"file:a": "10", "file:b": "1"},
		Files: []Staged{staged(t, w, "x.parquet", "PAR1")},
	}
	s, err := w.CommitMark(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 1 || s.Pipelines["default"].Mark != 1 || !s.Pipelines["default"].Open {
		t.Errorf("%+v", s)
	}
	for path, f := range s.Files {
		want := "data/dataset=linux.auth/date=2026-11-24/" + w.ID() + "-1-1-1.parquet"
		if path != want || f.Path != want || f.Added != s.N || f.Bytes != 4 || f.Rows != 3 || len(f.SHA256) != 64 || f.AddedAt == 0 {
			t.Errorf("%q: %+v", path, f)
		}
		if data, err := os.ReadFile(filepath.Join(l.Dir(), path)); err != nil || string(data) != "PAR1" {
			t.Errorf("%q, %v", data, err)
		}
	}
	if left, _ := os.ReadDir(w.Staging()); len(left) != 0 {
		t.Errorf("left in staging: %v", left)
	}

	m = MarkCommit{Pipeline: "default", Run: sess.Run, Epoch: 1, Prev: 1, Mark: 2, Since: 1, Positions: map[string]string{"file:a": "20", "file:b": ""}, End: true}
	if s, err = w.CommitMark(ctx, m); err != nil || s.Pipelines["default"].Open {
		t.Fatalf("%+v, %v", s, err)
	}
	again, err := Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	sess, err = again.OpenPipeline(ctx, "default")
	if err != nil || sess.Epoch != 2 || sess.Mark != 2 || sess.MarkRun != m.Run || sess.Run == m.Run || len(sess.Positions) != 1 || sess.Positions["file:a"] != "20" {
		t.Fatalf("%+v, %v", sess, err)
	}
	if _, err := w.CommitMark(ctx, MarkCommit{Pipeline: "default", Run: m.Run, Epoch: 1, Prev: 2, Mark: 3}); !errors.Is(err, ErrSuperseded) {
		t.Errorf("superseded commit: %v", err)
	}
}

func TestInitAndOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNoLake) {
		t.Errorf("open nothing: %v", err)
	}
	l, err := Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Init(dir); err != nil || again.ID() != l.ID() {
		t.Errorf("again: %v", err)
	}
	for _, f := range folders() {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	format := filepath.Join(dir, "format")
	if err := os.WriteFile(format, []byte(`{"format":2,"id":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("newer: %v", err)
	}
	if err := os.WriteFile(format, []byte(`wrong`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrNoLake) {
		t.Errorf("damaged: %v", err)
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(home); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("foreign folder: %v", err)
	}
}
