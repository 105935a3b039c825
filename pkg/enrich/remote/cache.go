package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/VictoriaMetrics/metrics"
)

const (
	// maxKey bounds a key and maxRow an answer, in bytes.
	maxKey = 1024
	maxRow = 256 << 10
)

// Options are what a Cache gets from its surroundings. All but Name may be left zero.
type Options struct {
	// Name of the dimension, for messages and metrics.
	Name string
	// Dir is a folder of its own, in which answers are kept over restarts. Empty: they are not.
	Dir string
	// Of says what is asked: answers that were kept for another question are thrown away.
	Of      string
	Log     *slog.Logger
	Now     func() time.Time
	Metrics *metrics.Set
	// Rand gives numbers from 0 to below 1.
	Rand func() float64
}

// Status is what is known of a key.
type Status uint8

// The statuses. Error: nothing is known, for the other side could not be asked.
const (
	Hit Status = iota
	Miss
	Stale
	Error
)

// String returns the word for it.
func (s Status) String() string { return [...]string{"hit", "miss", "stale", "error"}[s] }

// Cache remembers answers, and asks for what it doesn't know. Its methods may be called by many goroutines.
type Cache struct {
	cfg     Config
	opt     Options
	backend Backend
	counts  counters
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu      sync.RWMutex
	kept    store
	flights map[string]*flight
	queue   []*flight // of flights, those that no call has yet
	active  int       // workers
	breaker breaker
	bucket  bucket

	keep *keeper // nil: nothing is kept
}

// New makes a cache, with what was kept in Options.Dir. cfg was checked. Close frees it.
func New(cfg Config, b Backend, opt Options) (*Cache, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Rand == nil {
		opt.Rand = rand.Float64
	}
	if opt.Metrics == nil {
		opt.Metrics = metrics.NewSet()
	}
	c := &Cache{
		cfg: cfg, opt: opt, backend: b, kept: newStore(cfg.Size, cfg.MaxBytes), flights: map[string]*flight{},
		breaker: breaker{failures: cfg.Breaker.Failures, pause: cfg.Breaker.Pause}, bucket: bucket{rate: cfg.Rate, burst: float64(cfg.Concurrency)},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.counts = newCounters(opt.Metrics, opt.Name, c)
	if opt.Dir != "" {
		k, err := openKeeper(opt.Dir, opt.Of, c.load)
		if err != nil {
			return nil, err
		}
		if c.keep = k; k == nil {
			opt.Log.Info("another process keeps the look-ups; they are read, and not kept by this one", "dimension", opt.Name)
		}
	}
	return c, nil
}

// load takes an answer of an earlier run, unless it is too old by now.
func (c *Cache) load(key string, v value) {
	if now := c.opt.Now().UnixNano(); now < v.expires+int64(*c.cfg.MaxStale) && (v.row != nil || now < v.expires) {
		c.kept.put(key, v)
	}
}

// value is an answer.
type value struct {
	row     []byte // nil: a miss
	expires int64  // in nanoseconds since 1970
}

// Get tells what is known of a key; it never asks. The row is a JSON object, which the caller doesn't change. It does not
// allocate.
func (c *Cache) Get(key []byte) (row []byte, st Status) {
	if !askable(key) {
		return nil, Miss
	}
	now := c.opt.Now().UnixNano()
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.kept.get(key)
	switch {
	case !ok:
		return nil, Error
	case now < v.expires && v.row == nil:
		return nil, Miss
	case now < v.expires:
		return v.row, Hit
	case v.row != nil && now < v.expires+int64(*c.cfg.MaxStale):
		return v.row, Stale
	}
	return nil, Error
}

// askable says whether a key is one that may be known at all: text, not endless. Others are a miss, and never sent.
func askable(key []byte) bool {
	return len(key) > 0 && len(key) <= maxKey && bytes.IndexByte(key, 0) < 0 && utf8.Valid(key)
}

// learn remembers the answer of a call. Rows that are no JSON objects are no answer: it says whether there were any.
func (c *Cache) learn(keys []string, rows map[string][]byte) (broken bool) {
	now := c.opt.Now()
	known := make([]record, 0, len(keys))
	for _, k := range keys {
		r := record{k, value{expires: c.until(now, c.cfg.NegativeTTL)}}
		if raw, ok := rows[k]; ok {
			var b bytes.Buffer
			// One line: what stands in a row goes into events.
			if len(raw) > maxRow || json.Compact(&b, raw) != nil || b.Len() == 0 || b.Bytes()[0] != '{' {
				broken = true
				continue
			}
			r.value = value{row: b.Bytes(), expires: c.until(now, c.cfg.TTL)}
		}
		known = append(known, r)
	}
	c.mu.Lock()
	for _, r := range known {
		c.kept.put(r.key, r.value)
	}
	live := len(c.kept.entries)
	c.mu.Unlock()
	if c.keep != nil {
		// Where the disk fails, the cache goes on without it.
		if err := c.keep.write(known, live, c.all); err != nil {
			c.opt.Log.Warn("look-ups are not kept over a restart any more", "dimension", c.opt.Name, "error", err)
		}
	}
	return broken
}

// until is when an answer ends that is to hold for ttl from now.
func (c *Cache) until(now time.Time, ttl time.Duration) int64 {
	return now.UnixNano() + int64(float64(ttl)*(1-*c.cfg.Jitter*c.opt.Rand()))
}

// all returns everything that is remembered.
func (c *Cache) all() []record {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]record, 0, len(c.kept.entries))
	for k, e := range c.kept.entries {
		out = append(out, record{k, e.value})
	}
	return out
}

// len is how many keys are remembered.
func (c *Cache) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.kept.entries)
}

// Close ends calls that are under way, and frees the backend's connections.
func (c *Cache) Close() error {
	c.cancel()
	c.mu.Lock()
	c.refuse(c.queue, "closed")
	c.queue = nil
	c.mu.Unlock()
	c.workers.Wait()
	var err error
	if c.keep != nil {
		err = c.keep.close()
	}
	if cl, ok := c.backend.(io.Closer); ok {
		err = errors.Join(err, cl.Close())
	}
	return err
}
