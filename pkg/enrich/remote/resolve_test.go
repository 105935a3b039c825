package remote

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

func TestBatchesAndSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: 100 * time.Millisecond}
		c := open1(t, config(t, func(c *Config) { c.Batch, c.Concurrency = 10, 2 }), f, Options{})
		var keys []string
		for i := range 45 {
			keys = append(keys, fmt.Sprintf("k%d", i), fmt.Sprintf("k%d", i)) // each twice
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { c.Resolve(t.Context(), keysOf(keys...)) })
		}
		wg.Wait()
		calls, asked := f.asked()
		if calls != 5 || len(asked) != 45 || f.most != 2 {
			t.Errorf("%d calls for %d keys, %d at once; want 5 for 45, 2 at once", calls, len(asked), f.most)
		}
		expect(t, "known", look(c, "k0", "k44"), "hit hit")
		expect(t, "known again", states(c, "k0", "k44"), "hit hit")
		row, _ := c.Get([]byte("k7"))
		expect(t, "row", string(row), `{"key":"k7"}`)
		if calls, _ := f.asked(); calls != 0 {
			t.Errorf("%d calls for what is known", calls)
		}
	})
}

// TestCoalesce: keys of many small batches of events share calls while all calls that may be are under way.
func TestCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: 100 * time.Millisecond}
		c := open1(t, config(t, func(c *Config) { c.Concurrency = 1 }), f, Options{})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { c.Resolve(t.Context(), keysOf(fmt.Sprintf("k%d", i))) })
		}
		wg.Wait()
		if calls, asked := f.asked(); calls > 3 || len(asked) != 50 {
			t.Errorf("%d calls for %d keys", calls, len(asked))
		}
	})
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		stale := 3 * time.Hour
		c := open1(t, config(t, func(c *Config) { c.TTL, c.NegativeTTL, c.MaxStale = time.Hour, time.Minute, &stale }), f, Options{})
		expect(t, "first", states(c, "k", "x"), "hit miss")
		time.Sleep(59 * time.Second)
		expect(t, "within both", states(c, "k", "x"), "hit miss")
		f.asked()
		time.Sleep(2 * time.Second)
		expect(t, "the miss is over", states(c, "k", "x"), "hit miss")
		if _, keys := f.asked(); strings.Join(keys, " ") != "x" {
			t.Errorf("asked for %q", keys)
		}
		time.Sleep(time.Hour)
		f.set(errDown)
		expect(t, "both over, nobody answers", states(c, "k", "x"), "stale error")
		time.Sleep(2 * time.Hour)
		expect(t, "still", states(c, "k"), "stale")
		time.Sleep(time.Hour)
		expect(t, "staler than max_stale", states(c, "k"), "error")
		f.set(nil)
		expect(t, "back", states(c, "k", "x"), "hit miss")
	})
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := 0.5
		r := 0.0
		c := open1(t, config(t, func(c *Config) { c.TTL, c.Jitter, c.MaxStale = time.Hour, &part, new(time.Duration) }), &fake{}, Options{Rand: func() float64 { return r }})
		states(c, "k1")
		r = 0.999
		states(c, "k2")
		time.Sleep(31 * time.Minute)
		expect(t, "one of two has gone", look(c, "k1", "k2"), "hit error")
		time.Sleep(30 * time.Minute)
		expect(t, "both have", look(c, "k1", "k2"), "error error")
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: 3 * time.Second}
		c := open1(t, config(t, func(c *Config) { c.Timeout, c.Wait = 10*time.Second, time.Second }), f, Options{})
		start := time.Now()
		expect(t, "slow", states(c, "k"), "error")
		if took := time.Since(start); took != time.Second {
			t.Errorf("waited %s", took)
		}
		time.Sleep(3 * time.Second)
		expect(t, "it came later", look(c, "k"), "hit")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		start = time.Now()
		c.Resolve(ctx, keysOf("k2"))
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("waited %s", took)
		}
		time.Sleep(time.Minute)
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: time.Hour}
		set := metrics.NewSet()
		c := open1(t, config(t, nil), f, Options{Metrics: set})
		start := time.Now()
		expect(t, "never", states(c, "k"), "error")
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("waited %s", took)
		}
		var b strings.Builder
		set.WritePrometheus(&b)
		if want := `leat_enrich_remote_calls_total{dimension="test",result="timeout"} 1`; !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		set := metrics.NewSet()
		c := open1(t, config(t, func(c *Config) {
			c.TTL, c.Breaker = time.Minute, BreakerConfig{Failures: 3, Pause: 10 * time.Second}
		}), f, Options{Metrics: set})
		expect(t, "well", states(c, "k"), "hit")
		time.Sleep(2 * time.Minute)
		f.asked()
		f.set(errDown)
		f.took = 400 * time.Millisecond
		for range 3 {
			expect(t, "failing", states(c, "k"), "stale")
		}
		if calls, _ := f.asked(); calls != 3 {
			t.Fatalf("%d calls", calls)
		}
		start := time.Now()
		for range 1000 {
			expect(t, "open", states(c, "k", "k2"), "stale error")
		}
		if calls, _ := f.asked(); calls != 0 || time.Since(start) != 0 {
			t.Errorf("open, and %d calls in %s", calls, time.Since(start))
		}
		// Half open: one call, however many come at once. It fails, and the pause doubles.
		time.Sleep(10 * time.Second)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { states(c, fmt.Sprintf("k%d", i)) })
		}
		wg.Wait()
		if calls, _ := f.asked(); calls != 1 {
			t.Errorf("half open: %d calls", calls)
		}
		time.Sleep(15 * time.Second)
		states(c, "k")
		if calls, _ := f.asked(); calls != 0 {
			t.Errorf("in the longer pause: %d calls", calls)
		}
		time.Sleep(5 * time.Second)
		f.set(nil)
		expect(t, "back", states(c, "k", "k2", "x"), "hit hit miss")
		var b strings.Builder
		set.WritePrometheus(&b)
		for _, want := range []string{
			`leat_enrich_remote_breaker_opened_total{dimension="test"} 2`, `leat_enrich_remote_breaker_state{dimension="test"} 0`,
			`leat_enrich_remote_keys_in_flight{dimension="test"} 0`, `leat_enrich_remote_calls_total{dimension="test",result="error"} 4`,
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %s in\n%s", want, b.String())
			}
		}
	})
}

func TestBreakerPauses(t *testing.T) {
	b := breaker{failures: 1, pause: time.Second}
	now := time.Unix(1e9, 0)
	for _, want := range []time.Duration{1, 2, 4, 8, 8, 8} {
		if !b.allow(now) {
			t.Fatal("not allowed")
		}
		b.done(false, now)
		if got := b.until.Sub(now); got != want*time.Second {
			t.Errorf("pause %s; want %ds", got, want)
		}
		if now = b.until; b.ready(now.Add(-1)) {
			t.Error("ready before its time")
		}
	}
	b.done(true, now)
	if b.state(now) != closed {
		t.Error("not closed by success")
	}
}

// TestGuiltyKeys: what one event brings about must not harm the others, nor open the breaker.
func TestGuiltyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{bad: "evil"}
		c := open1(t, config(t, func(c *Config) { c.Breaker.Failures = 1 }), f, Options{})
		keys := []string{"k0", "k1", "evil", "k2", "x", "evil2", "k3"}
		expect(t, "found out", states(c, keys...), "hit hit miss hit miss miss hit")
		f.asked()
		states(c, keys...)
		if calls, _ := f.asked(); calls != 0 {
			t.Errorf("%d calls: the guilty ones are not remembered", calls)
		}
		// Never asked at all.
		expect(t, "no key", states(c, "", "a\x00b", "\xff\xfe", strings.Repeat("k", maxKey+1)), "miss miss miss miss")
		if calls, _ := f.asked(); calls != 0 {
			t.Errorf("%d calls for what no key can be", calls)
		}
	})
}

func TestBadRows(t *testing.T) {
	for _, row := range []string{``, `x`, `[1]`, `"s"`, `{`, `{"a":1}{}`, `null`, `{"a":"` + strings.Repeat("x", maxRow) + `"}`} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{rows: func(k string) []byte {
				if k == "k" {
					return []byte("{\"a\":\n {\"b\": 1}}")
				}
				return []byte(row)
			}}
			c := open1(t, config(t, nil), f, Options{})
			expect(t, fmt.Sprintf("%.20q", row), states(c, "k", "broken"), "hit error")
			got, _ := c.Get([]byte("k"))
			expect(t, "in one line", string(got), `{"a":{"b":1}}`)
		})
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: 100 * time.Millisecond}
		c := open1(t, config(t, func(c *Config) { c.Batch, c.Concurrency = 2, 1 }), f, Options{})
		var keys []string
		for i := range 100 {
			keys = append(keys, fmt.Sprintf("k%d", i))
		}
		c.Resolve(t.Context(), keysOf(keys...))
		if _, asked := f.asked(); len(asked) != 2*maxQueue {
			t.Errorf("asked for %d keys; want %d", len(asked), 2*maxQueue)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := open1(t, config(t, func(c *Config) { c.Batch, c.Rate, c.Wait = 1, 10, time.Minute }), f, Options{})
		var keys []string
		for i := range 58 {
			keys = append(keys, fmt.Sprintf("k%d", i))
		}
		start := time.Now()
		c.Resolve(t.Context(), keysOf(keys...))
		if took := time.Since(start); took < 4900*time.Millisecond || took > 5200*time.Millisecond {
			t.Errorf("58 calls at 10 a second, the first 8 at once, took %s", took)
		}
		expect(t, "all", look(c, "k0", "k57"), "hit hit")
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{took: time.Hour}
		c, err := New(config(t, func(c *Config) { c.Timeout, c.Wait, c.Batch, c.Concurrency = time.Hour, time.Hour, 1, 1 }), f, Options{Name: "test"})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			c.Resolve(context.Background(), keysOf("k1", "k2", "k3"))
			close(done)
		}()
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		<-done
		expect(t, "closed", states(c, "k1", "k4"), "error error")
	})
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	f := &fake{bad: "9"}
	c := open1(t, config(t, func(c *Config) { c.Size, c.Batch, c.Wait, c.Timeout = 50, 7, time.Minute, time.Minute }), f, Options{Dir: t.TempDir()})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				key := []byte(fmt.Sprintf("k%d", (i*7+g)%120))
				c.Resolve(t.Context(), [][]byte{key})
				if row, st := c.Get(key); st == Hit && string(row) != fmt.Sprintf(`{"key":%q}`, key) {
					t.Errorf("%s: %s", key, row)
				}
			}
		})
	}
	wg.Wait()
	if c.len() > 50 {
		t.Errorf("%d keys remembered; want at most 50", c.len())
	}
}
