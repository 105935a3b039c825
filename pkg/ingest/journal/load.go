package journal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"leat/internal/durable"
)

func (j *Journal) takeLock() error {
	f, err := os.OpenFile(filepath.Join(j.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(f.Name())
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("process %s: %w", strings.TrimSpace(string(holder)), ErrBusy)
		}
		return err
	}
	// The number is for people; the lock is what counts.
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	j.lock = f
	return nil
}

// load finds the segments, and cuts what a crash left at the end of the last.
func (j *Journal) load() error {
	names, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		first, ok := segmentFirst(n.Name())
		if !ok {
			continue
		}
		info, err := n.Info()
		if err != nil {
			return err
		}
		j.segments = append(j.segments, segment{path: filepath.Join(j.dir, n.Name()), first: first, size: info.Size()})
	}
	if err := j.loadEnd(); err != nil {
		return err
	}
	for i := range j.segments {
		if i+1 < len(j.segments) {
			j.segments[i].count = j.segments[i+1].first - j.segments[i].first
		}
		j.bytes += j.segments[i].size
	}
	return j.loadID()
}

// loadEnd finds where the journal ends.
func (j *Journal) loadEnd() error {
	for len(j.segments) > 0 {
		last := &j.segments[len(j.segments)-1]
		if last.size < headerSize {
			// A crash while it was made: no record can have stood in it.
			j.opts.Log.Info("unfinished end of the journal is cut", "file", last.path, "bytes", last.size)
			if err := os.Remove(last.path); err != nil {
				return err
			}
			j.next = max(j.next, last.first)
			j.segments = j.segments[:len(j.segments)-1]
			continue
		}
		s, torn, err := measure(last.path, last.first)
		if err != nil {
			return err
		}
		if torn > 0 {
			j.opts.Log.Info("unfinished end of the journal is cut", "file", last.path, "bytes", torn)
			if err := os.Truncate(last.path, s.size); err != nil {
				return err
			}
		}
		if s.open {
			j.opts.Log.Error("the journal's end is damaged", "file", last.path, "from", s.end()-1)
		}
		*last = s
		j.next = max(j.next, s.end())
		return nil
	}
	return nil
}

// loadID takes the journal's id from its file, else from a segment; a new journal gets one.
func (j *Journal) loadID() error {
	path := filepath.Join(j.dir, "id")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if id, err := hex.DecodeString(strings.TrimSpace(string(text))); err == nil && len(id) == len(j.id) {
		copy(j.id[:], id)
		return j.checkHeaders()
	}
	if err := j.checkHeaders(); err != nil {
		return err
	}
	if j.id == (journalID{}) {
		if _, err := rand.Read(j.id[:]); err != nil {
			return err
		}
	}
	return durable.WriteFile(path, []byte(hex.EncodeToString(j.id[:])+"\n"))
}

// checkHeaders looks at the header of each segment, and takes the id from it where that is not known.
func (j *Journal) checkHeaders() error {
	for _, s := range j.segments {
		f, err := os.Open(s.path)
		if err != nil {
			return err
		}
		var h [headerSize]byte
		_, err = io.ReadFull(f, h[:])
		f.Close()
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		id, _, err := parseHeader(h[:])
		switch {
		case errors.Is(err, errOld):
			return fmt.Errorf("%s: %w", s.path, err)
		case err != nil:
			j.opts.Log.Error("a journal segment's header is damaged; its name serves instead", "file", s.path)
		case j.id == (journalID{}):
			j.id = id
		}
	}
	return nil
}
