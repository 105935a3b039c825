package persist

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"leat/pkg/lake"
)

// Many small commits must not make many small files. So the rows of a small file stay in staging after its commit, and when
// mergeFan of one size have come together, a commit brings them as one file and takes the others out with the same log entry. What
// comes of mergeFan merged files is merged again with its like, up to mergeBytes: each row is written about log(mergeFan) n
// times, and a partition has less than mergeFan files of each size.
const (
	mergeFan   = 8
	mergeBytes = 64 << 20  // of rows; a file of more is big enough
	mergeSpace = 512 << 20 // of rows that are kept, of all partitions
)

// kept is a committed file of this process whose rows are still at hand.
type kept struct {
	*spill        // its rows
	file   string // its path in the lake
	level  int    // how often it was merged
}

// chain is the kept files of a partition, oldest first, with levels that never rise.
type chain struct {
	files []*kept
	used  int // when a commit came last
}

// merger knows which files can be merged.
type merger struct {
	dir    string
	off    bool
	chains map[partition]*chain
	space  int64 // bytes of kept rows
	number int   // of commits
}

func newMerger(dir string, off bool) *merger {
	return &merger{dir: dir, off: off, chains: map[partition]*chain{}}
}

// plan returns the files that are to be merged with s, which may be none, and the level of what comes of it.
func (m *merger) plan(s *spill) (with []*kept, level int) {
	c := m.chains[s.partition]
	if c == nil || s.size > mergeBytes {
		return nil, 0
	}
	from, size := len(c.files), s.size
	for ; ; level++ {
		i := from
		for i > 0 && c.files[i-1].level == level {
			i--
		}
		if from-i < mergeFan-1 {
			break
		}
		for _, k := range c.files[from-mergeFan+1 : from] {
			size += k.size
		}
		from -= mergeFan - 1
	}
	if size > 2*mergeBytes {
		return nil, 0
	}
	return slices.Clone(c.files[from:]), level
}

// keep is told that what was made of done.spill, and of what it was merged with, is committed in state. The spill's file is
// kept, or removed.
func (m *merger) keep(done *converted, file string) {
	s, size := done.spill, done.spill.size
	for _, k := range done.with {
		size += k.size
	}
	c := m.chains[s.partition]
	if c == nil {
		c = &chain{}
		m.chains[s.partition] = c
	}
	c.used = m.number
	c.files = c.files[:len(c.files)-len(done.with)]
	m.space -= size - s.size
	// A damaged row has become a pipeline_error, and must not again.
	if m.off || file == "" || s.big || size > mergeBytes || len(done.bad) > 0 {
		remove(done.with)
		_ = os.Remove(s.path)
		return
	}
	own := *s
	own.buf = nil
	k := &kept{spill: &own, file: file, level: done.level}
	if err := m.join(k, done.with); err != nil {
		// Only a means to save files.
		_ = os.Remove(k.path)
		return
	}
	m.space += size
	c.files = append(c.files, k)
	for m.space > mergeSpace {
		m.forgetOldest()
	}
}

// join moves k's rows behind those that it was merged with, under a name by which nobody takes them for rows that are not committed.
func (m *merger) join(k *kept, with []*kept) error {
	if len(with) == 0 {
		from := k.path
		k.path = filepath.Join(m.dir, "kept-"+filepath.Base(from))
		return os.Rename(from, k.path)
	}
	parts := append(with[1:], &kept{spill: k.spill})
	defer remove(parts)
	k.spill = with[0].spill
	out, err := os.OpenFile(k.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, p := range parts {
		in, err := os.Open(p.path)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return err
		}
		k.sorted = k.sorted && p.sorted && p.first >= k.last
		k.last = p.last
		k.size += p.size
		k.rows += p.rows
	}
	return out.Close()
}

func remove(files []*kept) {
	for _, k := range files {
		_ = os.Remove(k.path)
	}
}

// forgetOldest gives up the partition that was written to the longest ago.
func (m *merger) forgetOldest() {
	var oldest *chain
	var at partition
	for p, c := range m.chains {
		if oldest == nil || c.used < oldest.used {
			oldest, at = c, p
		}
	}
	for _, k := range oldest.files {
		m.space -= k.size
	}
	remove(oldest.files)
	delete(m.chains, at)
}

// forget gives all of them up: what the lake holds may not be what is kept here.
func (m *merger) forget() {
	for len(m.chains) > 0 {
		m.forgetOldest()
	}
}

// replaced returns the files that were merged into others.
func replaced(done []converted) (paths []string) {
	for i := range done {
		for _, k := range done[i].with {
			paths = append(paths, k.file)
		}
	}
	return paths
}

// committed returns the paths, by SHA-256, of the files that the newest entry of s has added.
func committed(s *lake.State) map[string]string {
	paths := map[string]string{}
	for path, f := range s.Files {
		if f.Added == s.N {
			paths[f.SHA256] = path
		}
	}
	return paths
}
