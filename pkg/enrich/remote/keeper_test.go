package remote

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// run opens a cache in dir, resolves keys and closes it; it returns what is known of them.
func run(t *testing.T, dir, of string, f *fake, now time.Time, keys ...string) string {
	t.Helper()
	c, err := New(config(t, nil), f, Options{Name: "test", Dir: dir, Of: of, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	got := states(c, keys...)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestKeptOverRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	f := &fake{}
	expect(t, "first run", run(t, dir, "q", f, now, "k1", "k2", "x"), "hit hit miss")
	f.asked()
	expect(t, "second run", run(t, dir, "q", f, now.Add(time.Minute), "k1", "k2", "x"), "hit hit miss")
	if calls, _ := f.asked(); calls != 0 {
		t.Errorf("%d calls after the restart", calls)
	}
	f.set(errDown)
	expect(t, "hours later, with the other side down", run(t, dir, "q", f, now.Add(2*time.Hour), "k1", "x"), "stale error")
	expect(t, "a day later", run(t, dir, "q", f, now.Add(26*time.Hour), "k1", "x"), "error error")
	f.set(nil)
	f.asked()
	expect(t, "another question", run(t, dir, "q2", f, now, "k1"), "hit")
	if calls, _ := f.asked(); calls != 1 {
		t.Errorf("%d calls: the answer to another question was taken", calls)
	}
	if info, err := os.Stat(filepath.Join(dir, keeperName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// logOf returns a log with some records, and where each of them ends.
func logOf(head []byte, n int) (log []byte, ends []int) {
	log = bytes.Clone(head)
	ends = []int{len(log)}
	for i := range n {
		v := value{expires: int64(i) << 40}
		if i%3 > 0 {
			v.row = fmt.Appendf(nil, `{"n":%d}`, i)
		}
		log = appendRecord(log, fmt.Sprintf("key%d", i), v)
		ends = append(ends, len(log))
	}
	return log, ends
}

// TestTornLog cuts a log at each byte, as kill -9 or a full disk would: what is whole in front of it is there, and what is
// written afterwards too.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, keeperName)
	k, err := openKeeper(dir, "q", func(string, value) {})
	if err != nil {
		t.Fatal(err)
	}
	head := k.head
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	log, ends := logOf(head, 5)
	for cut := range len(log) + 1 {
		if err := os.WriteFile(path, log[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, end := range ends[1:] {
			if end <= cut {
				n++
			}
		}
		got := reopen(t, dir)
		if len(got) != n {
			t.Fatalf("cut at %d: %d records; want %d", cut, len(got), n)
		}
		k, err := openKeeper(dir, "q", func(string, value) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.write([]record{{"new", value{expires: 7}}}, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := k.close(); err != nil {
			t.Fatal(err)
		}
		if got := reopen(t, dir); len(got) != n+1 || got[n].key != "new" {
			t.Fatalf("cut at %d: %v after another record was written", cut, got)
		}
	}
	// A flipped bit anywhere ends the log there, or the whole one.
	for at := range log {
		flipped := bytes.Clone(log)
		flipped[at] ^= 0x10
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, end := range ends[1:] {
			if end <= at {
				n++
			}
		}
		if got := reopen(t, dir); len(got) != n {
			t.Fatalf("flipped at %d: %d records; want %d", at, len(got), n)
		}
	}
}

func reopen(t *testing.T, dir string) (got []record) {
	t.Helper()
	k, err := openKeeper(dir, "q", func(key string, v value) { got = append(got, record{key, v}) })
	if err != nil {
		t.Fatal(err)
	}
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLogIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	c, err := New(config(t, func(c *Config) { c.TTL = time.Nanosecond }), &fake{}, Options{Name: "test", Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		now = now.Add(time.Second)
		c.Resolve(t.Context(), keysOf("k1", "k2"))
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, keeperName))
	if err != nil || info.Size() > 64*(slack+100) {
		t.Errorf("%d bytes for two keys (%v)", info.Size(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left over: %v (%v)", left, err)
	}
	last := map[string]string{}
	k, err := openKeeper(dir, "", func(key string, v value) { last[key] = string(v.row) })
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if diff := cmp.Diff(map[string]string{"k1": `{"key":"k1"}`, "k2": `{"key":"k2"}`}, last); diff != "" {
		t.Error(diff)
	}
}

// TestOneWriter: a second process beside the first has what is kept, and leaves the log alone.
func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	f := &fake{}
	c := open1(t, config(t, nil), f, Options{Dir: dir})
	expect(t, "first", states(c, "k1"), "hit")
	f.asked()
	now := time.Now()
	expect(t, "second", run(t, dir, "", f, now, "k1", "k2"), "hit hit")
	if _, keys := f.asked(); strings.Join(keys, " ") != "k2" {
		t.Errorf("asked for %q", keys)
	}
	expect(t, "first again", states(c, "k3"), "hit")
	var kept []string
	data, err := os.ReadFile(filepath.Join(dir, keeperName))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readLog(bytes.NewReader(data), c.keep.head, func(key string, _ value) { kept = append(kept, key) }); err != nil {
		t.Fatal(err)
	}
	expect(t, "kept", strings.Join(kept, " "), "k1 k3")
}

// TestDiskFails: a disk that takes no more stops nothing.
func TestDiskFails(t *testing.T) {
	c := open1(t, config(t, nil), &fake{}, Options{Dir: t.TempDir()})
	if err := c.keep.f.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, "without a disk", states(c, "k1", "x"), "hit miss")
	expect(t, "without a disk, again", states(c, "k2"), "hit")
	if !c.keep.failed {
		t.Error("it was not noticed")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(config(t, nil), &fake{}, Options{Name: "test", Dir: file}); err == nil || !strings.Contains(err.Error(), "open kept look-ups") {
		t.Errorf("a file for a folder: %v", err)
	}
}

func FuzzLog(f *testing.F) {
	head := []byte(keeperMagic + "0123456789abcdef")
	log, _ := logOf(head, 4)
	f.Add(log)
	f.Add(log[:len(log)-3])
	f.Add(head)
	f.Fuzz(func(t *testing.T, data []byte) {
		again := bytes.Clone(head)
		whole, n, err := readLog(bytes.NewReader(data), head, func(key string, v value) { again = appendRecord(again, key, v) })
		if err != nil {
			t.Fatal(err)
		}
		// What was read is exactly what is whole of the log.
		if n > 0 && !bytes.Equal(again, data[:whole]) || whole > int64(len(data)) {
			t.Fatalf("%d records, %d bytes of %q", n, whole, data)
		}
	})
}
