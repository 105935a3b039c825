package ingest

import (
	"bytes"
	"errors"
	"regexp"
	"time"

	"leat/pkg/event"
)

const (
	defaultMultilineTimeout = 2 * time.Second
	defaultMultilineLines   = 1000
	// maxMultiline is how many bytes of lines make one record at most. It leaves room in a block for the line that shows
	// where the record ends.
	maxMultiline = readSize / 2
)

// Multiline makes one record of several lines, such as an exception with its stack. Either Start matches the first line of
// each record, or Continue matches the others.
type Multiline struct {
	Start, Continue *regexp.Regexp
	// Timeout is how long a followed source may be silent before what is there counts as whole; 0 = 2 s.
	Timeout time.Duration
	// MaxLines is the most lines of one record; 0 = 1000. More, or more than 128 KiB, begin another record.
	MaxLines int
}

func (m *Multiline) check() error {
	switch {
	case m == nil:
		return nil
	case (m.Start == nil) == (m.Continue == nil):
		return errors.New("multiline: expected one of start (a pattern of the first line of a record) and continue (one of the others)")
	case m.Timeout < 0 || m.MaxLines < 0:
		return errors.New("multiline: timeout and max_lines are not below 0")
	}
	return nil
}

func (m *Multiline) withDefaults() *Multiline {
	if m == nil {
		return nil
	}
	c := *m
	if c.Timeout == 0 {
		c.Timeout = defaultMultilineTimeout
	}
	if c.MaxLines == 0 {
		c.MaxLines = defaultMultilineLines
	}
	return &c
}

// begins tells whether a record begins with line, where one of so many lines and bytes lies before it.
func (m *Multiline) begins(line []byte, lines, size int) bool {
	if lines >= m.MaxLines || size+len(line) > maxMultiline {
		return true
	}
	if m.Start != nil {
		return m.Start.Match(line)
	}
	return !m.Continue.Match(line)
}

// cutMultiline is cut for records of several lines. The last of them is taken only with final: another line may belong to it.
func (c *cutter) cutMultiline(b *event.Batch, offset int64, block []byte, limit int, final bool) (taken int, full bool, err error) {
	lines := 0
	for at := 0; at < len(block); {
		end := at + bytes.IndexByte(block[at:], '\n')
		line := bytes.TrimSuffix(block[at:end], []byte{'\r'})
		if at > taken && c.multi.begins(line, lines, at-taken) {
			n, err := c.record(b, offset+int64(taken), block[taken:at])
			if err != nil {
				return taken, false, err
			}
			taken, lines = at, 0
			if limit -= n; limit <= 0 {
				return taken, true, nil
			}
		}
		lines++
		at = end + 1
	}
	if final && taken < len(block) {
		if _, err := c.record(b, offset+int64(taken), block[taken:]); err != nil {
			return taken, false, err
		}
		taken = len(block)
	}
	return taken, false, nil
}

// record adds one record, of which blank lines at its end are no part, and returns how many that made: a blank one is none.
func (c *cutter) record(b *event.Batch, at int64, raw []byte) (int, error) {
	raw = bytes.TrimRight(raw, "\r\n")
	switch {
	case len(raw) == 0:
		return 0, nil
	case len(raw) > c.maxLine:
		return 1, c.long(b, at, raw)
	}
	c.push(b, at, raw)
	return 1, nil
}
