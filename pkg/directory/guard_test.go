package directory

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// pieces is a connection that gives what it has in pieces of some bytes.
type pieces struct {
	net.Conn
	data []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.data)
	p.data = p.data[n:]
	return n, nil
}

func TestGuard(t *testing.T) {
	long := append([]byte{0x30, 0x82, 0x01, 0x00}, make([]byte, 256)...)
	for _, c := range []struct {
		name string
		data []byte
		max  int64
		want string
	}{
		{"nothing", nil, 1 << 20, ""},
		{"messages", bytes.Repeat([]byte{0x30, 2, 5, 0}, 50), 1 << 20, ""},
		{"a long one", append(bytes.Clone(long), 0x30, 0), 1 << 20, ""},
		{"a length of many bytes", append([]byte{0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 2}, 5, 0, 0x30, 0), 1 << 20, ""},
		{"not LDAP", []byte("SSH-2.0-x\r\n"), 1 << 20, "does not speak LDAP"},
		{"not LDAP later", append(bytes.Clone(long), 'x'), 1 << 20, "does not speak LDAP"},
		{"no length", []byte{0x30, 0x80, 0, 0}, 1 << 20, "does not speak LDAP"},
		{"a length of nine bytes", append([]byte{0x30, 0x89}, make([]byte, 9)...), 1 << 20, "does not speak LDAP"},
		{"too long a message", []byte{0x30, 0x84, 0x02, 0x00, 0x00, 0x01}, 1 << 20, "too big"},
		{"too long an answer", bytes.Repeat(long, 5), 1000, "too big"},
	} {
		for _, size := range []int{1, 3, 4096} {
			g := &guard{Conn: &pieces{data: c.data, size: size}, max: c.max}
			got, err := io.ReadAll(g)
			if c.want == "" && (err != nil || !bytes.Equal(got, c.data)) {
				t.Errorf("%s in pieces of %d: %d bytes, %v", c.name, size, len(got), err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s in pieces of %d: %v, want %s", c.name, size, err, c.want)
			}
			if c.want != "" {
				if _, again := g.Read(make([]byte, 9)); !errors.Is(again, err) {
					t.Errorf("%s: then %v", c.name, again)
				}
			}
		}
	}
	// Each request has the whole bound.
	g := &guard{Conn: &pieces{data: bytes.Repeat(long, 6), size: len(long)}, max: 300}
	for i := range 6 {
		g.begin()
		if _, err := g.Read(make([]byte, len(long))); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
	}
}

// FuzzGuard: what comes through is the same however it is cut, and whether it comes through too.
func FuzzGuard(f *testing.F) {
	f.Add([]byte{0x30, 2, 5, 0, 0x30, 0x81, 1, 0}, 1)
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, 2)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size < 1 {
			return
		}
		one, err1 := io.ReadAll(&guard{Conn: &pieces{data: data, size: 1}, max: 1 << 16})
		_, err2 := io.ReadAll(&guard{Conn: &pieces{data: data, size: size}, max: 1 << 16})
		if (err1 == nil) != (err2 == nil) || err1 == nil && !bytes.Equal(one, data) {
			t.Errorf("%x: %v by bytes, %v in pieces of %d", data, err1, err2, size)
		}
	})
}
