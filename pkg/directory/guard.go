package directory

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

const (
	// maxMessage bounds one LDAP message: an entry with all its values. What a server packs most tightly grows about a
	// hundredfold when it is taken apart.
	maxMessage = 32 << 20
	// defaultAnswer bounds all messages that answer one request: a page, or what a controller that knows no pages sends by DirSync.
	defaultAnswer = 256 << 20
)

// guard is a connection on which no message is longer than maxMessage and no answer than max. The LDAP library
// itself would read what it is sent.
type guard struct {
	net.Conn
	max    int64
	head   []byte // of the message that begins
	left   int    // bytes of the message that are still to come
	answer atomic.Int64
	broken error
}

var errTooBig = errors.New("the server's answer is too big")

// begin says that a new request is sent.
func (g *guard) begin() { g.answer.Store(0) }

// Read reads, and follows where messages end (X.690 section 8.1: each is a SEQUENCE of definite length).
func (g *guard) Read(p []byte) (int, error) {
	if g.broken != nil {
		return 0, g.broken
	}
	n, err := g.Conn.Read(p)
	if g.answer.Add(int64(n)) > g.max {
		g.broken = fmt.Errorf("%w (more than %d MiB)", errTooBig, g.max>>20)
		return 0, g.broken
	}
	for b := p[:n]; len(b) > 0; {
		if g.left > 0 {
			k := min(g.left, len(b))
			g.left -= k
			b = b[k:]
			continue
		}
		g.head = append(g.head, b[0])
		b = b[1:]
		length, whole, ok := messageLength(g.head)
		if !ok {
			g.broken = errors.New("the server does not speak LDAP")
			return 0, g.broken
		}
		if !whole {
			continue
		}
		if length > maxMessage {
			g.broken = fmt.Errorf("%w (a message of more than %d MiB)", errTooBig, maxMessage>>20)
			return 0, g.broken
		}
		g.left, g.head = length, g.head[:0]
	}
	return n, err
}

// messageLength reads the first bytes of a message; whole: all bytes of the length are there.
func messageLength(b []byte) (length int, whole, ok bool) {
	switch {
	case b[0] != 0x30:
		return 0, false, false
	case len(b) == 1:
		return 0, false, true
	case b[1] < 0x80:
		return int(b[1]), true, true
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 8 {
		return 0, false, false
	}
	if len(b) < 2+n {
		return 0, false, true
	}
	for _, c := range b[2 : 2+n] {
		if length > maxMessage {
			break
		}
		length = length<<8 | int(c)
	}
	return length, true, true
}
