package journal

import (
	"fmt"
	"os"
)

// flush writes groups until the journal is closed.
func (j *Journal) flush() {
	for {
		j.mu.Lock()
		for j.group == nil && !j.closed {
			j.wake.Wait()
		}
		g := j.group
		j.group = nil
		j.mu.Unlock()
		if g == nil {
			if j.file != nil {
				j.file.Close()
			}
			return
		}
		g.err = j.write(g)
		close(g.done)
	}
}

// write makes a group durable. After a failure the file is cut to what was durable before and not used again: what a
// failed fsync left in memory can't be trusted, so whoever appends must write it anew.
func (j *Journal) write(g *group) error {
	j.mu.Lock()
	first := j.next
	j.mu.Unlock()
	s, err := j.segmentFor(first)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.buf = j.buf[:0]
	start := 0
	for i, end := range g.ends {
		j.buf = appendRecord(j.buf, first+uint64(i), g.data[start:end])
		start = end
	}
	_, err = j.file.WriteAt(j.buf, s.size)
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
	last.count += uint64(len(g.ends))
	last.size += int64(len(j.buf))
	j.bytes += int64(len(j.buf))
	j.next = first + uint64(len(g.ends))
	close(j.durable)
	j.durable = make(chan struct{})
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

// segmentFor returns the segment that the record of that number goes to, with its file open.
func (j *Journal) segmentFor(number uint64) (segment, error) {
	j.mu.Lock()
	var last segment
	if n := len(j.segments); n > 0 {
		last = j.segments[n-1]
	}
	j.mu.Unlock()
	follows := last.path != "" && last.first+last.count == number
	if j.file != nil && follows && last.size < j.opts.SegmentBytes {
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
	if err := syncDir(j.dir); err != nil {
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
	return s, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
