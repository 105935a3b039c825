package intel

// arena keeps many short texts in few pieces of memory. The zero arena is ready for use.
type arena struct{ chunks [][]byte }

const chunkBits = 22 // 4 MiB: the end of a chunk that stays empty is little

// ref is a text of an arena: 24 bits for its chunk, 24 for its place, 16 for its length. The zero ref is the empty text.
type ref uint64

// add keeps a text of at most 65,535 bytes; longer ones are cut.
func (a *arena) add(text []byte) ref {
	if len(text) == 0 {
		return 0
	}
	text = text[:min(len(text), 1<<16-1)]
	if n := len(a.chunks); n == 0 || len(a.chunks[n-1])+len(text) > 1<<chunkBits {
		size := 1 << chunkBits
		if n == 0 {
			size = 1 << 12 // most feeds are small
		}
		a.chunks = append(a.chunks, make([]byte, 0, size))
	}
	last := len(a.chunks) - 1
	at := len(a.chunks[last])
	a.chunks[last] = append(a.chunks[last], text...)
	return ref(last)<<40 | ref(at)<<16 | ref(len(text))
}

func (a *arena) get(r ref) []byte {
	n := int(r & 0xffff)
	if n == 0 {
		return nil
	}
	at := int(r >> 16 & 0xffffff)
	return a.chunks[r>>40][at : at+n : at+n]
}
