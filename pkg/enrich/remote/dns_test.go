package remote

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsServer answers for addresses: with names, or as the name of an answer says.
type dnsServer struct {
	conn net.PacketConn
	mu   sync.Mutex
	seen []string
}

var pointers = map[string][]string{
	"1.2.0.192.in-addr.arpa.":  {"www.example.test.", "A.Example.test."},
	"5.0.0.10.in-addr.arpa.":   {"dc1.lab.test."},
	"66.2.0.192.in-addr.arpa.": {"<script>.evil.test.", "fine.example.test."},
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {"v6.example.test."},
}

func startDNS(t *testing.T) *dnsServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dnsServer{conn: conn}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := s.answer(buf[:n]); out != nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		wg.Wait()
	})
	return s
}

func (s *dnsServer) answer(query []byte) []byte {
	var q dnsmessage.Message
	if q.Unpack(query) != nil || len(q.Questions) != 1 {
		return nil
	}
	name := q.Questions[0].Name.String()
	s.mu.Lock()
	s.seen = append(s.seen, name)
	s.mu.Unlock()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
	for _, to := range pointers[name] {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(to)},
		})
	}
	switch {
	case strings.HasPrefix(name, "250."):
		m.RCode = dnsmessage.RCodeServerFailure
	case strings.HasPrefix(name, "251."):
		return nil // it never answers
	case len(m.Answers) == 0:
		m.RCode = dnsmessage.RCodeNameError
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func TestDNS(t *testing.T) {
	s := startDNS(t)
	for _, c := range []struct{ only, key, want string }{
		{"all", "192.0.2.1", `{"name":"a.example.test","names":["a.example.test","www.example.test"]}`},
		{"all", "::ffff:192.0.2.1", `{"name":"a.example.test","names":["a.example.test","www.example.test"]}`},
		{"all", "2001:db8::1", `{"name":"v6.example.test","names":["v6.example.test"]}`},
		{"all", "192.0.2.66", `{"name":"fine.example.test","names":["fine.example.test"]}`},
		{"all", "192.0.2.99", ""},
		{"all", "www.example.test", ""},
		{"all", "192.0.2.250", "error"},
		{"private", "192.0.2.1", ""},
		{"private", "10.0.0.5", `{"name":"dc1.lab.test","names":["dc1.lab.test"]}`},
		{"global", "10.0.0.5", ""},
		{"global", "127.0.0.1", ""},
		{"global", "192.0.2.1", `{"name":"a.example.test","names":["a.example.test","www.example.test"]}`},
	} {
		cfg := &Config{DNS: &DNSConfig{Server: s.conn.LocalAddr().String(), Only: c.only}, Timeout: time.Minute}
		b := backend(t, cfg)
		s.mu.Lock()
		s.seen = nil
		s.mu.Unlock()
		rows, err := b.Lookup(t.Context(), []string{c.key})
		got := string(rows[c.key])
		if err != nil {
			got = "error"
			if strings.Contains(err.Error(), c.key) {
				t.Errorf("the error tells the key: %v", err)
			}
		}
		if got != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.only, c.key, got, err, c.want)
		}
		s.mu.Lock()
		if c.want == "" && c.key != "192.0.2.99" && len(s.seen) > 0 {
			t.Errorf("%s %s: asked for %q", c.only, c.key, s.seen)
		}
		s.mu.Unlock()
	}
}

// TestDNSThatNeverAnswers: the cache's timeout ends it.
func TestDNSThatNeverAnswers(t *testing.T) {
	s := startDNS(t)
	cfg := Config{DNS: &DNSConfig{Server: s.conn.LocalAddr().String()}, Timeout: 100 * time.Millisecond, Wait: time.Minute}
	b := backend(t, &cfg)
	c, err := New(cfg, b, Options{Name: "dns"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(t, "silent", states(c, "192.0.2.251"), "error")
}
