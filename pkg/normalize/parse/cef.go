package parse

import "bytes"

var (
	cefNames = [...][]byte{[]byte("cef_version"), []byte("vendor"), []byte("product"), []byte("version"), []byte("class_id"), []byte("name"), []byte("severity")}
	cefMark  = []byte("CEF:")
)

// CEF adds a Common Event Format message (ArcSight CEF 1.2): its seven header fields by name, and every pair of the
// extension. What stands before "CEF:" is skipped. It tells whether the header was whole.
func CEF(r *Record, parent int32, s []byte) bool {
	at := bytes.Index(s, cefMark)
	switch {
	case at >= 0:
		s = s[at+len(cefMark):]
	case len(s) > 1 && s[0]-'0' < 10 && s[1] == '|':
		// Some relays take the mark for a syslog tag and drop it.
	default:
		return false
	}
	first := len(r.Cells)
	r.names.start()
	escapes := bytes.IndexByte(s, '\\') >= 0
	for i := range cefNames {
		if i == 1 && emptyVendor(s) {
			s = s[1:]
		}
		end := bytes.IndexByte(s, '|')
		if escapes {
			end = unescaped(s, '|')
		}
		if end < 0 {
			if i < len(cefNames)-1 {
				return false
			}
			end = len(s)
		}
		r.addPair(parent, cefNames[i], r.uncef(s[:end]))
		s = s[min(end+1, len(s)):]
	}
	extension(r, parent, s)
	r.distinct(first)
	return true
}

// emptyVendor tells whether the header from its second field on begins with an empty field too many, as some relays of
// Check Point's exporter write it ("CEF:0||Check Point|..."): without it there are still six fields in front of the extension.
func emptyVendor(s []byte) bool {
	if len(s) == 0 || s[0] != '|' {
		return false
	}
	if eq := unescaped(s, '='); eq >= 0 {
		s = s[:eq]
	}
	n := 0
	for at := 0; at >= 0 && n < len(cefNames); n++ {
		s = s[at:]
		if at = unescaped(s, '|'); at < 0 {
			break
		}
		at++
	}
	return n == len(cefNames)
}

// unescaped returns the offset of the first c without a backslash before it, or -1.
func unescaped(s []byte, c byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case c:
			return i
		}
	}
	return -1
}

// extension reads key=value pairs whose values may hold spaces: a value ends where the next key begins. An '=' behind anything
// that can be no key, as in a URL's query, belongs to the value, though CEF asks for a backslash before it.
func extension(r *Record, parent int32, s []byte) {
	s = bytes.TrimSpace(s)
	at, eq := nextKey(s, 0)
	for eq >= 0 {
		key := s[at:eq]
		number := r.names.find(key)
		next, nextEq := r.nextKey(s, eq+1)
		end := len(s)
		if nextEq >= 0 {
			end = next
		}
		if v := spaceless(s[eq+1 : end]); len(v) > 0 {
			r.addText(parent, key, r.uncef(v), number)
		}
		at, eq = next, nextEq
	}
}

// spaceless is bytes.TrimSpace for a value that mostly has one space behind it.
func spaceless(v []byte) []byte {
	if n := len(v); n > 1 && v[n-1] == ' ' {
		v = v[:n-1]
	}
	if n := len(v); n > 0 && v[0]-'!' < 0x80-'!' && v[n-1]-'!' < 0x80-'!' {
		return v
	}
	return bytes.TrimSpace(v)
}

// nextKey is the function nextKey; where the next '=' ends the name that is expected, and a space begins it, nothing else can be the next key.
func (r *Record) nextKey(s []byte, from int) (at, eq int) {
	if name, number := r.names.guess(); number > 0 {
		eq := either(s, from, '=', '=')
		at := eq - len(name.text)
		if at > from && name.at(s, at, '=') && s[at-1] == ' ' && (at-1 == from || s[at-2] != '\\') {
			return at, eq
		}
	}
	return nextKey(s, from)
}

// nextKey finds the next key of s from offset from on: where it begins, and its '='; -1 where there is none.
func nextKey(s []byte, from int) (at, eq int) {
	start := from
	for i := from; i < len(s); i++ {
		switch cefClass[s[i]] {
		case cefKey:
		case cefEscape:
			i++
			start = -1
		case cefSpace:
			start = i + 1
		case cefEquals:
			if start >= 0 && start < i && (start != from || from == 0 || s[from-1] != '=') {
				return start, i
			}
			start = -1
		default:
			start = -1
		}
	}
	return len(s), -1
}

const (
	cefOther uint8 = iota
	cefKey         // may stand in a key: CEF 1.2 has letters and digits, vendors write more
	cefSpace
	cefEscape
	cefEquals
)

var cefClass = func() (class [256]uint8) {
	for i := range class {
		if c := byte(i); c|0x20-'a' < 26 || c-'0' < 10 || bytes.IndexByte([]byte("_.-[]@#"), c) >= 0 || c >= 0x80 {
			class[i] = cefKey
		}
	}
	class[' '], class['\t'], class['\n'], class['\r'] = cefSpace, cefSpace, cefSpace, cefSpace
	class['\\'], class['='] = cefEscape, cefEquals
	return class
}()

// uncef decodes \| \\ \= \n and \r.
func (r *Record) uncef(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	return r.Memory(func(dst []byte) []byte {
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) {
				switch c := s[i+1]; c {
				case '|', '\\', '=':
					dst = append(dst, c)
					i++
					continue
				case 'n':
					dst = append(dst, '\n')
					i++
					continue
				case 'r':
					dst = append(dst, '\r')
					i++
					continue
				}
			}
			dst = append(dst, s[i])
		}
		return dst
	})
}

var (
	leefNames = [...][]byte{[]byte("leef_version"), []byte("vendor"), []byte("product"), []byte("version"), []byte("event_id")}
	leefMark  = []byte("LEEF:")
	bar       = []byte("|")
	barred    = []byte("|src=") // Palo Alto Networks writes bars between the attributes
)

// LEEF adds a Log Event Extended Format message (IBM, versions 1.0 and 2.0): its header fields and every attribute. Where a relay
// took the mark "LEEF:" for a syslog tag and dropped it, the version begins s; where it wrote tabs as rsyslog does ("#011") or as
// spaces, the attributes are found all the same.
func LEEF(r *Record, parent int32, s []byte) bool {
	if at := bytes.Index(s, leefMark); at >= 0 {
		s = s[at+len(leefMark):]
	} else if len(s) < 4 || s[0]-'0' > 9 || s[1] != '.' || s[2]-'0' > 9 || s[3] != '|' {
		return false
	}
	version2 := bytes.HasPrefix(s, []byte("2"))
	first := len(r.Cells)
	for i := range leefNames {
		end := bytes.IndexByte(s, '|')
		if end < 0 {
			return false
		}
		r.AddText(parent, leefNames[i], s[:end])
		s = s[end+1:]
	}
	sep := tab
	if version2 {
		if end := bytes.IndexByte(s, '|'); end >= 0 && end <= 6 {
			sep = []byte{delimiter(s[:end])}
			s = s[end+1:]
		}
	}
	if sep[0] == '\t' && !bytes.Contains(s, sep) {
		if sep = escapedTab; bytes.Contains(s, barred) {
			sep = bar
		} else if !bytes.Contains(s, sep) {
			extension(r, parent, s)
			r.distinct(first)
			return true
		}
	}
	for pair := range bytes.SplitSeq(s, sep) {
		if k, v, ok := bytes.Cut(pair, []byte{'='}); ok && len(bytes.TrimSpace(k)) > 0 {
			r.AddText(parent, bytes.TrimSpace(k), trimSpace(v))
		}
	}
	r.distinct(first)
	return true
}

var tab, escapedTab = []byte("\t"), []byte("#011")

// delimiter reads LEEF 2.0's delimiter: one character, or its code as 0x5E or x5E.
func delimiter(s []byte) byte {
	if len(s) == 1 {
		return s[0]
	}
	if i := bytes.IndexByte(s, 'x'); i >= 0 && len(s) == i+3 {
		n := 0
		for _, c := range s[i+1:] {
			switch {
			case c-'0' < 10:
				n = n<<4 | int(c-'0')
			case c|0x20-'a' < 6:
				n = n<<4 | int(c|0x20-'a'+10)
			default:
				return '\t'
			}
		}
		return byte(n)
	}
	return '\t'
}
