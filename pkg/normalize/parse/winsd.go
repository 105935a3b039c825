package parse

import "bytes"

// WinlogData adds a Windows event that stands in the structured data of a syslog line (RFC 5424 section 6.3), as NXLog's
// to_syslog_ietf writes it, to the object at parent: its parameters are the members of a flat event. The cells are those
// that [Winlog] makes. It tells whether data holds an EventID.
func WinlogData(r *Record, parent int32, data []byte) bool {
	at := None
	for len(data) > 0 && data[0] == '[' {
		end := bytes.IndexAny(data, " ]")
		if end < 0 {
			break
		}
		data = data[end:]
		for len(data) > 0 && data[0] == ' ' {
			name, val, rest, ok := sdParam(r, data[1:])
			if !ok {
				return r.Find(parent, "event_id") != None
			}
			data = rest
			if len(val) == 0 {
				continue
			}
			if cell, known := systemNames[string(name)]; known && r.Find(parent, cell) == None {
				r.AddText(parent, r.copied(cell), val)
				continue
			}
			if at == None {
				if at = r.AddObject(parent, keyEventData); at == None {
					return false
				}
			}
			r.AddText(at, name, val)
		}
		data = bytes.TrimPrefix(data, []byte("]"))
	}
	return r.Find(parent, "event_id") != None
}

// sdParam reads NAME="VALUE", where \" \\ and \] stand for the characters.
func sdParam(r *Record, s []byte) (name, val, rest []byte, ok bool) {
	eq := bytes.IndexByte(s, '=')
	if eq <= 0 || eq+1 >= len(s) || s[eq+1] != '"' {
		return nil, nil, nil, false
	}
	name, s = s[:eq], s[eq+2:]
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			val, rest = s[:i], s[i+1:]
			if escaped {
				val = r.unsd(val)
			}
			return name, val, rest, true
		}
	}
	return nil, nil, nil, false
}
