package tui

// ring keeps the last rows, bounded in number and in bytes of their lines.
type ring struct {
	maxRows  int
	maxBytes int
	rows     []*row
	bytes    int
}

// add appends a row and returns the number of the newest one that had to go for it (0 = none).
func (k *ring) add(r *row) (gone uint64) {
	k.rows = append(k.rows, r)
	k.bytes += len(r.raw)
	n := 0
	for len(k.rows)-n > 1 && (len(k.rows)-n > k.maxRows || k.bytes > k.maxBytes) {
		gone = k.rows[n].seq
		k.bytes -= len(k.rows[n].raw)
		k.rows[n] = nil // let it go before the array does
		n++
	}
	k.rows = k.rows[n:]
	return gone
}
