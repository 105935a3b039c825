package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"leat/pkg/stage"
)

// maxCountDigits is how many digits the length of a frame has at most.
const maxCountDigits = 9

// framer cuts a stream into syslog messages (RFC 6587): with an octet count before each (section 3.4.1), or a line feed
// behind each (3.4.2). Which, is decided for every message by how it begins, since senders mix them.
type framer struct {
	max   int  // longest message; of longer ones the head is kept and the length counted
	octet bool // a message with a count was seen
	over  overlong
	// searched is how much of an unfinished line is known to hold no line feed: a sender of single bytes must not make
	// us search the same ones again and again.
	searched int
}

// unfinished tells whether a message has begun, of which n bytes wait for the rest.
func (f *framer) unfinished(n int) bool { return n > 0 || f.over.active }

// overlong is a message longer than max on its way past us.
type overlong struct {
	active bool
	left   int64 // of a counted one; -1: up to the next line feed
	size   int64
	head   []byte
	sum    hash.Hash
}

// frames calls emit for every whole message in data (with l for one that was too long) and returns how many bytes were
// used. With atEnd the rest is a message too. emit must not keep rec.
func (f *framer) frames(data []byte, atEnd bool, emit func(rec []byte, l *long) error) (used int, err error) {
	for {
		n, rec, l, ok := f.next(data[used:], atEnd)
		used += n
		if !ok {
			return used, nil
		}
		switch {
		case l != nil:
			err = emit(nil, l)
		default:
			if rec = trimFrame(rec); len(rec) > 0 {
				err = emit(rec, nil)
			}
		}
		if err != nil {
			return used, err
		}
	}
}

// trimFrame removes what senders put behind a message: a line feed, a carriage return, a NUL.
func trimFrame(rec []byte) []byte {
	return bytes.TrimRight(rec, "\r\n\x00")
}

// next takes one message. ok is false where data holds none that is whole.
func (f *framer) next(data []byte, atEnd bool) (used int, rec []byte, l *long, ok bool) {
	if f.over.active {
		return f.pass(data, atEnd)
	}
	if len(data) == 0 {
		return 0, nil, nil, false
	}
	count, header, more := f.count(data)
	switch {
	case more && !atEnd:
		return 0, nil, nil, false
	case header > 0 && count > f.max:
		f.begin(int64(count))
		n, rec, l, ok := f.pass(data[header:], atEnd)
		return header + n, rec, l, ok
	case header > 0 && len(data) >= header+count:
		return header + count, data[header : header+count], nil, true
	case header > 0 && !atEnd:
		return 0, nil, nil, false
	case header > 0:
		return len(data), data[header:], nil, true // torn off by the end of the connection
	}
	i := bytes.IndexByte(data[f.searched:], '\n')
	if i >= 0 {
		i += f.searched
	}
	f.searched = 0
	switch {
	case i >= 0 && i <= f.max:
		return i + 1, data[:i], nil, true
	case i < 0 && len(data) <= f.max && atEnd:
		return len(data), data, nil, true
	case i < 0 && len(data) <= f.max:
		f.searched = len(data)
		return 0, nil, nil, false
	}
	f.begin(-1)
	return f.pass(data, atEnd)
}

// count reads the length and the space before a counted message. more: it can't be told yet.
func (f *framer) count(data []byte) (n, header int, more bool) {
	if data[0] < '1' || data[0] > '9' {
		return 0, 0, false
	}
	i := 0
	for i < len(data) && i <= maxCountDigits && data[i]-'0' < 10 {
		n = n*10 + int(data[i]-'0')
		i++
	}
	if i > maxCountDigits {
		return 0, 0, false
	}
	if i+1 >= len(data) {
		return 0, 0, i == len(data) || data[i] == ' '
	}
	// A text that begins with a number is no count. Without a priority behind it (RFC 5424 section 6), only a stream that
	// had counts before, or JSON, is believed.
	if data[i] != ' ' || data[i+1] != '<' && data[i+1] != '{' && !f.octet {
		return 0, 0, false
	}
	f.octet = true
	return n, i + 1, false
}

func (f *framer) begin(left int64) {
	f.over = overlong{active: true, left: left, sum: sha256.New(), head: f.over.head[:0]}
}

// pass lets a message that is too long go by.
func (f *framer) pass(data []byte, atEnd bool) (used int, rec []byte, l *long, ok bool) {
	o := &f.over
	part, done := data, atEnd
	if o.left < 0 {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			part, used, done = data[:i], 1, true
		}
	} else {
		part = data[:min(int64(len(data)), o.left)]
		o.left -= int64(len(part))
		done = done || o.left == 0
	}
	used += len(part)
	o.size += int64(len(part))
	o.sum.Write(part)
	o.head = append(o.head, part[:min(len(part), stage.SpoolHead-len(o.head))]...)
	if !done {
		return used, nil, nil, false
	}
	o.active = false
	return used, nil, &long{o.head, stage.Spooled{Size: o.size, Sum: hex.EncodeToString(o.sum.Sum(nil))}}, true
}
