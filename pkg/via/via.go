// Package via puts a foreign filter (grep, jq, sort) into a marked pipe and hands the marks around it.
//
// Between two marks the filter runs as a process of its own: it gets the events' lines on standard input, and its whole
// output goes on before the mark does. So no event crosses a mark, whatever the filter holds back until its end of input.
//
// It is for filters without memory: one that counts over the whole stream begins anew at each mark. Delivery is that of
// the pipe: a filter that fails ends the pipe before the mark, so nothing of its span is committed.
package via

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// Config says which filter runs.
type Config struct {
	Argv   []string
	Stderr io.Writer
	// MaxLine is the longest line, in bytes, that the filter may write.
	MaxLine int
	// Quiet are exit codes that are no failure: grep exits 1 when nothing matched.
	Quiet []int
}

// Sink is the stage.Sink that feeds the filter; what the filter writes goes to the next Sink.
type Sink struct {
	cfg  Config
	next stage.Sink

	cmd   *exec.Cmd
	in    io.WriteCloser
	buf   []byte
	relay chan error
}

// New makes the Sink in front of next. The command must be there.
func New(cfg Config, next stage.Sink) (*Sink, error) {
	if len(cfg.Argv) == 0 {
		return nil, errors.New("no command given")
	}
	if _, err := exec.LookPath(cfg.Argv[0]); err != nil {
		return nil, fmt.Errorf("find the filter: %w", err)
	}
	if cfg.MaxLine == 0 {
		cfg.MaxLine = stage.DefaultMaxLine
	}
	return &Sink{cfg: cfg, next: next}, nil
}

// Hello hands h on.
func (s *Sink) Hello(h stage.Hello) error { return s.next.Hello(h) }

// Batch gives the events to the filter, which is started when there is none.
func (s *Sink) Batch(b *event.Batch) error {
	if s.cmd == nil {
		if err := s.start(); err != nil {
			return err
		}
	}
	s.buf = b.AppendLines(s.buf[:0])
	// A filter that has seen enough (head) may close its input; what it wrote counts.
	if _, err := s.in.Write(s.buf); err != nil && !errors.Is(err, os.ErrClosed) && !isClosedPipe(err) {
		return fmt.Errorf("write to the filter: %w", err)
	}
	return nil
}

// Mark lets the filter finish, and hands the mark on behind its output.
func (s *Sink) Mark(m stage.Mark) error {
	if err := s.finish(); err != nil {
		return err
	}
	return s.next.Mark(m)
}

// Close lets the filter finish and closes the next Sink.
func (s *Sink) Close() error {
	err := s.finish()
	return errors.Join(err, s.next.Close())
}

func (s *Sink) start() error {
	c := exec.Command(s.cfg.Argv[0], s.cfg.Argv[1:]...)
	c.Stderr = s.cfg.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start the filter: %w", err)
	}
	s.cmd, s.in, s.relay = c, in, make(chan error, 1)
	go func() { s.relay <- s.forward(out) }()
	return nil
}

// forward takes the filter's lines to the next Sink as they come.
func (s *Sink) forward(out io.Reader) error {
	var batch event.Batch
	r := bufio.NewReaderSize(out, 64<<10)
	size := 0
	flush := func() error {
		if len(batch.Events) == 0 {
			return nil
		}
		err := s.next.Batch(&batch)
		batch.Reset()
		size = 0
		return err
	}
	for {
		line, err := readLine(r, s.cfg.MaxLine)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return flush()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read from the filter: %w", err)
		}
		if stage.IsControl(line) {
			return errors.New("the filter wrote a control line")
		}
		batch.Push(line)
		size += len(line)
		if r.Buffered() == 0 || size > 256<<10 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// readLine returns the next line without its line feed; io.EOF comes with the last one.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(line) > limit {
				return nil, fmt.Errorf("a line of more than %d bytes", limit)
			}
			continue
		case err != nil:
			return line, err
		}
		return line[:len(line)-1], nil
	}
}

// finish ends the running filter and waits until all its output went on.
func (s *Sink) finish() error {
	if s.cmd == nil {
		return nil
	}
	_ = s.in.Close()
	err := <-s.relay
	if err != nil {
		_ = s.cmd.Process.Kill()
	}
	werr := s.cmd.Wait()
	s.cmd = nil
	if err != nil {
		return err
	}
	var exit *exec.ExitError
	if errors.As(werr, &exit) {
		for _, q := range s.cfg.Quiet {
			if exit.ExitCode() == q {
				return nil
			}
		}
	}
	if werr != nil {
		return fmt.Errorf("the filter %s: %w", s.cfg.Argv[0], werr)
	}
	return nil
}
