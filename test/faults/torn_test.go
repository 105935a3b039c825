package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"leat/pkg/lake"
)

// What a power loss leaves on a disk that only claimed to have written: a file that is cut, or whose end is zeros, or bytes of
// another file. The fault is put there by hand; then the same command is typed again and must go on by itself.

// tails are what may stand in place of the end of a file.
var tails = map[string]func(whole []byte, cut int) []byte{
	"cut": func(whole []byte, cut int) []byte { return whole[:cut] },
	"zeros": func(whole []byte, cut int) []byte {
		return append(slices.Clone(whole[:cut]), make([]byte, len(whole)-cut)...)
	},
	"garbage": func(whole []byte, cut int) []byte {
		return append(slices.Clone(whole[:cut]), bytes.Repeat([]byte("\xff}\n{\x00"), len(whole))[:len(whole)-cut]...)
	},
}

// cuts are the places at which a file is torn: in the long form every byte of a small one and 150 of a large one, else its beginning,
// middle and end. pkg/lake tears log entries at every byte without starting a pipe for each (TestTornEntry).
func cuts(size int) (out []int) {
	if os.Getenv("LEAT_LONG") == "" {
		return []int{0, size / 2, size - 1}
	}
	step := 1
	if size > 2000 {
		step = size / 150 // a chain takes half a second to start
	}
	for at := 0; at < size; at += step {
		out = append(out, at)
	}
	return append(out, size-1)
}

const tornLines = 2400

// tornSite is a site whose lake holds more than a hundred marks of in.log and was then cut off, so that its newest log entry is a
// commit with files, and a checkpoint is there.
func tornSite(t *testing.T) (s *site, commands func(lake string) [][]string) {
	t.Helper()
	return tornSiteOf(t, newSite(t))
}

func tornSiteOf(t *testing.T, s *site) (_ *site, commands func(lake string) [][]string) {
	t.Helper()
	in := write(t, s.dir, "in.log", linesOf(1, tornLines))
	commands = func(lake string) [][]string {
		return [][]string{
			{s.leat, "ingest", "--resume", lake, "--mark-every", "20", in}, {s.leat, "normalize"},
			{s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", lake},
		}
	}
	all := commands(s.cfg.Lake)
	text, mark := killedBehindMark(t, all[0], 105)
	end := mark + bytes.IndexByte(text[mark:], '\n') + 1
	all[0] = []string{"cat", write(t, s.dir, "pipe", string(text[:end]))}
	for _, c := range s.pipe(t, all) {
		_ = c.Wait()
	}
	if p := s.pipeline(t); p.Mark != 105 {
		t.Fatalf("%+v", p)
	}
	return s, commands
}

// newestFiles are the files of the newest mark's commit.
func (s *site) newestFiles(t *testing.T) (out []lake.File) {
	t.Helper()
	for _, f := range s.state(t).Sorted() {
		if f.Mark == s.pipeline(t).Mark {
			out = append(out, f)
		}
	}
	return out
}

// TestTornLastCommit tears each file of the newest commit, the newest checkpoint among them. What was committed whole stays, what was
// not counts as never written, and is read again.
func TestTornLastCommit(t *testing.T) {
	t.Parallel()
	s, commands := tornSite(t)
	st := s.state(t)
	targets := map[string]string{
		"log entry":  fmt.Sprintf("log/%020d.json", st.N),
		"checkpoint": fmt.Sprintf("log/checkpoint-%020d.json", 100),
	}
	for _, f := range s.newestFiles(t) {
		targets["data file "+f.Dataset] = f.Path
	}
	if len(targets) < 3 {
		t.Fatalf("nothing to tear: %v", targets)
	}
	for name, path := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := os.ReadFile(filepath.Join(s.cfg.Lake, path))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for i, cut := range cuts(len(whole)) {
				kind := []string{"cut", "zeros", "garbage"}[i%3]
				torn := tails[kind](whole, cut)
				if bytes.Equal(torn, whole) {
					continue
				}
				lake := filepath.Join(t.TempDir(), "lake")
				if out, err := exec.Command("cp", "-a", s.cfg.Lake, lake).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if err := os.WriteFile(filepath.Join(lake, path), torn, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, c := range s.pipe(t, commands(lake)) {
					if err := c.Wait(); err != nil {
						t.Errorf("%s at byte %d of %d: %v: %v", kind, cut, len(whole), c.Args[:2], err)
					}
				}
				mustBeExact(t, count(t, s.leat, s.py, lake), tornLines)
				if out, err := exec.Command(s.leat, "retain", "verify", "--lake", lake).CombinedOutput(); err != nil {
					t.Errorf("%s at byte %d of %d: retain verify: %v: %s", kind, cut, len(whole), err, out)
				}
				if t.Failed() {
					t.FailNow()
				}
				_ = os.RemoveAll(lake)
				n++
			}
			fmt.Printf("faults: %s of %d bytes torn in %d ways\n", name, len(whole), n)
		})
	}
}

// TestTornJournal tears the journal's newest segment while the lake has not committed all of it. What the disk lost is lost, since
// the sender was told that it had arrived; but nothing is doubled, no number is used twice, and what comes later arrives.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 2000
	commands := func(lake, state, in string) [][]string {
		return [][]string{
			{"cat", in}, {s.leat, "ingest", "--resume", lake, "--state", state, "--mark-every", "500", "-"},
			{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", lake},
		}
	}
	first := write(t, s.dir, "first", linesOf(1, n))
	run := commands(s.cfg.Lake, s.cfg.State, first)
	// A persist that is not there: the journal keeps everything.
	for _, c := range s.pipe(t, append(run[:3:3], []string{"cat"})) {
		_ = c.Wait()
	}
	segments, err := filepath.Glob(filepath.Join(s.cfg.State, "journal", "default", "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("no journal: %v", err)
	}
	newest, err := filepath.Rel(s.cfg.State, segments[len(segments)-1])
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(s.cfg.State, newest))
	if err != nil {
		t.Fatal(err)
	}
	more := write(t, s.dir, "more", linesOf(n+1, n+100))
	for i, cut := range cuts(len(whole)) {
		kind := []string{"cut", "zeros", "garbage"}[i%3]
		dir := t.TempDir()
		for _, from := range []string{s.cfg.Lake, s.cfg.State} {
			if out, err := exec.Command("cp", "-a", from, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "state", newest), tails[kind](whole, cut), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time nothing new comes
			for _, c := range s.pipe(t, commands(filepath.Join(dir, "lake"), filepath.Join(dir, "state"), more)) {
				if err := c.Wait(); err != nil {
					t.Errorf("%s at byte %d of %d: %v: %v", kind, cut, len(whole), c.Args[:2], err)
				}
			}
			more = os.DevNull
		}
		more = s.path("more")
		c := count(t, s.leat, s.py, filepath.Join(dir, "lake"))
		if c.Lines != c.Distinct || c.Lines != c.DistinctIDs || c.MaxSeq != n+100 || c.WrongText > 0 || c.Lines < 100 {
			t.Errorf("%s at byte %d of %d: %+v", kind, cut, len(whole), c)
		}
		fmt.Printf("faults: journal segment of %d bytes: %s at %d: %d of %d lines\n", len(whole), kind, cut, c.Lines, n+100)
		_ = os.RemoveAll(dir)
	}
}
