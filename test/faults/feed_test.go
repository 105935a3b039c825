package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// feed writes numbered sshd lines to a log file at a steady rate, and rotates it by renaming.
type feed struct {
	path    string
	rate    int // lines a second
	rotate  int // lines a file
	written atomic.Int64
	stop    chan struct{}
	done    sync.WaitGroup
	err     error
}

func startFeed(path string, rate, rotate int) *feed {
	f := &feed{path: path, rate: rate, rotate: rotate, stop: make(chan struct{})}
	f.done.Go(func() { f.err = f.run() })
	return f
}

func line(n int64) string {
	user := fmt.Sprintf("user%d", n%97)
	if n%canaryEvery == 0 {
		user = "canary"
	}
	return fmt.Sprintf("Nov 24 08:17:44 bastion sshd[4711]: Accepted publickey for %s from 10.%d.%d.%d port %d ssh2: ED25519 SHA256:seq=%d\n",
		user, n>>16&255, n>>8&255, n&255, 1024+n%60000, n)
}

// linesOf returns the lines first to last.
func linesOf(first, last int64) string {
	var b strings.Builder
	for n := first; n <= last; n++ {
		b.WriteString(line(n))
	}
	return b.String()
}

func (f *feed) run() error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	const period = 10 * time.Millisecond
	tick := time.NewTicker(period)
	defer tick.Stop()
	n, inFile, turn := int64(0), 0, 0
	for {
		select {
		case <-f.stop:
			return nil
		case <-tick.C:
		}
		var block bytes.Buffer
		for range f.rate / int(time.Second/period) {
			n++
			inFile++
			block.WriteString(line(n))
		}
		// Torn on purpose: a reader must see lines only when they are whole.
		cut := rand.IntN(block.Len())
		for _, part := range [][]byte{block.Bytes()[:cut], block.Bytes()[cut:]} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
		f.written.Store(n)
		if inFile >= f.rotate {
			turn++
			inFile = 0
			if err := out.Close(); err != nil {
				return err
			}
			if err := os.Rename(f.path, fmt.Sprintf("%s.%d", f.path, turn)); err != nil {
				return err
			}
			if out, err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
				return err
			}
		}
	}
}

// finish ends the feed and returns how many lines it has written.
func (f *feed) finish(t *testing.T) int64 {
	t.Helper()
	close(f.stop)
	f.done.Wait()
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.written.Load()
}
