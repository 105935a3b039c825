package parse

import (
	"bytes"

	"leat/pkg/event"
)

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
	for i := range cefNames {
		end := unescaped(s, '|')
		if end < 0 {
			if i < len(cefNames)-1 {
				return false
			}
			end = len(s)
		}
		r.AddText(parent, cefNames[i], r.uncef(s[:end]))
		s = s[min(end+1, len(s)):]
	}
	extension(r, parent, s)
	return true
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

// extension reads key=value pairs whose values may hold spaces: a value ends where the next key begins.
func extension(r *Record, parent int32, s []byte) {
	s = bytes.TrimSpace(s)
	for len(s) > 0 {
		eq := unescaped(s, '=')
		if eq < 0 {
			return
		}
		key := bytes.TrimSpace(s[:eq])
		if i := bytes.LastIndexByte(key, ' '); i >= 0 {
			key = key[i+1:]
		}
		s = s[eq+1:]
		end := len(s)
		if next := unescaped(s, '='); next >= 0 {
			if sp := bytes.LastIndexByte(s[:next], ' '); sp >= 0 {
				end = sp
			} else {
				end = 0
			}
		}
		if v := bytes.TrimSpace(s[:end]); len(key) > 0 && len(v) > 0 {
			r.Add(parent, Cell{Key: key, Val: r.uncef(v), Kind: event.String})
		}
		s = s[min(end, len(s)):]
		if end == 0 && len(s) > 0 && unescaped(s, '=') < 0 {
			return
		}
		s = bytes.TrimLeft(s, " ")
	}
}

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
)

// LEEF adds a Log Event Extended Format message (IBM, versions 1.0 and 2.0): its header fields and every attribute.
func LEEF(r *Record, parent int32, s []byte) bool {
	at := bytes.Index(s, leefMark)
	if at < 0 {
		return false
	}
	s = s[at+len(leefMark):]
	version2 := bytes.HasPrefix(s, []byte("2"))
	for i := range leefNames {
		end := bytes.IndexByte(s, '|')
		if end < 0 {
			return false
		}
		r.AddText(parent, leefNames[i], s[:end])
		s = s[end+1:]
	}
	sep := byte('\t')
	if version2 {
		if end := bytes.IndexByte(s, '|'); end >= 0 && end <= 6 {
			sep = delimiter(s[:end])
			s = s[end+1:]
		}
	}
	for pair := range bytes.SplitSeq(s, []byte{sep}) {
		if k, v, ok := bytes.Cut(pair, []byte{'='}); ok && len(bytes.TrimSpace(k)) > 0 {
			r.AddText(parent, bytes.TrimSpace(k), trimSpace(v))
		}
	}
	return true
}

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
