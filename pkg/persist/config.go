package persist

import (
	"errors"
	"log/slog"
	"runtime"
	"time"

	"leat/pkg/stage"
)

// Config says where events go and how often they are committed. The zero values of all but Dir are defaults.
type Config struct {
	// Dir is the lake's folder; it is made where there is none.
	Dir string
	// MaxRows, MaxBytes (of spill) and MaxAge bound what one commit of an unmarked pipe holds (defaults: 1,000,000, 1 GiB,
	// 10 s). In a marked pipe rows and bytes only begin new files, and MaxAge says nothing.
	MaxRows  int64
	MaxBytes int64
	MaxAge   time.Duration
	// Threads is how many files are written at once (default one a core, at most 4); each takes up to about 100 MiB of memory.
	Threads int
	// KeepSmall leaves small files to a later compaction. Else each commit merges what this process has written before.
	KeepSmall bool
	// Unmarked takes events without a hello even while a marked pipeline is open on the lake, and refuses a hello.
	Unmarked bool
	// Now is the clock (default time.Now); Log takes messages (default: none).
	Now func() time.Time
	Log *slog.Logger
	// Counters, if given, count events that became a pipeline_error here.
	Counters *stage.Counters
}

func (c *Config) complete() error {
	if c.Dir == "" {
		return errors.New("no lake given")
	}
	if c.MaxRows < 0 || c.MaxBytes < 0 || c.MaxAge < 0 || c.Threads < 0 {
		return errors.New("a limit is negative")
	}
	if c.Threads == 0 {
		c.Threads = min(runtime.NumCPU(), 4)
	}
	if c.MaxRows == 0 {
		c.MaxRows = 1_000_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	if c.MaxAge == 0 {
		c.MaxAge = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
