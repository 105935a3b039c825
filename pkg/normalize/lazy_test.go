package normalize

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"leat/pkg/event"
)

// compileAll compiles files as if they came from a folder.
func compileAll(order []string, files map[string][]byte) (*Mappings, error) {
	return compileFiles(order, 0, files)
}

// Every built-in mapping compiles, and has by its head alone what it has as a whole.
func TestCheck(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, p := range m.plans {
		data, err := builtin.ReadFile(p.file)
		if err != nil {
			t.Fatal(err)
		}
		q, err := compileMapping(p.file, data, func(string) ([]byte, string, bool) { return []byte("name: base\n"), "base", true })
		if p.finish != nil {
			late++
		}
		if err == nil && (q.name != p.name || q.dataset != p.dataset || q.about != p.about || len(q.signs) != len(p.signs) || len(q.hints) != len(p.hints)) {
			t.Errorf("%s: its head says %s, %s, %q; it is %s, %s, %q", p.file, p.name, p.dataset, p.about, q.name, q.dataset, q.about)
		}
	}
	if late < len(m.plans)/2 {
		t.Errorf("only %d of %d mappings wait for their first record", late, len(m.plans))
	}
}

// A mapping of a folder that takes the place of one that built-in ones extend has its faults told at the start.
func TestReplacedBaseIsCheckedAtOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "base.yaml"), []byte("name: windows.base\nfields:\n  process: a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "process") {
		t.Errorf("a base whose field is an object of the mappings that extend it: %v", err)
	}
}

// Stages side by side meet a mapping's first record at the same time.
func TestFirstRecordsSideBySide(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := New(Config{Mappings: m})
			var b event.Batch
			for _, line := range samples {
				b.Push([]byte(line))
			}
			if err := s.Process(&b); err != nil {
				t.Error(err)
			}
			for _, e := range b.Events {
				if !e.Get(pathKind).Exists() {
					t.Errorf("no event: %s", e.Append(nil))
				}
			}
		})
	}
	wg.Wait()
}

// No built-in mapping has a sign for which every text must be tried.
func TestEverySignIsFiled(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range m.index.always {
		t.Errorf("%s: a sign without a literal, a beginning, a program or a key", m.index.signs[n].plan.name)
	}
}
