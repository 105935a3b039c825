package stage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"leat/pkg/event"
)

// headSize is how much of a spooled line stays in its event.
const headSize = 1 << 10

var (
	pathSpoolPath  = event.MustPath("leat.spool.path")
	pathSpoolBytes = event.MustPath("leat.spool.bytes")
	pathSpoolSum   = event.MustPath("leat.spool.sha256")
)

// spooled tells where a line longer than MaxLine is kept.
type spooled struct {
	path, sum string
	size      int64
}

// spool writes a line to a file of its own: head, and what more holds up to the next line feed. It returns what was read
// behind that; nil at the end of input.
func (l *Lines) spool(head []byte, more io.Reader) (s spooled, rest []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("spool a line longer than --max-line: %w", err)
		}
	}()
	dir := l.Spool
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "leat-spool-"+strconv.Itoa(os.Getuid()))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, nil, err
	}
	f, err := os.CreateTemp(dir, "line-*.txt")
	if err != nil {
		return s, nil, err
	}
	defer f.Close()
	sum := sha256.New()
	w := io.MultiWriter(f, sum)
	s = spooled{path: f.Name(), size: int64(len(head))}
	if _, err := w.Write(head); err != nil {
		return s, nil, err
	}
	buf := make([]byte, readSize)
	for rest == nil {
		n, rerr := more.Read(buf)
		chunk := buf[:n]
		if end := bytes.IndexByte(chunk, '\n'); end >= 0 {
			rest = chunk[end+1:]
			chunk = chunk[:end]
		}
		s.size += int64(len(chunk))
		if _, err := w.Write(chunk); err != nil {
			return s, nil, err
		}
		if errors.Is(rerr, io.EOF) {
			break
		}
		if rerr != nil {
			return s, nil, rerr
		}
	}
	s.sum = hex.EncodeToString(sum.Sum(nil))
	return s, rest, f.Sync()
}

// spoolRest spools the line that head begins, sends its event, and returns what was read behind the line.
func (l *Lines) spoolRest(head []byte) ([]byte, error) {
	s, rest, err := l.spool(head, l.In)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
	l.batch.Reset()
	if err := l.failSpooled(l.batch.Push(head), s); err != nil {
		return nil, err
	}
	l.Counters.Read(1, int(s.size))
	return rest, l.send()
}

// failSpooled makes e, the beginning of a spooled line, its pipeline_error.
func (l *Lines) failSpooled(e *event.Event, s spooled) error {
	l.Log.Warn("line too long", "bytes", s.size, "file", s.path)
	e.Replace(e.Line()[:min(len(e.Line()), headSize)])
	l.failRaw(e, "line_too_long",
		fmt.Sprintf("a line of %d bytes is longer than --max-line; it is kept whole in %s", s.size, s.path))
	return errors.Join(
		e.Parse(),
		e.SetString(pathSpoolPath, s.path),
		e.SetInt(pathSpoolBytes, s.size),
		e.SetString(pathSpoolSum, s.sum),
	)
}
