package parse

import "bytes"

// between reads pairs with a text between them, such as "User ann - Client_ip 192.0.2.1 - Reason \"none\"". A name ends at the first
// k.Value, or at ": "; what has neither is added under the key "text".
func (k KV) between(r *Record, parent int32, s []byte) bool {
	first, found := len(r.Cells), false
	for len(s) > 0 {
		n := k.partLength(s)
		part := trimSpace(s[:n])
		if s = s[min(n+len(k.Between), len(s)):]; len(part) == 0 {
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

// maxQuoted bounds how many separators a quoted value may hold.
const maxQuoted = 16

// partLength returns where the first part of s ends: at the first separator that is not within quotes.
func (k KV) partLength(s []byte) int {
	first, quotes, at := -1, 0, 0
	for range maxQuoted {
		i := bytes.Index(s[at:], k.Between)
		end := at + i
		if i < 0 {
			end = len(s)
		}
		if first < 0 {
			first = end
		}
		if quotes += bytes.Count(s[at:end], quote); quotes%2 == 0 {
			return end
		}
		if i < 0 {
			break
		}
		at = end + len(k.Between)
	}
	return first
}

var quote = []byte{'"'}
