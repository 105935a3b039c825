package enrich

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"syscall"

	"leat/pkg/stage"
)

// versionLog is the stage's folder under --state: versions.ndjson says for each mark which snapshot of every dimension the
// events before it were enriched from. A nil *versionLog keeps nothing.
type versionLog struct {
	lock *os.File
	log  *os.File
	last map[string]string // the versions of the newest entry
	hi   stage.Hello
}

// versionsAt is an entry of versions.ndjson. One is written only where the versions changed.
type versionsAt struct {
	Pipeline string            `json:"pipeline"`
	Epoch    int64             `json:"epoch"`
	Mark     int64             `json:"mark"`
	Versions map[string]string `json:"versions"`
}

func openVersions(dir string) (*versionLog, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("state %q is in use by another process", dir), lock.Close())
	}
	log, err := os.OpenFile(filepath.Join(dir, "versions.ndjson"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %w", err), lock.Close())
	}
	return &versionLog{lock: lock, log: log}, nil
}

// hello warns where the stream goes on with other versions than it was left with: what is read again may then get other
// values than it had before the crash, none of which was committed.
func (s *versionLog) hello(h stage.Hello, g *generation, log *slog.Logger) error {
	if s == nil {
		return nil
	}
	s.hi = h
	data, err := os.ReadFile(s.log.Name())
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	for raw := range bytes.Lines(data) {
		var v versionsAt
		// A torn last line is that of a mark that was not handed on.
		if json.Unmarshal(raw, &v) == nil && v.Pipeline == h.Pipeline && v.Mark <= h.Resume {
			s.last = v.Versions
		}
	}
	if n := len(data); n > 0 && data[n-1] != '\n' {
		if _, err := s.log.WriteString("\n"); err != nil {
			return fmt.Errorf("write state: %w", err)
		}
	}
	for name, was := range s.last {
		if is := g.versions()[name]; is != was {
			log.Warn("a dimension changed while the pipe was down", "dimension", name, "was", was, "is", is, "resume", h.Resume)
		}
	}
	return nil
}

// mark makes the versions durable before the mark is handed on.
func (s *versionLog) mark(m stage.Mark, g *generation) error {
	if s == nil {
		return nil
	}
	now := g.versions()
	if s.last != nil && maps.Equal(s.last, now) {
		return nil
	}
	raw, err := json.Marshal(versionsAt{s.hi.Pipeline, s.hi.Epoch, m.N, now})
	if err == nil {
		_, err = s.log.Write(append(raw, '\n'))
	}
	if err == nil {
		err = s.log.Sync()
	}
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	s.last = now
	return nil
}

func (s *versionLog) close() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.log.Close(), s.lock.Close())
}
