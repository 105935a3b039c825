package ingest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// place is a folder of logs in which a test makes things happen.
type place struct {
	t   *testing.T
	dir string
	log string // dir/a.log
}

func (p place) write(path, text string) { writeFile(p.t, path, text) }
func (p place) move(from, to string)    { rename(p.t, from, to) }

func (p place) link(to string) {
	p.t.Helper()
	if err := os.Symlink(to, p.log+".new"); err != nil {
		p.t.Fatal(err)
	}
	p.move(p.log+".new", p.log)
}

// position is what happens to a log of which everything was read, and what must come of it.
type position struct {
	name   string
	before string        // contents, where it is not oldText
	setup  func(p place) // instead of writing before
	happen func(p place) // between two runs, or while it is followed
	want   []string      // records that come
	gaps   int           // while ingest was not running
	live   int           // gaps while it was: more can be seen then
	once   bool          // only between two runs
}

// TestPositions: whatever happens to a file, between two runs and while it is followed, every record that can still be read
// is read once, and what can't be is told.
func TestPositions(t *testing.T) {
	old, oldText := block("old", 300)
	more, moreText := block("more", 200)
	fresh, freshText := block("new", 250)
	sameSize := strings.Repeat("other contents of the same size\n", len(oldText))[:len(oldText)-1] + "\n"
	header := "#Fields: date time\n" + strings.Repeat("# a long header, the same in each file\n", 10)
	for _, c := range []position{
		{name: "inode reused", happen: func(p place) {
			// Truncated and written anew: the inode stays, the contents don't.
			p.write(p.log, freshText)
		}, want: fresh, gaps: 1, live: 1},
		{name: "replaced by one of the same size", happen: func(p place) {
			p.write(p.log+".new", sameSize)
			p.move(p.log+".new", p.log)
		}, want: splitText(sameSize), gaps: 1},
		{name: "rewritten in place with the same size", happen: func(p place) { p.write(p.log, sameSize) }, want: splitText(sameSize), gaps: 1, live: 1},
		{name: "copied and truncated, same first bytes", before: header + oldText, happen: func(p place) {
			run(p.t, "cp", p.log, p.log+".1")
			p.write(p.log, header+freshText)
		}, want: slices.Concat(splitText(header), fresh)},
		{name: "grown, copied, truncated and grown past its size", happen: func(p place) {
			appendFile(p.t, p.log, moreText)
			run(p.t, "cp", p.log, p.log+".1")
			p.write(p.log, freshText+freshText[:len(freshText)/2]+"\n"+strings.Repeat("filling it up\n", 2000))
		}, want: slices.Concat(more, fresh, splitText(freshText[:len(freshText)/2]), slices.Repeat([]string{"filling it up"}, 2000)), once: true},
		{name: "symlink moves", setup: func(p place) {
			p.write(filepath.Join(p.dir, "day1"), oldText)
			p.link(filepath.Join(p.dir, "day1"))
		}, happen: func(p place) {
			p.write(filepath.Join(p.dir, "day2"), freshText)
			p.link(filepath.Join(p.dir, "day2"))
		}, want: fresh, gaps: 1},
		{name: "symlink moves, and what it led to has grown before", setup: func(p place) {
			p.write(filepath.Join(p.dir, "day1"), oldText)
			p.link(filepath.Join(p.dir, "day1"))
		}, happen: func(p place) {
			p.write(filepath.Join(p.dir, "day2"), freshText)
			p.link(filepath.Join(p.dir, "day2"))
			appendFile(p.t, filepath.Join(p.dir, "day1"), moreText) // by a writer that had it open
		}, want: fresh, gaps: 1, once: true},
		{name: "emptied", happen: func(p place) { p.write(p.log, "") }, gaps: 1, live: 1},
		{name: "a line rewritten before the position", happen: func(p place) {
			f, err := os.OpenFile(p.log, os.O_WRONLY, 0)
			if err != nil {
				p.t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte("OLD"), int64(len(oldText)/2)); err != nil {
				p.t.Fatal(err)
			}
			appendFile(p.t, p.log, moreText)
		}, want: more}, // what was read is not read again
	} {
		start := func(t *testing.T) place {
			p := place{t: t, dir: t.TempDir()}
			p.log = filepath.Join(p.dir, "a.log")
			switch {
			case c.setup != nil:
				c.setup(p)
			case c.before != "":
				p.write(p.log, c.before)
			default:
				p.write(p.log, oldText)
			}
			return p
		}
		first := len(old)
		if c.before != "" {
			first = len(splitText(c.before))
		}
		t.Run(c.name+" between runs", func(t *testing.T) {
			p := start(t)
			lakeDir := filepath.Join(t.TempDir(), "lake")
			cfg := testConfig(t, p.log)
			all := resumed(t, cfg, lakeDir)
			if n := len(all.originals()); n != first {
				t.Fatalf("at first %d records of %d", n, first)
			}
			c.happen(p)
			again := resumed(t, cfg, lakeDir)
			exactly(t, again.originals(), c.want)
			checkGaps(t, again, c.gaps)
			if third := resumed(t, cfg, lakeDir); len(third.recs) > 0 {
				t.Errorf("then nothing happened, and came %.300q", third.lines)
			}
			uniqueIDs(t, &keeper{recs: append(all.recs, again.recs...)})
		})
		if c.once {
			continue
		}
		t.Run(c.name+" followed", func(t *testing.T) {
			p := start(t)
			k := &keeper{t: t}
			stop := following(t, testConfig(t, p.log), k)
			k.await(first)
			time.Sleep(100 * time.Millisecond) // a scan has seen it at rest
			c.happen(p)
			k.await(first + len(c.want))
			waitFor(t, "the gaps", func() bool { return len(k.notices("source_gap")) >= c.live })
			stop()
			exactly(t, k.originals()[first:], c.want)
			checkGaps(t, k, c.live)
			uniqueIDs(t, k)
		})
	}
}

func splitText(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// checkGaps wants n gaps, each with its source and where it begins.
func checkGaps(t *testing.T, k *keeper, n int) {
	t.Helper()
	gaps := k.notices("source_gap")
	if len(gaps) != n {
		t.Errorf("%d gaps, want %d: %+v", len(gaps), n, gaps)
	}
	for _, g := range gaps {
		if g.Leat.Gap.From == nil || *g.Leat.Gap.From <= 0 || !strings.HasPrefix(g.Leat.Gap.Source, "file:") || g.Leat.Gap.Reason == "" {
			t.Errorf("a gap without bounds: %+v", g.Leat.Gap)
		}
	}
}

// A folder that vanishes: what it held and was read is a gap, and one of the same name that comes back is read.
func TestFolderVanishes(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "a.log"), "one\ntwo\n")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, filepath.Join(dir, "*.log")), k)
	k.await(2)
	rename(t, dir, dir+".old")
	// Its writer has it open still.
	appendFile(t, filepath.Join(dir+".old", "a.log"), "three\n")
	k.await(3)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "a.log"), "another one\n")
	k.await(4)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"one", "two", "three", "another one"}) {
		t.Errorf("%q", got)
	}
	checkGaps(t, k, 0)
}
