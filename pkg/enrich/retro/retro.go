package retro

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"leat/pkg/alert"
	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
	"leat/pkg/stage"
)

// Config says what a run looks for.
type Config struct {
	Lake *lake.Lake
	// Since and Until bound @timestamp, [since, until); zero: no bound. With a bound, events without a time are left out.
	Since, Until time.Time
	// Fields are those that Match reads.
	Fields []string
	// Match tells whether an event, which has only Fields and a few more, is worth reading whole. It keeps nothing of it.
	Match func(e *event.Event) bool
	// Enrich edits a whole event as the live stage does, and tells whether it is to be written.
	Enrich func(e *event.Event) bool
	// Log may be nil.
	Log *slog.Logger
}

// Stats is what a run came to.
type Stats struct {
	Files, Skipped int   // files read, and those that can't have a hit
	Read           int64 // events looked at
	Written        int64
}

var (
	timePath = event.MustPath("@timestamp")
	kindPath = event.MustPath("event.kind")
)

// matches asks Match about an event of the period. Alerts and pipeline errors are none of enrich's business: the one is made behind it, the
// other passes it by.
func (c *Config) matches(e *event.Event) bool {
	if e.Parse() != nil {
		return false
	}
	if k := e.Get(kindPath); k.Is(alert.Kind) || k.Is(event.KindError) {
		return false
	}
	if !c.Since.IsZero() || !c.Until.IsZero() {
		ns, ok := event.ParseTime(e.Get(timePath).Text(nil))
		if !ok || !c.Since.IsZero() && ns < c.Since.UnixNano() || !c.Until.IsZero() && ns >= c.Until.UnixNano() {
			return false
		}
	}
	return c.Match(e)
}

// mayHold tells whether a file can have an event that counts.
func (c *Config) mayHold(f *lake.File) bool {
	if !f.MayHold(c.Since, c.Until) || (!c.Since.IsZero() || !c.Until.IsZero()) && f.MinTime == 0 && f.MaxTime == 0 {
		return false
	}
	others := f.Rows
	for _, kind := range []string{alert.Kind, event.KindError} {
		others -= f.Kinds[kind]
	}
	return others > 0
}

// Run hands the events that match to sink, in batches. It neither marks nor closes it.
func Run(ctx context.Context, cfg Config, sink stage.Sink) (stats Stats, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	reader, err := cfg.Lake.NewReader()
	if err != nil {
		return stats, fmt.Errorf("read lake: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	s := &scanner{cfg: &cfg, stats: &stats, fields: map[string]bool{}, decoder: map[int]*row.Decoder{}}
	for _, f := range append([]string{timePath.String(), kindPath.String()}, cfg.Fields...) {
		s.fields[f] = true
	}
	files := reader.State().Sorted()
	slices.SortStableFunc(files, func(a, b lake.File) int { return cmp.Compare(a.MinTime, b.MinTime) })
	out := &batcher{sink: sink, enrich: cfg.Enrich, stats: &stats}
	for _, f := range files {
		if !cfg.mayHold(&f) {
			stats.Skipped++
			continue
		}
		path, err := cfg.Lake.Abs(f.Path)
		if err != nil {
			return stats, err
		}
		stats.Files++
		err = s.file(ctx, path, f.Columns, out.add)
		if ferr := out.flush(); err == nil {
			err = ferr
		}
		if err != nil {
			return stats, fmt.Errorf("file %q: %w", f.Path, err)
		}
	}
	cfg.Log.Info("lake searched", "files", stats.Files, "skipped", stats.Skipped, "events", stats.Read, "written", stats.Written)
	return stats, nil
}

// maxBatch bounds a batch, in bytes of lines.
const maxBatch = 256 << 10

// batcher gathers events for a sink.
type batcher struct {
	sink   stage.Sink
	enrich func(e *event.Event) bool
	stats  *Stats
	batch  event.Batch
	bytes  int
}

func (b *batcher) add(line []byte) error {
	e := b.batch.Push(b.batch.End(append(b.batch.Begin(len(line)), line...)))
	if e.Parse() != nil || !b.enrich(e) {
		e.Drop()
	} else {
		b.stats.Written++
	}
	if b.bytes += len(line); b.bytes < maxBatch {
		return nil
	}
	return b.flush()
}

func (b *batcher) flush() error {
	b.batch.Compact()
	var err error
	if len(b.batch.Events) > 0 {
		err = b.sink.Batch(&b.batch)
	}
	b.batch.Reset()
	b.bytes = 0
	return err
}
