package dimension

import "bytes"

// appendDomain appends a domain in the form in which names are compared: small letters, no dot at either end, no leading
// wildcard.
func appendDomain(dst, text []byte) []byte {
	text = bytes.TrimSpace(text)
	text = bytes.TrimPrefix(text, []byte("*."))
	text = bytes.Trim(text, ".")
	return AppendKey(dst, text, true)
}

// findSuffix finds the longest domain of the table that key is, or is below of, and that is valid at the time.
func (d *Dimension) findSuffix(key []byte, at int64) int {
	for {
		if n := d.exact.find(key); n >= 0 {
			if row := d.row(d.exact.entries[n].row, at); row >= 0 {
				return row
			}
		}
		i := bytes.IndexByte(key, '.')
		if i < 0 {
			return -1
		}
		key = key[i+1:]
	}
}
