package journal

import (
	"fmt"
	"os"

	"leat/internal/durable"
)

// flush writes groups until the journal is closed.
func (j *Journal) flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		for j.group == nil && !j.closed {
			j.wake.Wait()
		}
		g := j.group
		j.group = nil
		if g == nil {
			if j.file != nil {
				j.file.Close()
			}
			return
		}
		j.makeRoom() // for the next group
		j.mu.Unlock()
		err := j.write(g)
		j.mu.Lock()
		j.pending -= int64(len(g.buf)) - groupSize
		g.err, g.done = err, true
		j.flushed.Broadcast()
	}
}

// write makes a group durable. After a failure the file is cut to what was durable before and not used again: what a
// failed fsync left in memory can't be trusted, so whoever appends must write it anew.
func (j *Journal) write(g *group) error {
	j.mu.Lock()
	first := j.next
	j.mu.Unlock()
	s, err := j.segmentFor(first, int64(len(g.buf)))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	groupHeader{first, g.count, uint32(len(g.buf) - groupSize)}.put(g.buf)
	_, err = j.file.WriteAt(g.buf, s.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		_ = j.file.Truncate(s.size)
		_ = j.file.Sync()
		j.file.Close()
		j.file = nil
		if s.count == 0 {
			// Empty: the next attempt begins a file of the same name.
			j.dropEmpty(s.path)
		}
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	last := &j.segments[len(j.segments)-1]
	last.count += uint64(g.count)
	last.size += int64(len(g.buf))
	j.bytes += int64(len(g.buf))
	j.next = first + uint64(g.count)
	j.tellDurable()
	return nil
}

func (j *Journal) dropEmpty(path string) {
	_ = os.Remove(path)
	j.mu.Lock()
	defer j.mu.Unlock()
	last := len(j.segments) - 1
	j.bytes -= j.segments[last].size
	j.segments = j.segments[:last]
}

// segmentFor returns the segment that a group of size bytes goes to, which begins with the record of that number, with its
// file open.
func (j *Journal) segmentFor(number uint64, size int64) (segment, error) {
	j.mu.Lock()
	var last segment
	if n := len(j.segments); n > 0 {
		last = j.segments[n-1]
	}
	// What is committed as a whole can be removed once it is no longer written to.
	committed := last.count > 0 && last.end() <= j.cut && last.size+size > j.opts.SegmentBytes
	j.mu.Unlock()
	follows := last.path != "" && last.end() == number
	if j.file != nil && follows && last.size < j.opts.SegmentBytes && !committed {
		return last, nil
	}
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
	s := segment{path: segmentPath(j.dir, number), first: number, size: headerSize}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return s, err
	}
	if _, err := f.Write(appendHeader(nil, j.id, number)); err != nil {
		f.Close()
		_ = os.Remove(s.path)
		return s, err
	}
	// The name must last as long as the records do.
	if err := durable.SyncDir(j.dir); err != nil {
		f.Close()
		return s, err
	}
	j.file = f
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 && j.segments[n-1].first == number {
		// An empty one of that name was there.
		j.bytes -= j.segments[n-1].size
		j.segments = j.segments[:n-1]
	}
	j.segments = append(j.segments, s)
	j.bytes += s.size
	return s, j.dropCut()
}
