package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Backend that knows every key that begins with k, and says what it was asked.
type fake struct {
	mu    sync.Mutex
	calls [][]string
	now   int // calls under way
	most  int
	err   error
	took  time.Duration
	bad   string // part of keys that are refused
	rows  func(key string) []byte
}

func (f *fake) Lookup(ctx context.Context, keys []string) (map[string][]byte, error) {
	f.mu.Lock()
	f.calls = append(f.calls, slices.Clone(keys))
	f.now++
	f.most = max(f.most, f.now)
	err, took, bad, rows := f.err, f.took, f.bad, f.rows
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}()
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, k := range keys {
		switch {
		case bad != "" && strings.Contains(k, bad):
			return nil, fmt.Errorf("server: %w", ErrKeys)
		case rows != nil:
			out[k] = rows(k)
		case strings.HasPrefix(k, "k"):
			out[k] = fmt.Appendf(nil, `{"key": %q}`, k)
		}
	}
	return out, nil
}

func (f *fake) set(err error) {
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
}

// asked returns the keys of all calls since the last time.
func (f *fake) asked() (calls int, keys []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		keys = append(keys, c...)
	}
	calls, f.calls = len(f.calls), nil
	return calls, keys
}

var errDown = errors.New("down")

// config is a checked configuration; the backend in it is not used.
func config(t testing.TB, change func(*Config)) Config {
	t.Helper()
	none := 0.0
	c := Config{DNS: &DNSConfig{}, Jitter: &none}
	if change != nil {
		change(&c)
	}
	batch := c.Batch
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	c.Batch = max(batch, 100)
	if batch > 0 {
		c.Batch = batch
	}
	return c
}

func open1(t testing.TB, cfg Config, b Backend, opt Options) *Cache {
	t.Helper()
	opt.Name = "test"
	c, err := New(cfg, b, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func keysOf(s ...string) [][]byte {
	out := make([][]byte, len(s))
	for i, k := range s {
		out[i] = []byte(k)
	}
	return out
}

// states resolves keys and returns what is known of each.
func states(c *Cache, keys ...string) string {
	c.Resolve(context.Background(), keysOf(keys...))
	return look(c, keys...)
}

func look(c *Cache, keys ...string) string {
	var out []string
	for _, k := range keys {
		_, st := c.Get([]byte(k))
		out = append(out, st.String())
	}
	return strings.Join(out, " ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s; want %s", what, got, want)
	}
}
