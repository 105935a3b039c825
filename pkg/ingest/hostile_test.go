package ingest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// ended waits until the other side has closed c, and returns an error if it does not.
func ended(c net.Conn) error {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := c.Read(make([]byte, 1))
	if err == nil {
		return fmt.Errorf("it sent something")
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		return err
	}
	return nil
}

// What is no TLS on a TLS port, and a handshake that is never finished, end their own connection and disturb no other.
func TestGarbageOnTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "syslog+tls://"+addr+"?cert="+cert+"&key="+key+"&max_connections=20"), k)
	half := connect(t, addr) // says nothing
	for name, text := range map[string]string{
		"plain syslog": "<13>Nov 24 08:12:03 host app: in the clear\n", "octet count": "21 <13>in the clear text", "HTTP": "GET / HTTP/1.1\r\n\r\n",
		"zeros": strings.Repeat("\x00", 4000), "TLS alert": "\x15\x03\x01\x00\x02\x02\x28", "huge record": "\x16\x03\x01\xff\xff" + strings.Repeat("x", 70000),
		"SSLv2": "\x80\x2e\x01\x00\x02" + strings.Repeat("\x05", 50),
	} {
		c := connect(t, addr)
		_, _ = io.WriteString(c, text)
		if err := ended(drained(c)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	// RFC 5425: octet counting over TLS, also with frames torn over records.
	for _, part := range []string{"11 <13>1 - one", "12 <1", "3>1 - two!", "8 <13>\x00\xff\xfe!"} {
		send(t, good, part)
	}
	k.await(3)
	half.Close()
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"<13>1 - one"[:11], "<13>1 - two!", "<13>\x00\xff\xfe!"}) {
		t.Errorf("got %q", got)
	}
}

// drained reads what the other side says before it closes, such as a TLS alert or an HTTP answer in the clear.
func drained(c net.Conn) net.Conn {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.Copy(io.Discard, c)
	return c
}

// A sender that dribbles a message, or is silent, loses its place; one that goes on sending whole messages keeps it.
func TestSlowSenders(t *testing.T) {
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "syslog+tcp://"+addr+"?message_time=1s&idle=2s&max_connections=3"), k)
	slow, silent, steady := connect(t, addr), connect(t, addr), connect(t, addr)
	send(t, slow, "<13>x")
	send(t, silent, "<13>said one thing\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 30 { // a byte at a time: never idle
			if _, err := slow.Write([]byte("y")); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	n := 0
	for range 30 {
		// Each write ends in the middle of a message, so that some message is always unfinished.
		send(t, steady, "message\n<13>steady ")
		n++
		time.Sleep(100 * time.Millisecond)
	}
	if err := ended(slow); err != nil {
		t.Errorf("the slow one: %v", err)
	}
	if err := ended(silent); err != nil {
		t.Errorf("the silent one: %v", err)
	}
	<-done
	send(t, steady, "last\n")
	waitFor(t, "the last message", func() bool { return slices.Contains(k.originals(), "<13>steady last") })
	stop()
	kept := 0
	for _, s := range k.originals() {
		if strings.HasPrefix(s, "<13>xy") {
			kept++ // what it had sent is not thrown away
		}
	}
	if kept != 1 {
		t.Errorf("of the slow sender: %q", k.originals())
	}
}

// A connection holds at most about twice the longest message, whatever is sent.
func TestConnectionMemoryIsBounded(t *testing.T) {
	const most = 10_000
	client, server := net.Pipe()
	go func() {
		for range 200 {
			for _, part := range []string{strings.Repeat("x", 3000), strings.Repeat("9", 40), " ", "\n", strings.Repeat("z", 50_000), "\n99999999 <"} {
				if _, err := client.Write([]byte(part)); err != nil {
					return
				}
			}
		}
		client.Close()
	}()
	in := &counted{}
	s := &connection{sender: &sender{TCPConn: &net.TCPConn{}}, opts: defaultOptions(), to: in, framer: framer{max: most}, buf: make([]byte, firstBuffer)}
	s.in = readFunc(func(p []byte) (int, error) {
		if len(s.buf) > 2*most+firstBuffer {
			t.Errorf("a buffer of %d bytes", len(s.buf))
		}
		return server.Read(p)
	})
	if err := s.read(); err != nil {
		t.Fatal(err)
	}
	if in.records == 0 || in.longest > most {
		t.Errorf("%d records, longest %d", in.records, in.longest)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// counted is an inlet that counts.
type counted struct{ records, longest int }

func (c *counted) add(_ int64, rec, _ []byte) error {
	c.records++
	c.longest = max(c.longest, len(rec))
	return nil
}

func (c *counted) addLong(_ int64, l long, addr []byte) error { return c.add(0, l.head, addr) }
func (c *counted) flush() error                               { return nil }
