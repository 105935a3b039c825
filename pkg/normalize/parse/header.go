package parse

import "bytes"

// Header is what a syslog line says before its message. Empty parts were not there.
type Header struct {
	// Priority is facility*8+severity (RFC 5424 section 6.2.1), or -1.
	Priority int
	// Time is the time stamp's text: RFC 3339, or "Jan _2 15:04:05" (RFC 3164), or with a year.
	Time      []byte
	Zone      []byte // the name of the time's zone, where it stands behind it
	Host      []byte
	Program   []byte
	PID       []byte
	MessageID []byte // RFC 5424 MSGID
	Data      []byte // RFC 5424 STRUCTURED-DATA, with its brackets
	Message   []byte
	Version   int // 1 for RFC 5424, else 0
}

// ParseHeader splits a syslog line. ok is false where the line does not begin as one: then only Message is set.
func ParseHeader(line []byte) (h Header, ok bool) {
	h = Header{Priority: -1, Message: line}
	s := line
	pri, rest := priority(s)
	if pri >= 0 {
		s = rest
		if len(s) > 2 && s[0] == '1' && s[1] == ' ' {
			if h5, ok := header5424(s[2:]); ok {
				h5.Priority = pri
				return h5, true
			}
		}
	}
	if pri >= 0 {
		s = bytes.TrimLeft(s, " ")
	}
	if hc, ok := ciscoHeader(s); ok {
		hc.Priority = pri
		return hc, true
	}
	s = skipSequence(s, pri >= 0)
	n := timeLength(s)
	if n == 0 {
		if pri < 0 {
			if h.tag(s); len(h.PID) > 0 && number(h.PID) >= 0 {
				// A collector took time and host away; "program[123]: " can still be told from prose.
				return h, true
			}
			return Header{Priority: -1, Message: line}, false
		}
		// RFC 3164 section 4.3: no readable header; the rest is the message.
		h.Priority = pri
		h.tag(bytes.TrimLeft(s, " "))
		return h, true
	}
	iso := s[0] <= '9'
	if iso && pri < 0 {
		if h5, ok := bare5424(s); ok {
			return h5, true
		}
	}
	ts := s[:n]
	s = bytes.TrimLeft(s[n:], " ")
	host, after := word(s)
	if len(host) == 0 || iso && pri < 0 && (isLevel(host) || ts[n-1] == ':') {
		return h, false
	}
	var out Header
	out.Priority, out.Time = pri, ts
	if host[len(host)-1] == ':' && len(after) > 0 && after[0] == '%' {
		// Cisco: "host: %FACILITY-severity-mnemonic: message".
		out.Host, out.Message = host[:len(host)-1], after
	} else if host[len(host)-1] == ':' || bytes.IndexByte(host, '[') > 0 {
		// Some senders leave the host out.
		out.tag(s)
	} else {
		out.Host = host
		out.tag(bytes.TrimLeft(after, " "))
	}
	if iso && pri < 0 && len(out.Program) == 0 && !bytes.HasPrefix(out.Message, openBrace) {
		// A time and some words: any program may log so.
		return h, false
	}
	return out, true
}

var openBrace = []byte("{")

func priority(s []byte) (int, []byte) {
	if len(s) < 3 || s[0] != '<' {
		return -1, s
	}
	n, i := 0, 1
	for ; i < len(s) && i < 5 && s[i]-'0' < 10; i++ {
		n = n*10 + int(s[i]-'0')
	}
	if i == 1 || i == len(s) || s[i] != '>' || n > 191 {
		return -1, s
	}
	return n, s[i+1:]
}

// skipSequence skips the message counter that Cisco's devices write before the time: "1234: " or "host: 000123: *".
func skipSequence(s []byte, hasPriority bool) []byte {
	if !hasPriority {
		return s
	}
	i := 0
	for i < len(s) && s[i]-'0' < 10 {
		i++
	}
	if i > 0 && i+1 < len(s) && s[i] == ':' && s[i+1] == ' ' {
		s = s[i+2:]
	}
	if len(s) > 1 && (s[0] == '*' || s[0] == '.') && timeLength(s[1:]) > 0 {
		s = s[1:]
	}
	return s
}

// timeLength returns the length of the time stamp that s begins with, or 0.
func timeLength(s []byte) int {
	if n := isoLength(s); n > 0 {
		return n
	}
	return bsdLength(s)
}

// bsdLength knows "Jan  2 15:04:05", "Jan 02 2006 15:04:05" and fractions of seconds behind them.
func bsdLength(s []byte) int {
	if len(s) < 15 || monthOf(s) == 0 || s[3] != ' ' {
		return 0
	}
	i := 4
	for i < len(s) && s[i] == ' ' {
		i++
	}
	d := i
	for i < len(s) && s[i]-'0' < 10 {
		i++
	}
	if i == d || i-d > 2 || i >= len(s) || s[i] != ' ' {
		return 0
	}
	i++
	if i+5 < len(s) && s[i+4] == ' ' && number(s[i:i+4]) > 1900 {
		i += 5
	}
	if i+8 > len(s) || s[i+2] != ':' || s[i+5] != ':' || number(s[i:i+2]) < 0 || number(s[i+3:i+5]) < 0 || number(s[i+6:i+8]) < 0 {
		return 0
	}
	i += 8
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i]-'0' < 10; i++ {
		}
	}
	if i < len(s) && s[i] != ' ' && s[i] != ':' {
		return 0
	}
	return i
}

func isoLength(s []byte) int {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || number(s[:4]) < 0 {
		return 0
	}
	i := bytes.IndexByte(s, ' ')
	if i < 0 {
		i = len(s)
	}
	if i < 19 || i > 40 {
		return 0
	}
	return i
}

// tag splits "program[pid]: message" (RFC 3164 section 5.3).
func (h *Header) tag(s []byte) {
	if len(s) > 0 && s[0] == ':' {
		s = bytes.TrimLeft(s[1:], " ")
	}
	h.Message = s
	if len(s) > 0 && s[0] == '%' {
		// Cisco's %FACILITY-severity-mnemonic tells the message, not a program.
		return
	}
	i := 0
	for i < len(s) && i < 64 && tagByte(s[i]) {
		i++
	}
	if i == 0 || i == len(s) {
		return
	}
	prog, pid := s[:i], []byte(nil)
	if s[i] == '[' {
		end := bytes.IndexByte(s[i:min(len(s), i+24)], ']')
		if end < 0 {
			return
		}
		pid = s[i+1 : i+end]
		i += end + 1
	}
	switch {
	case i < len(s) && s[i] == ':':
		i++
	case pid != nil && i < len(s) && s[i] == ' ':
	default:
		return
	}
	if i < len(s) && s[i] != ' ' {
		// "CEF:0|..." and "http://..." are no tags.
		return
	}
	h.Program, h.PID = prog, pid
	h.Message = bytes.TrimPrefix(s[i:], []byte(" "))
}

func tagByte(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '-' || c == '_' || c == '.' || c == '/' || c == '(' || c == ')' || c == '@' || c == '+'
}

func word(s []byte) (w, rest []byte) {
	if i := bytes.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, nil
}

// header5424 reads what follows "<PRI>1 ".
func header5424(s []byte) (h Header, ok bool) {
	h.Version = 1
	parts := [...]*[]byte{&h.Time, &h.Host, &h.Program, &h.PID, &h.MessageID}
	for _, p := range parts {
		var w []byte
		if w, s = word(s); len(w) == 0 {
			return h, false
		}
		if len(w) > 1 || w[0] != '-' {
			*p = w
		}
	}
	if h.Time != nil && isoLength(h.Time) == 0 {
		return h, false
	}
	n := dataLength(s)
	if n < 0 {
		return h, false
	}
	if n > 0 && s[0] == '[' {
		h.Data = s[:n]
	}
	s = bytes.TrimPrefix(s[n:], []byte(" "))
	h.Message = bytes.TrimPrefix(s, []byte("\xEF\xBB\xBF"))
	return h, true
}

// bare5424 reads an RFC 5424 line from which a relay or a file took the "<PRI>1 " away. So that prose is not taken for it,
// PROCID must be a number or "-", and STRUCTURED-DATA must be there.
func bare5424(s []byte) (h Header, ok bool) {
	if h, ok = header5424(s); !ok || h.Time == nil || h.Host == nil || h.Program == nil || h.PID != nil && number(h.PID) < 0 {
		return h, false
	}
	data := len(s) - len(h.Message)
	if h.Data == nil && !bytes.HasSuffix(bytes.TrimSuffix(s[:data], []byte("\xEF\xBB\xBF")), []byte(" - ")) {
		return h, false
	}
	h.Priority = -1
	return h, true
}

// dataLength returns the length of RFC 5424 STRUCTURED-DATA at s, or -1.
func dataLength(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	if s[0] == '-' {
		return 1
	}
	i := 0
	for i < len(s) && s[i] == '[' {
		quoted := false
		for i++; i < len(s); i++ {
			if c := s[i]; c == '\\' && quoted {
				i++
			} else if c == '"' {
				quoted = !quoted
			} else if c == ']' && !quoted {
				break
			}
		}
		if i >= len(s) {
			return -1
		}
		i++
	}
	if i == 0 || i < len(s) && s[i] != ' ' {
		return -1
	}
	return i
}
