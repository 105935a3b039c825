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

// SpoolHead is how many bytes of a spooled line stay in its event.
const SpoolHead = 1 << 10

var (
	pathSpoolPath  = event.MustPath("leat.spool.path")
	pathSpoolBytes = event.MustPath("leat.spool.bytes")
	pathSpoolSum   = event.MustPath("leat.spool.sha256")
)

// Spooled tells where a line longer than MaxLine is kept.
type Spooled struct {
	Path string
	Size int64
	Sum  string // SHA-256 in hex
}

// Spool writes a line to a file of its own in dir (empty = a folder under the system's temporary one): head, and what more
// holds up to the next line feed. The file is named by its contents, so the same line that comes again is kept once.
// It returns what was read behind the line; nil at the end of input.
func Spool(dir string, head []byte, more io.Reader) (s Spooled, rest []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("spool a line longer than --max-line: %w", err)
		}
	}()
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "leat-spool-"+strconv.Itoa(os.Getuid()))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, nil, err
	}
	f, err := os.CreateTemp(dir, "line-*.part")
	if err != nil {
		return s, nil, err
	}
	defer func() {
		f.Close()
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	sum := sha256.New()
	w := io.MultiWriter(f, sum)
	s.Size = int64(len(head))
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
		s.Size += int64(len(chunk))
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
	s.Sum = hex.EncodeToString(sum.Sum(nil))
	s.Path = filepath.Join(dir, "line-"+s.Sum+".txt")
	if err := f.Sync(); err != nil {
		return s, nil, err
	}
	return s, rest, os.Rename(f.Name(), s.Path)
}

// Message says what happened, as error.message.
func (s Spooled) Message() string {
	return fmt.Sprintf("a line of %d bytes is longer than --max-line; it is kept whole in %s", s.Size, s.Path)
}

// Note tells on the line's event where the line is: leat.spool.{path,bytes,sha256}.
func (s Spooled) Note(e *event.Event) error {
	return errors.Join(
		e.Parse(),
		e.SetString(pathSpoolPath, s.Path),
		e.SetInt(pathSpoolBytes, s.Size),
		e.SetString(pathSpoolSum, s.Sum),
	)
}

func (l *Lines) spool(head []byte, more io.Reader) (s Spooled, rest []byte, err error) {
	return Spool(l.Spool, head, more)
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
	l.Counters.Read(1, int(s.Size))
	return rest, l.send()
}

// failSpooled makes e, the beginning of a spooled line, its pipeline_error.
func (l *Lines) failSpooled(e *event.Event, s Spooled) error {
	l.Log.Warn("line too long", "bytes", s.Size, "file", s.Path)
	e.Replace(e.Line()[:min(len(e.Line()), SpoolHead)])
	l.failRaw(e, "line_too_long", s.Message())
	return s.Note(e)
}
