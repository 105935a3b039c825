package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// wrapper builds the events of one source. Everything a sender wrote stands inside the JSON string event.original (or
// log.source.address), so no byte of it can become a key of the event, and no record can look like a control line.
type wrapper struct {
	sum    hash.Hash
	origin []byte // of the id: source NUL generation NUL
	known  []byte // of the id, in place of the record's bytes, where those may differ from one reading to the next
	key    []byte // scratch: origin offset NUL index NUL
	digest [sha256.Size]byte

	head []byte // what stands before the id
	mid  []byte // between the id and the original
	tail []byte // behind the original: the beginning of log
	last string // what ends log and the event
}

// newWrapper makes the wrapper of records from the named source. log is what the member log holds apart from the offset:
// `"file":{"path":"/var/log/auth.log"}`.
func newWrapper(source string, generation int64, dataset string) *wrapper {
	w := &wrapper{sum: sha256.New()}
	w.origin = append(append(w.origin, source...), 0)
	w.origin = append(strconv.AppendInt(w.origin, generation, 10), 0)
	w.head = []byte(`{"event":{"id":"`)
	w.mid = []byte(`"`)
	if dataset != "" {
		w.mid = event.AppendString(append(w.mid, `,"dataset":`...), dataset)
	}
	return w
}

// file makes log name a file and, behind it, the record's offset.
func (w *wrapper) file(path string) {
	w.tail = event.AppendString([]byte(`,"log":{"file":{"path":`), printable(path))
	w.tail = append(w.tail, `},"offset":`...)
	w.last = `}`
}

// printable makes a path UTF-8 without NUL; event.UnescapeText gives the same path again.
func printable(s string) string {
	if strings.Contains(s, `\`) || event.NeedsEscape([]byte(s)) {
		return string(event.EscapeText(nil, []byte(s)))
	}
	return s
}

// push adds the record raw, which began at offset, to b. It gives the same id as event.ID, without allocating.
func (w *wrapper) push(b *event.Batch, offset int64, raw []byte) {
	dst, at := w.open(b, offset, raw)
	if w.tail != nil {
		dst = append(dst, w.tail...)
		dst = strconv.AppendInt(dst, offset, 10)
		dst = append(dst, w.last...)
	}
	w.close(b, dst, at, raw)
}

// pushFrom is push for a record that came over the network from addr (ip:port).
func (w *wrapper) pushFrom(b *event.Batch, offset int64, raw, addr []byte) {
	dst, at := w.open(b, offset, raw)
	if len(addr) > 0 {
		dst = append(dst, `,"log":{"source":{"address":`...)
		dst = event.AppendString(dst, addr)
		dst = append(dst, `}}`...)
	}
	w.close(b, dst, at, raw)
}

// open begins a line up to the end of its member event. at is where the record has its place; 0 = it is there already.
func (w *wrapper) open(b *event.Batch, offset int64, raw []byte) (dst []byte, at int) {
	dst = b.Begin(len(raw) + len(w.mid) + len(w.tail) + 256)
	dst = append(dst, w.head...)
	dst = w.appendID(dst, offset, raw)
	dst = append(dst, w.mid...)
	if !event.NeedsEscape(raw) {
		at = len(dst)
		return append(dst, '}'), at
	}
	dst, _ = event.AppendRecord(append(dst, ','), raw)
	return append(dst, `},"leat":{"escaped":true}`...), 0
}

// close ends the line that open began.
func (w *wrapper) close(b *event.Batch, dst []byte, at int, raw []byte) {
	if dst = append(dst, '}'); at > 0 {
		b.PushRecord(dst, at, raw)
	} else {
		b.Push(b.End(dst))
	}
}

func (w *wrapper) appendID(dst []byte, offset int64, raw []byte) []byte {
	w.key = append(w.key[:0], w.origin...)
	w.key = append(strconv.AppendInt(w.key, offset, 10), 0, '0', 0)
	w.sum.Reset()
	w.sum.Write(w.key)
	if w.known != nil {
		raw = w.known
	}
	w.sum.Write(raw)
	return hex.AppendEncode(dst, w.sum.Sum(w.digest[:0])[:16])
}
