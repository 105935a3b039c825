package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// printSize is how many bytes a fingerprint covers at most.
const printSize = 256

// print is a fingerprint of up to printSize bytes: how many, and the first half of the first half of their SHA-256.
type print struct {
	n   int
	sum uint64
}

func printOf(b []byte) print {
	if len(b) == 0 {
		return print{}
	}
	s := sha256.Sum256(b)
	return print{n: len(b), sum: binary.BigEndian.Uint64(s[:])}
}

// cursor is how far an origin was read. Of a file it also holds what finds the file again under another name: device and
// inode, a fingerprint of its beginning and one of the bytes right before offset.
type cursor struct {
	offset   int64 // bytes (of a compressed file: after decompression), or records of a journal
	dev, ino uint64
	head     print
	tail     print
	state    fileState
	text     string // of journald: its own cursor, which has no blanks
}

// fileState tells whether a file can still grow.
type fileState uint8

const (
	stateLive fileState = iota
	// stateDone: read to its end after it was rotated away (or it is compressed); when it disappears nothing is missed.
	stateDone
	// stateGone: not found again, and told so, or done and gone: the lake forgets it.
	stateGone
)

// String is the position as it stands in a mark: the offset, and behind it what finds the file again. That of a file that
// is gone is empty, which makes the lake forget it.
func (c cursor) String() string {
	if c.state == stateGone {
		return ""
	}
	b := strconv.AppendInt(nil, c.offset, 10)
	if c.ino != 0 {
		b = fmt.Appendf(b, " ino=%x:%x", c.dev, c.ino)
	}
	if c.head.n > 0 {
		b = fmt.Appendf(b, " head=%d:%016x", c.head.n, c.head.sum)
	}
	if c.tail.n > 0 {
		b = fmt.Appendf(b, " tail=%d:%016x", c.tail.n, c.tail.sum)
	}
	if c.text != "" {
		b = append(append(b, " cursor="...), c.text...)
	}
	if c.state == stateDone {
		b = append(b, " done"...)
	}
	return string(b)
}

// parseCursor reads what String wrote.
func parseCursor(s string) (cursor, error) {
	var c cursor
	for i, f := range strings.Fields(s) {
		key, val, _ := strings.Cut(f, "=")
		var err error
		switch {
		case i == 0:
			c.offset, err = strconv.ParseInt(f, 10, 64)
		case key == "ino":
			c.dev, c.ino, err = parsePair(val, 16)
		case key == "head":
			c.head, err = parsePrint(val)
		case key == "tail":
			c.tail, err = parsePrint(val)
		case key == "cursor":
			c.text = val
		case f == "done":
			c.state = stateDone
		default:
			err = fmt.Errorf("unknown part %q", f)
		}
		if err != nil {
			return cursor{}, fmt.Errorf("position %q: %w", s, err)
		}
	}
	if s == "" || c.offset < 0 {
		return cursor{}, fmt.Errorf("position %q: no offset", s)
	}
	return c, nil
}

func parsePair(s string, base int) (a, b uint64, err error) {
	l, r, _ := strings.Cut(s, ":")
	if a, err = strconv.ParseUint(l, base, 64); err != nil {
		return 0, 0, err
	}
	b, err = strconv.ParseUint(r, 16, 64)
	return a, b, err
}

func parsePrint(s string) (print, error) {
	n, sum, err := parsePair(s, 10)
	if err == nil && n > printSize {
		err = fmt.Errorf("fingerprint of %d bytes", n)
	}
	return print{n: int(n), sum: sum}, err
}
