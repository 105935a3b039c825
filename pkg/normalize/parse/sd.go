package parse

import "bytes"

var keySDID = []byte("sd_id")

// SD adds the parameters of STRUCTURED-DATA (RFC 5424 section 6.3) to the object at parent: [id name="value" ...][...]. The first
// element's id is sd_id. Check Point's way is read too: [name:"value"; name::"value"]. What stands before the first bracket is skipped.
// It tells whether there was a parameter.
func SD(r *Record, parent int32, s []byte) bool {
	found := false
	for {
		at := bytes.IndexByte(s, '[')
		if at < 0 {
			return found
		}
		s = s[at+1:]
		first := true
		for {
			for len(s) > 0 && (s[0] == ' ' || s[0] == ';') {
				s = s[1:]
			}
			if len(s) == 0 {
				return found
			}
			if s[0] == ']' {
				s = s[1:]
				break
			}
			n := sdName(s)
			name := s[:n]
			s = s[n:]
			if len(s) == 0 || s[0] != '=' && s[0] != ':' {
				if first && !found && len(name) > 0 {
					r.AddText(parent, keySDID, name)
				}
				if first = false; n == 0 && len(s) > 0 {
					s = s[1:]
				}
				continue
			}
			first = false
			for len(s) > 0 && (s[0] == '=' || s[0] == ':') {
				s = s[1:]
			}
			var val []byte
			val, s = r.sdValue(s)
			if len(name) > 0 && len(val) > 0 {
				r.AddText(parent, name, val)
				found = true
			}
		}
	}
}

// sdName is the length of a parameter's name, or of an element's id, at the beginning of s. An id may hold a colon where no value follows.
func sdName(s []byte) int {
	for i, c := range s {
		switch c {
		case ' ', ']', ';', '=', '"':
			return i
		case ':':
			if rest := bytes.TrimLeft(s[i:], ":"); len(rest) > 0 && rest[0] == '"' {
				return i
			}
		}
	}
	return len(s)
}

// sdValue reads a value in quotes, or up to the next blank or bracket, and returns what is behind it.
func (r *Record) sdValue(s []byte) (val, rest []byte) {
	if len(s) == 0 || s[0] != '"' {
		i := bytes.IndexAny(s, " ;]")
		if i < 0 {
			return s, nil
		}
		return s[:i], s[i:]
	}
	escaped := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if val = s[1:i]; escaped {
				val = r.unsd(val)
			}
			return val, s[i+1:]
		}
	}
	return s[1:], nil
}

// unsd decodes \" \\ and \] (RFC 5424 section 6.3.3).
func (r *Record) unsd(s []byte) []byte {
	return r.Memory(func(dst []byte) []byte {
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == ']') {
				i++
			}
			dst = append(dst, s[i])
		}
		return dst
	})
}
