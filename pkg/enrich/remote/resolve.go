package remote

import (
	"context"
	"errors"
	"time"
)

// maxQueue is how many keys may wait for a call, in calls of full size for each of those that run at once.
const maxQueue = 16

// flight is a key that is being asked for. Its fields are guarded by Cache.mu.
type flight struct {
	key     string
	waiters []*waiter
}

// waiter is a Resolve that waits for flights.
type waiter struct {
	left int
	done chan struct{}
}

// Resolve asks for those of the keys that are not known, or not any more, and returns when each was answered, refused or
// given up: after Config.Wait at the latest, or when ctx ends. Afterwards Get tells what is known. Keys may repeat.
func (c *Cache) Resolve(ctx context.Context, keys [][]byte) {
	if c.fresh(keys) {
		c.counts.cached.Add(len(keys))
		return
	}
	w := &waiter{done: make(chan struct{})}
	c.mu.Lock()
	c.want(keys, w)
	wait := w.left > 0
	c.mu.Unlock()
	if !wait {
		return
	}
	t := time.NewTimer(c.cfg.Wait)
	defer t.Stop()
	select {
	case <-w.done:
	case <-ctx.Done():
	case <-t.C:
		c.counts.late.Inc()
	}
}

// fresh says whether all keys are known.
func (c *Cache) fresh(keys [][]byte) bool {
	now := c.opt.Now().UnixNano()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, k := range keys {
		if !askable(k) {
			continue
		}
		if v, ok := c.kept.get(k); !ok || now >= v.expires {
			return false
		}
	}
	return true
}

// want lets w wait for each key that is not known, and has calls made for them. c.mu is held.
func (c *Cache) want(keys [][]byte, w *waiter) {
	now := c.opt.Now()
	for _, k := range keys {
		if !askable(k) {
			continue
		}
		if v, ok := c.kept.get(k); ok && now.UnixNano() < v.expires {
			c.counts.cached.Inc()
			continue
		}
		f := c.flights[string(k)]
		if f == nil {
			if c.ctx.Err() != nil || !c.breaker.ready(now) {
				c.counts.refused("breaker").Inc()
				continue
			}
			if len(c.queue) >= maxQueue*c.cfg.Batch*c.cfg.Concurrency {
				c.counts.refused("full").Inc()
				continue
			}
			f = &flight{key: string(k)}
			c.flights[f.key] = f
			c.queue = append(c.queue, f)
			c.counts.asked.Inc()
		}
		if n := len(f.waiters); n > 0 && f.waiters[n-1] == w {
			continue // the key is there twice
		}
		f.waiters = append(f.waiters, w)
		w.left++
	}
	// A worker takes what waits, also of other batches of events, until nothing does.
	for c.active < c.cfg.Concurrency && c.active*c.cfg.Batch < len(c.queue) {
		c.active++
		c.workers.Go(c.work)
	}
}

// land ends flights; the keys are known now, or not to be had. c.mu is held.
func (c *Cache) land(flights []*flight) {
	for _, f := range flights {
		delete(c.flights, f.key)
		for _, w := range f.waiters {
			if w.left--; w.left == 0 {
				close(w.done)
			}
		}
	}
}

// refuse ends flights without a call. c.mu is held.
func (c *Cache) refuse(flights []*flight, why string) {
	c.counts.refused(why).Add(len(flights))
	c.land(flights)
}

// work makes calls until no key waits.
func (c *Cache) work() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.active--
			c.mu.Unlock()
			return
		}
		now := c.opt.Now()
		if pause := c.bucket.take(now); pause > 0 {
			c.mu.Unlock()
			c.sleep(pause)
			continue
		}
		if !c.breaker.allow(now) {
			c.refuse(c.queue, "breaker")
			c.queue = nil
			c.mu.Unlock()
			continue
		}
		n := min(c.cfg.Batch, len(c.queue))
		flights := c.queue[:n:n]
		if c.queue = c.queue[n:]; len(c.queue) == 0 {
			c.queue = nil // its memory is free
		}
		c.mu.Unlock()
		keys := make([]string, n)
		for i, f := range flights {
			keys[i] = f.key
		}
		c.call(keys)
		c.mu.Lock()
		c.land(flights)
		c.mu.Unlock()
	}
}

func (c *Cache) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// call asks for keys once, or where one of them is refused, for each half. It tells the breaker how it went.
func (c *Cache) call(keys []string) {
	err := c.ask(keys)
	if c.ctx.Err() != nil {
		return
	}
	if err != nil {
		c.opt.Log.Debug("look-up failed", "dimension", c.opt.Name, "keys", len(keys), "error", err)
	}
	now := c.opt.Now()
	c.mu.Lock()
	was := c.breaker.state(now)
	c.breaker.done(err == nil, now)
	is := c.breaker.state(now)
	c.mu.Unlock()
	if was != open && is == open {
		c.counts.opened.Inc()
	}
	switch {
	case is == open && c.breakerTold(true):
		c.opt.Log.Warn("look-ups fail, and pause: what is known is served as stale", "dimension", c.opt.Name, "error", err)
	case is == closed && c.breakerTold(false):
		c.opt.Log.Info("look-ups work again", "dimension", c.opt.Name)
	}
}

// breakerTold notes whether the log has it that look-ups fail, and says whether that is news.
func (c *Cache) breakerTold(failing bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.breaker.told == failing {
		return false
	}
	c.breaker.told = failing
	return true
}

// errAnswer is an answer that is no row.
var errAnswer = errors.New("the answer is not a JSON object for each key")

// ask asks the backend. An error is one of the other side.
func (c *Cache) ask(keys []string) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.Timeout)
	start := time.Now()
	rows, err := c.backend.Lookup(ctx, keys)
	late := ctx.Err() != nil
	cancel()
	c.counts.call(time.Since(start), err, late)
	switch {
	case errors.Is(err, ErrKeys) && len(keys) == 1:
		c.learn(keys, nil)
		return nil
	case errors.Is(err, ErrKeys):
		// The other side is well: each half is a call of its own.
		half := len(keys) / 2
		return errors.Join(c.ask(keys[:half]), c.ask(keys[half:]))
	case err != nil:
		return err
	}
	if c.learn(keys, rows) {
		return errAnswer
	}
	return nil
}
