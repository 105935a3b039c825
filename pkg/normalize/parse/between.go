package parse

import "bytes"

// between reads pairs with a text between them, such as "User ann - Client_ip 192.0.2.1 - Reason \"none\"". A name ends at the first
// k.Value, or at ": "; what has neither is added under the key "text".
func (k KV) between(r *Record, parent int32, s []byte) bool {
	first, found := len(r.Cells), false
	for part := range bytes.SplitSeq(s, k.Between) {
		if part = trimSpace(part); len(part) == 0 {
			continue
		}
		i := bytes.IndexByte(part, k.equals())
		if i <= 0 {
			r.AddText(parent, keyText, part)
			continue
		}
		val := trimSpace(part[i+1:])
		if n := len(val); n > 1 && val[0] == '"' && val[n-1] == '"' {
			val = val[1 : n-1]
			if n > 3 && val[0] == '"' && val[n-3] == '"' {
				// Doubled by whoever put the whole line in quotes.
				val = val[1 : n-3]
			}
		}
		r.AddText(parent, bytes.TrimRight(part[:i], ":"), val)
		found = true
	}
	r.distinct(first)
	return found
}
