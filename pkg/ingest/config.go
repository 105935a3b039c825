package ingest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"leat/pkg/stage"
)

// Input is one source with its own settings.
type Input struct {
	Source  string
	Exec    []string // instead of Source: a program and its arguments
	Dataset string
	// Multiline is for what is read line by line: files and standard input; nil: a line is a record.
	Multiline *Multiline
}

// Config says what a Source reads and how it marks the stream.
type Config struct {
	// Sources are paths, globs, "-" for Stdin, URLs (file:, syslog+udp:, syslog+tcp:, syslog+tls:, http:, https:), exec:COMMAND
	// or journald:[DIR].
	Sources []string
	// Inputs are sources with settings of their own; they are read beside Sources.
	Inputs []Input
	// Dataset becomes event.dataset of every record of Sources; empty: normalize recognises it.
	Dataset string
	// Follow keeps reading files as they grow, are rotated or appear.
	Follow bool
	// Resume is the lake to resume from (made where there is none); empty: no marks.
	Resume string
	// Pipeline is the name under which the lake keeps positions.
	Pipeline string
	// MarkEvery says when marks are due.
	MarkEvery MarkEvery
	// State holds the journal of sources that can't be read again; empty: Resume + ".state".
	State string
	// JournalMax bounds the journal in bytes; full, senders are held back.
	JournalMax int64
	// MaxLine is the longest record in bytes; longer ones go to files in the folder Spool.
	MaxLine int
	Spool   string
	// Stdin is read for "-".
	Stdin io.Reader
	// Poll is how often files are looked at where no file event told of a change.
	Poll time.Duration
	// Grace is how long a position that was not found is searched for while following, before it counts as lost.
	Grace time.Duration
	// StopTime is how long, after ctx is done, what was received may take to become durable and go on; 0 = 10 s.
	StopTime time.Duration
	Counters *stage.Counters
	Log      *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	open func(path string) (handle, error) // of files; nil: os.Open
}

// Limits and defaults.
const (
	DefaultPipeline   = "default"
	DefaultJournalMax = 1 << 30
	DefaultPoll       = 2 * time.Second
	defaultGrace      = 5 * time.Second
	defaultStopTime   = 10 * time.Second
)

// MarkEvery says when a mark is due: whichever of its limits is reached first; 0 is none.
type MarkEvery struct {
	Time   time.Duration
	Bytes  int64
	Events int64
}

// DefaultMarkEvery is ten seconds or 1 GiB.
func DefaultMarkEvery() MarkEvery { return MarkEvery{Time: 10 * time.Second, Bytes: 1 << 30} }

// ParseMarkEvery reads limits joined by '|': a duration (10s, 200ms), a size with its unit (1MiB) or a number of events
// (20000). A limit that is not given keeps its default. parseSize reads a size.
func ParseMarkEvery(s string, parseSize func(string) (int64, error)) (MarkEvery, error) {
	m := DefaultMarkEvery()
	for part := range strings.SplitSeq(s, "|") {
		part = strings.TrimSpace(part)
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			if n < 1 {
				return m, fmt.Errorf("%q: a number of events is at least 1", part)
			}
			m.Events = n
		} else if d, err := time.ParseDuration(part); err == nil {
			if d < time.Millisecond {
				return m, fmt.Errorf("%q: a duration is at least 1ms", part)
			}
			m.Time = d
		} else if n, err := parseSize(part); err == nil && n > 0 {
			m.Bytes = n
		} else {
			return m, fmt.Errorf("%q is no limit; expected a duration (10s), a size (1GiB) or a number of events (20000), joined by '|'", part)
		}
	}
	return m, nil
}

func (c Config) withDefaults() Config {
	if c.Pipeline == "" {
		c.Pipeline = DefaultPipeline
	}
	if c.MarkEvery == (MarkEvery{}) {
		c.MarkEvery = DefaultMarkEvery()
	}
	if c.JournalMax == 0 {
		c.JournalMax = DefaultJournalMax
	}
	if c.MaxLine == 0 {
		c.MaxLine = stage.DefaultMaxLine
	}
	if c.Poll == 0 {
		c.Poll = DefaultPoll
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.StopTime == 0 {
		c.StopTime = defaultStopTime
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.open == nil {
		c.open = func(path string) (handle, error) { return os.Open(path) }
	}
	if c.State == "" && c.Resume != "" {
		c.State = strings.TrimRight(c.Resume, "/") + ".state"
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if len(c.Sources)+len(c.Inputs) == 0 {
		errs = append(errs, errors.New("no source; expected a path, a glob, - for standard input, or a URL such as syslog+tcp://127.0.0.1:514"))
	}
	if c.Resume == "" && c.Pipeline != DefaultPipeline {
		errs = append(errs, errors.New("a pipeline name without --resume: without a lake there are no positions to name"))
	}
	if !validName(c.Pipeline) {
		errs = append(errs, fmt.Errorf("pipeline %q: expected 1 to 64 of a-z 0-9 _ . -", c.Pipeline))
	}
	return errors.Join(errs...)
}

// validName accepts what the lake accepts as the name of a directory.
func validName(s string) bool {
	if len(s) < 1 || len(s) > 64 || s == "." || s == ".." {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}
