package parse

import "bytes"

// maxCiscoHead bounds what may stand in front of a Cisco message's %FACILITY.
const maxCiscoHead = 160

var ciscoMark = []byte(": %")

// ciscoHeader reads what IOS and its kin write before "%FACILITY-severity-MNEMONIC:", each part with a colon behind it: counters, the
// host's name, and a time with an optional '*' or '.' (the clock is not in step) and the name of a zone. ok is false where the
// line has no such mark, or no time in front of it.
func ciscoHeader(s []byte) (h Header, ok bool) {
	head := s[:min(len(s), maxCiscoHead)]
	if bytes.IndexByte(head, '%') < 0 {
		return h, false
	}
	end := bytes.Index(head, ciscoMark)
	if end < 0 {
		return h, false
	}
	h.Message = s[end+2:]
	for rest := s[:end]; ; {
		part := rest
		i := bytes.Index(rest, colonSpace)
		if i >= 0 {
			part, rest = rest[:i], rest[i+2:]
		}
		if n := ciscoTime(part); n > 0 && i < 0 {
			if part[0] == '*' || part[0] == '.' {
				part, n = part[1:], n-1
			}
			word := trimSpace(part[n:])
			h.Time = part[:n]
			if isZone(word) {
				h.Zone = word
			} else if len(h.Host) == 0 {
				h.Host = word
			}
			return h, bytes.IndexByte(word, ' ') < 0
		}
		if i < 0 || len(part) == 0 || bytes.IndexByte(part, ' ') >= 0 {
			return h, false
		}
		if number(part) < 0 {
			h.Host = part
		}
	}
}

var colonSpace = []byte(": ")

// isZone tells whether s is the abbreviation of a zone that Zone knows.
func isZone(s []byte) bool {
	if _, ok := zoneHours[string(s)]; ok {
		return true
	}
	return string(s) == "UTC" || string(s) == "GMT"
}

// ciscoTime is the length of the time at the beginning of s: RFC 3164's, also with a year in front.
func ciscoTime(s []byte) int {
	i := 0
	if len(s) > 0 && (s[0] == '*' || s[0] == '.') {
		i = 1
	}
	if len(s) > i+5 && s[i+4] == ' ' && number(s[i:i+4]) > 1900 {
		if n := bsdLength(s[i+5:]); n > 0 {
			return i + 5 + n
		}
		return 0
	}
	if n := bsdLength(s[i:]); n > 0 {
		return i + n
	}
	return 0
}
