package state

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tally is a stage's state: the sum of what came. Its changes are the numbers themselves.
type tally struct{ text string }

func (c *tally) restore(s Snapshot) {
	c.text = string(s.Base) + string(bytes.Join(s.Changes, nil))
}

func (c *tally) base(dst []byte) []byte { return append(dst, c.text...) }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, "detect", "default")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func resume(t *testing.T, s *Store, p Point) *tally {
	t.Helper()
	snap, err := s.Resume(p, false)
	if err != nil {
		t.Fatalf("resume at %d: %v", p.Mark, err)
	}
	c := &tally{}
	c.restore(snap)
	return c
}

func save(t *testing.T, s *Store, c *tally, mark, since int64, run, change string) {
	t.Helper()
	c.text += change
	if err := s.Save(Mark{mark, run, since}, []byte(change), c.base); err != nil {
		t.Fatal(err)
	}
}

// The state of every mark that the lake may still go back to is given back exactly, through any number of crashes,
// each of which goes on from the committed mark; bases are made on the way.
func TestResumeIsExact(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[int64]string{0: ""}
	runs := map[int64]string{}
	committed, bases := int64(0), 0
	for run := range 20 {
		name := fmt.Sprintf("run%d", run)
		s := open(t, dir)
		c := resume(t, s, Point{"lake", committed, runs[committed]})
		if c.text != want[committed] {
			t.Fatalf("run %d at mark %d: %d bytes, want %d", run, committed, len(c.text), len(want[committed]))
		}
		mark := committed
		for range rnd.IntN(12) {
			mark += 1 + int64(rnd.IntN(3))
			change := strings.Repeat(string(rune('a'+rnd.IntN(26))), rnd.IntN(300_000))
			save(t, s, c, mark, committed, name, change)
			want[mark], runs[mark] = c.text, name
			if rnd.IntN(2) == 0 { // the lake commits some mark that was handed on
				committed = mark
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		marks, _ := s.marks(baseName)
		bases = max(bases, len(marks))
	}
	if bases == 0 {
		t.Fatal("no base was ever made: the test shows nothing of them")
	}
	if logs, _ := open(t, dir).marks(logName); len(logs) > 20 {
		t.Errorf("%d files of changes are kept", len(logs))
	}
}

// The newest file of changes, cut or spoilt at any byte, gives every mark before the damage and ErrMissing for those behind.
func TestTornAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c := resume(t, s, Point{Lake: "lake"})
	want := map[int64]string{}
	for m := int64(1); m <= 2; m++ {
		save(t, s, c, m, 0, "r", strings.Repeat("x", int(m)*3))
		want[m] = c.text
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := s.path(logName, 0)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ends := recordEnds(t, s, whole)
	for at := range len(whole) {
		for _, data := range [][]byte{whole[:at], append(slices.Clone(whole[:at]), make([]byte, len(whole)-at)...)} {
			for m, text := range want {
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				s := open(t, dir)
				snap, err := s.Resume(Point{"lake", m, "r"}, false)
				if int64(at) >= ends[m] {
					var c tally
					if c.restore(snap); err != nil || c.text != text {
						t.Fatalf("cut at %d, mark %d: %q, %v", at, m, c.text, err)
					}
				} else if !errors.Is(err, ErrMissing) {
					t.Fatalf("cut at %d, mark %d: %v; want ErrMissing", at, m, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if err := clean(dir); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// recordEnds returns where each mark's record ends in a file of changes.
func recordEnds(t *testing.T, s *Store, whole []byte) map[int64]int64 {
	rest, err := s.stamp.check(whole)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int64]int64{}
	for len(rest) > 0 {
		r, next, err := readRecord(rest)
		if err != nil {
			t.Fatal(err)
		}
		rest, ends[r.mark] = next, int64(len(whole)-len(next))
	}
	return ends
}

func clean(dir string) error {
	all, err := filepath.Glob(filepath.Join(dir, "detect", "default", "*-*"))
	for _, f := range all {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// A base that is damaged is passed over for the one before it and its changes.
func TestDamagedBase(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c := resume(t, s, Point{Lake: "lake"})
	for m := int64(1); m <= 4; m++ {
		save(t, s, c, m, 0, "r", strings.Repeat("y", minLog/2+1))
	}
	want := c.text
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	bases, _ := s.marks(baseName)
	if len(bases) == 0 {
		t.Fatal("no base")
	}
	path := s.path(baseName, bases[len(bases)-1])
	data, _ := os.ReadFile(path)
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	if c := resume(t, s, Point{"lake", 4, "r"}); c.text != want {
		t.Errorf("%d bytes, want %d", len(c.text), len(want))
	}
}

// Another history's mark of the same number is not taken for ours: a state folder that was left out for some runs.
func TestOtherRunsMark(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c := resume(t, s, Point{Lake: "lake"})
	save(t, s, c, 1, 0, "first", "a")
	save(t, s, c, 2, 0, "first", "b")
	s.Close()
	s = open(t, dir)
	if _, err := s.Resume(Point{"lake", 2, "second"}, false); !errors.Is(err, ErrMissing) {
		t.Errorf("%v; want ErrMissing", err)
	}
	s.Close()
}

// --state-missing=empty begins anew, and that beginning is itself restored later.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Resume(Point{"lake", 41, "x"}, false); !errors.Is(err, ErrMissing) {
		t.Fatalf("%v; want ErrMissing", err)
	}
	snap, err := s.Resume(Point{"lake", 41, "x"}, true)
	if err != nil || snap.Base != nil || snap.Changes != nil {
		t.Fatalf("%v, %v", snap, err)
	}
	c := &tally{}
	save(t, s, c, 42, 41, "y", "z")
	s.Close()
	for _, p := range []Point{{"lake", 42, "y"}, {"lake", 41, "x"}} {
		s = open(t, dir)
		if c := resume(t, s, p); c.text != map[int64]string{41: "", 42: "z"}[p.Mark] {
			t.Errorf("mark %d: %q", p.Mark, c.text)
		}
		s.Close()
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c := resume(t, s, Point{Lake: "lake"})
	save(t, s, c, 3, 0, "r", "a")
	if _, err := Open(dir, "detect", "default"); !errors.Is(err, ErrHeld) {
		t.Errorf("second opener: %v; want ErrHeld", err)
	}
	if err := s.Save(Mark{N: 3}, nil, c.base); err == nil {
		t.Error("a mark came twice")
	}
	if err := s.Save(Mark{N: 4}, nil, c.base); err == nil {
		t.Error("a broken store went on")
	}
	s.Close()
	s = open(t, dir)
	for _, mark := range []int64{0, 3} {
		if _, err := s.Resume(Point{Lake: "other", Mark: mark}, true); !errors.Is(err, ErrOther) {
			t.Errorf("another lake at mark %d: %v; want ErrOther", mark, err)
		}
	}
	s.Close()
	for _, name := range []string{"", ".", "../x", "a/b", "a\x00"} {
		if _, err := Open(dir, "detect", name); err == nil {
			t.Errorf("pipeline %q was taken", name)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, record{1, "run", []byte("x")}), record{2, "", nil}))
	f.Add([]byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, rest, err := readRecord(data)
		if err != nil {
			return
		}
		if again := appendRecord(nil, r); !bytes.Equal(again, data[:len(data)-len(rest)]) {
			t.Errorf("% x read and written again is % x", data, again)
		}
	})
}
