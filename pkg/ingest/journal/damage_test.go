package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeJournal makes a journal of three groups in one segment, of 1, 3 and 2 records, and returns the segment's bytes and the
// offsets of the groups.
func writeJournal(t testing.TB, dir string) (whole []byte, groups []int, recs []string) {
	t.Helper()
	j := open(t, dir, Options{})
	at := headerSize
	for i, n := range []int{1, 3, 2} {
		groups = append(groups, at)
		at += groupSize
		var group [][]byte
		for k := range n {
			rec := fmt.Sprintf("group %d record %d%s", i, k, strings.Repeat(".", i+k))
			recs = append(recs, rec)
			group = append(group, []byte(rec))
			at += frameSize + len(rec)
		}
		if err := j.Append(context.Background(), Wait, group...); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	whole, err := os.ReadFile(segmentPath(dir, 1))
	if err != nil || len(whole) != at {
		t.Fatalf("segment of %d bytes, expected %d: %v", len(whole), at, err)
	}
	return whole, groups, recs
}

// contents opens the journal in dir, adds a record behind what is there, closes it and returns record and damage by number.
func contents(t *testing.T, dir string) (recs map[uint64]string, damage []Damage, next uint64) {
	t.Helper()
	j := open(t, dir, Options{})
	if err := j.Append(context.Background(), Wait, []byte("after")); err != nil {
		t.Fatal(err)
	}
	next = j.Next()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	recs = map[uint64]string{}
	r := j.Reader(1)
	defer r.Close()
	for {
		first, got, err := r.Read(context.Background(), 30)
		var d *Damage
		switch {
		case errors.Is(err, ErrClosed):
			return recs, damage, next
		case errors.As(err, &d):
			damage = append(damage, *d)
			continue
		case err != nil:
			t.Fatal(err)
		}
		for i, g := range got {
			recs[first+uint64(i)] = string(g)
		}
	}
}

// Wherever the last segment ends: whole groups are there, nothing else is, no gap is told, and appending goes on.
func TestTornAtEveryByte(t *testing.T) {
	whole, groups, recs := writeJournal(t, t.TempDir())
	groups = append(groups, len(whole))
	counts := []int{0, 1, 4, 6}
	for cut := range len(whole) + 1 {
		n := 0
		for i, at := range groups {
			if at <= cut {
				n = counts[i]
			}
		}
		want := append(slices.Clone(recs[:n]), "after")
		for _, tail := range []int{0, 5000} { // zeros that a file system left for what it had no time to write
			if tail > 0 && cut%10 != 0 && !slices.Contains(groups, cut) {
				continue
			}
			dir := t.TempDir()
			if err := os.WriteFile(segmentPath(dir, 1), append(slices.Clone(whole[:cut]), make([]byte, tail)...), 0o600); err != nil {
				t.Fatal(err)
			}
			if tail > 0 && !slices.Contains(groups, cut) {
				// Behind half a group there is something: it counts as damage, and what is whole before it is there.
				got, damage, _ := contents(t, dir)
				if len(got) < n+1 || len(damage) > 1 {
					t.Fatalf("cut at %d and %d zeros: %v, damage %v", cut, tail, got, damage)
				}
				continue
			}
			got, damage, next := contents(t, dir)
			if len(damage) > 0 || len(got) != len(want) || next != uint64(len(want)+1) {
				t.Fatalf("cut at %d and %d zeros: %v, damage %v", cut, tail, got, damage)
			}
			for i, w := range want {
				if got[uint64(i+1)] != w {
					t.Fatalf("cut at %d: record %d is %q", cut, i+1, got[uint64(i+1)])
				}
			}
		}
	}
}

// A flipped bit anywhere never gives a wrong record; what is missing is told with its bounds, and what is whole goes on. The
// same in the last segment and in one before it, and again when the journal is opened anew.
func TestDamageIsTold(t *testing.T) {
	src := t.TempDir()
	whole, groups, recs := writeJournal(t, src)
	for i := range whole {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(src)); err != nil {
			t.Fatal(err)
		}
		broken := bytes.Clone(whole)
		broken[i] ^= 1 << (i % 8)
		if err := os.WriteFile(segmentPath(dir, 1), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		for round := range 2 {
			got, damage, next := contents(t, dir)
			missing := map[uint64]bool{}
			for _, d := range damage {
				for n := d.From; n < d.To; n++ {
					missing[n] = true
				}
			}
			for n := uint64(1); n < next; n++ {
				switch text, ok := got[n]; {
				case ok == missing[n]:
					t.Fatalf("bit in byte %d, round %d: record %d there %v, told missing %v: %v", i, round, n, ok, missing[n], damage)
				case ok && text != "after" && (n > uint64(len(recs)) || text != recs[n-1]):
					t.Fatalf("bit in byte %d: record %d is %q", i, n, text)
				}
			}
			inLastHeader := i >= groups[2] && i < groups[2]+groupSize
			switch {
			case i < headerSize:
				if len(damage) > 0 {
					t.Fatalf("bit in byte %d of the header: %v; the name serves as well", i, damage)
				}
			case len(damage) != 1:
				t.Fatalf("bit in byte %d, round %d: damage %v", i, round, damage)
			case inLastHeader && round == 0 && !damage[0].Open:
				t.Fatalf("bit in byte %d: nobody knows how much the last group held, but %v", i, damage)
			}
		}
	}
}

// A damaged record costs only itself, a damaged length the rest of its group; the next group is whole.
func TestDamageHasBounds(t *testing.T) {
	src := t.TempDir()
	whole, groups, _ := writeJournal(t, src)
	for name, c := range map[string]struct {
		at       int
		from, to uint64
	}{
		"contents": {groups[1] + groupSize + frameSize, 2, 3},
		"length":   {groups[1] + groupSize, 2, 5},
		"header":   {groups[1] + 4, 2, 5},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(src)); err != nil {
			t.Fatal(err)
		}
		broken := bytes.Clone(whole)
		broken[c.at] ^= 0x40
		if err := os.WriteFile(segmentPath(dir, 1), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		_, damage, _ := contents(t, dir)
		if len(damage) != 1 || damage[0].From != c.from || damage[0].To != c.to || damage[0].Open {
			t.Errorf("%s: %+v, want %d to %d", name, damage, c.from, c.to)
		}
	}
}

// A journal keeps its id when a header is damaged, and one of an older format is refused with a word.
func TestHeaders(t *testing.T) {
	dir := t.TempDir()
	whole, _, _ := writeJournal(t, dir)
	j := open(t, dir, Options{})
	id := j.ID()
	j.Close()
	for _, file := range []string{"id", ""} {
		if file != "" {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		} else {
			broken := bytes.Clone(whole)
			broken[9] ^= 1
			if err := os.WriteFile(segmentPath(dir, 1), broken, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		j := open(t, dir, Options{})
		if j.ID() != id {
			t.Errorf("without %q: another id", file)
		}
		j.Close()
	}
	copy(whole, oldMagic)
	if err := os.WriteFile(segmentPath(dir, 1), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, errOld) {
		t.Errorf("an older format: %v", err)
	}
}

// A segment that is gone is told, and so are all records of one that is nothing but garbage.
func TestLostSegment(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 100})
	for i := range 12 {
		if err := j.Append(context.Background(), Wait, fmt.Appendf(nil, "record %02d of twelve", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	second, third := j.segments[1], j.segments[2]
	j.Close()
	if err := os.Remove(second.path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(third.path, bytes.Repeat([]byte("garbage "), 20), 0o600); err != nil {
		t.Fatal(err)
	}
	_, damage, _ := contents(t, dir)
	if len(damage) != 2 || damage[0].From != second.first || damage[0].To != second.end() || damage[1].From != third.first || damage[1].To != third.end() {
		t.Errorf("damage %+v of %+v and %+v", damage, second, third)
	}
}

// The reader of segments takes any bytes, and gives only records that were written.
func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	seg, _, recs := writeJournal(f, dir)
	f.Add(seg, 0, byte(0))
	f.Add(seg[:len(seg)-1], 40, byte(1))
	f.Add(seg[headerSize:], 4, byte(1))
	f.Add([]byte{}, 0, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at int, flip byte) {
		if at >= 0 && at < len(b) {
			b = bytes.Clone(b)
			b[at] ^= flip
		}
		if len(b) < headerSize {
			return // Open removes such a file
		}
		// Without Open, which waits for the disk.
		path := segmentPath(dir, 1)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		last, torn, err := measure(path, 1)
		if err != nil || torn < 0 || last.size+torn != int64(len(b)) {
			t.Fatalf("%+v, torn %d of %d, %v", last, torn, len(b), err)
		}
		j := &Journal{segments: []segment{last}, next: last.end(), finished: true}
		r := j.Reader(1)
		defer r.Close()
		number := uint64(1)
		for range 2 * len(b) {
			first, got, err := r.Read(context.Background(), 100)
			var d *Damage
			switch {
			case errors.Is(err, ErrClosed):
				if number != last.end() {
					t.Fatalf("ended at %d of %d", number, last.end())
				}
				return
			case errors.As(err, &d) && d.From == number && d.To > d.From:
				number = d.To
				continue
			case err != nil || first != number || len(got) == 0:
				t.Fatalf("%v, first %d, at %d", err, first, number)
			}
			number += uint64(len(got))
			for _, g := range got {
				if !slices.Contains(recs, string(g)) && !bytes.Contains(b, g) {
					t.Fatalf("a record that nobody wrote: %q", g)
				}
			}
		}
		t.Fatal("no end")
	})
}
