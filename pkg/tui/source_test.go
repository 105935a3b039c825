package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lines reads from r in the background and hands over whole lines.
func lines(r io.Reader) <-chan string {
	out := make(chan string, 100)
	go func() {
		defer close(out)
		var rest []byte
		buf := make([]byte, 100)
		for {
			n, err := r.Read(buf)
			rest = append(rest, buf[:n]...)
			for {
				i := bytes.IndexByte(rest, '\n')
				if i < 0 {
					break
				}
				if i > 0 {
					out <- string(rest[:i])
				}
				rest = rest[i+1:]
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

func write(t *testing.T, path string, how int, text string) {
	t.Helper()
	f, err := os.OpenFile(path, how|os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFollow: growing, replaced (rename and new file), and cut to a shorter one.
func TestFollowFile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	path := filepath.Join(t.TempDir(), "alerts")
	if _, err := follow(ctx, path); err == nil {
		t.Fatal("a file that is not there")
	}
	write(t, path, 0, "one\nhal")
	f, err := follow(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	f.wait = 5 * time.Millisecond
	got := lines(f)
	expect := func(want string) {
		t.Helper()
		if l := <-got; l != want {
			t.Fatalf("%q, want %q", l, want)
		}
	}
	expect("one")
	write(t, path, os.O_APPEND, "f\ntwo\n")
	expect("half")
	expect("two")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path+".1", os.O_APPEND, "last of the old\n")
	expect("last of the old")
	write(t, path, 0, "three\n")
	expect("three")
	write(t, path, os.O_TRUNC, "4\n")
	expect("4")
	cancel()
	if _, more := <-got; more {
		t.Error("it goes on after its end")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestConnect: the other end goes away within a line and comes back.
func TestConnect(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	path := filepath.Join(t.TempDir(), "s")
	if _, err := dial(ctx, path); err == nil {
		t.Fatal("a socket that is not there")
	}
	served := make(chan struct{}, 2)
	serve := func(text string) {
		defer func() { served <- struct{}{} }()
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Error(err)
			return
		}
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(c, text)
		c.Close()
		l.Close()
	}
	go serve("one\ntorn")
	var k *connect
	for k == nil {
		k, _ = dial(ctx, path)
	}
	k.wait = 5 * time.Millisecond
	got := lines(k)
	for _, want := range []string{"one", "torn"} {
		if l := <-got; l != want {
			t.Fatalf("%q, want %q", l, want)
		}
	}
	<-served // its socket is gone, so that the next can take the name
	go serve("two\n")
	if l := <-got; l != "two" {
		t.Fatalf("after the new connection: %q", l)
	}
	cancel()
	if _, more := <-got; more {
		t.Error("it goes on after its end")
	}
}

func TestHistory(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan int64, 100)
	h := func(_ context.Context, cursor int64) ([][]byte, int64, error) {
		asked <- cursor
		switch cursor {
		case 0:
			return [][]byte{[]byte("one"), []byte("two")}, 7, nil
		case 7:
			return nil, 8, nil
		case 8:
			return [][]byte{[]byte("three")}, 9, nil
		}
		return nil, 0, io.ErrUnexpectedEOF
	}
	got := lines(&lake{ctx: ctx, history: h, every: time.Millisecond})
	for _, want := range []string{"one", "two", "three"} {
		if l := <-got; l != want {
			t.Fatalf("%q, want %q", l, want)
		}
	}
	if _, more := <-got; more {
		t.Error("an error is no end")
	}
	for _, want := range []int64{0, 7, 8, 9} {
		if c := <-asked; c != want {
			t.Errorf("asked for %d, want %d", c, want)
		}
	}
	cancel()
}

func TestRunPlain(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader(alertLine(1, "high") + "\n" + `{"event":{"kind":"event"}}` + "\n" + alertLine(2, "low") + "\n")
	cfg := Config{In: in, Out: &out, Plain: true, Zone: time.UTC, Filter: "severity>=high"}
	if err := Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "message 1") {
		t.Errorf("%q", got)
	}
	cfg.Filter = `user="`
	if err := Run(context.Background(), cfg); err == nil {
		t.Error("a filter with a fault")
	}
	if err := Run(context.Background(), Config{Follow: "/no/such/file", Plain: true}); err == nil {
		t.Error("a file that is not there")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	blocked, w := io.Pipe()
	defer w.Close()
	if err := Run(ctx, Config{In: blocked, Out: &out, Plain: true}); err != nil {
		t.Errorf("ended by its context: %v", err)
	}
}
