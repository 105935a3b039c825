package parse

import (
	"bytes"
	"unicode/utf8"

	"leat/pkg/event"
)

// Bounds of one event: the kernel writes some ten records for a system call, of some thirty pairs each. What follows the
// pairs that are read stays as a text.
const (
	maxAuditRecords = 64
	maxAuditPairs   = 1024
)

var (
	keyType, keyNode, keyTime, keySerial = []byte("type"), []byte("node"), []byte("time"), []byte("serial")
	keyArgs, keySaddr                    = []byte("args"), []byte("saddr")
	auditMark                            = []byte("audit(")
	auditNull                            = []byte("(null)")
)

// Audit adds an event of the Linux audit system to the object at parent: one record as auditd or the kernel log writes it
// (type=SYSCALL msg=audit(1364481363.243:24287): arch=...), or all the records of one event, a line each. The cells are
// type, time, serial and node, and the pairs of the record; what stands quoted in msg='...' counts as its pairs, and what
// auditd writes in hexadecimal is decoded (comm, exe, name, proctitle and their like; sockaddr becomes the object saddr, the
// arguments of EXECVE the list args). Of several records the pairs of the first, of CWD, PROCTITLE and SOCKADDR are at parent,
// and each other's in an object of its type in small letters, path_2 for the second PATH. It tells whether there is a record, and only of one event.
func Audit(r *Record, parent int32, s []byte) bool {
	var serial []byte
	n := 0
	for len(s) > 0 && n < maxAuditRecords {
		var line []byte
		if line, s, _ = bytes.Cut(s, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		h, ok := auditHeader(bytes.TrimSpace(line))
		if !ok || n > 0 && !bytes.Equal(h.serial, serial) {
			return false
		}
		at := parent
		if n == 0 {
			serial = h.serial
			r.addAuditHeader(parent, &h)
		} else if at = r.auditObject(parent, h.kind); at == None {
			return false
		}
		r.auditPairs(at, &h, h.rest)
		n++
	}
	return n > 0
}

// auditObject returns where the pairs of a further record go.
func (r *Record) auditObject(parent int32, kind []byte) int32 {
	switch string(kind) {
	case "CWD", "PROCTITLE", "SOCKADDR", "EOE":
		return parent // an event has one at most, of a pair that no other record has
	}
	name := r.Memory(func(dst []byte) []byte {
		for _, c := range kind {
			if c-'A' < 26 {
				c |= 0x20
			}
			dst = append(dst, c)
		}
		return dst
	})
	return r.AddObject(parent, r.freeName(parent, name))
}

// auditRecord is one record's header.
type auditRecord struct {
	node, kind, time, serial, rest []byte
}

// auditHeader reads "node=N type=T msg=audit(TIME:SERIAL): ".
func auditHeader(s []byte) (h auditRecord, ok bool) {
	mark := bytes.Index(s[:min(len(s), 400)], auditMark)
	if mark < 0 {
		return h, false
	}
	end := bytes.IndexByte(s[mark:min(len(s), mark+80)], ')')
	if end < 0 {
		return h, false
	}
	id := s[mark+len(auditMark) : mark+end]
	colon := bytes.IndexByte(id, ':')
	if colon < 1 || colon+1 == len(id) {
		return h, false
	}
	h.time, h.serial = id[:colon], id[colon+1:]
	h.rest = bytes.TrimPrefix(s[mark+end+1:], []byte(":"))
	for front := s[:mark]; len(front) > 0; {
		var w []byte
		w, front = word(front)
		if v, found := bytes.CutPrefix(w, []byte("node=")); found {
			h.node = v
		} else if v, found := bytes.CutPrefix(w, []byte("type=")); found {
			h.kind = v
		}
	}
	_, ok = Epoch(h.time)
	return h, ok && len(h.kind) > 0
}

func (r *Record) addAuditHeader(parent int32, h *auditRecord) {
	r.AddText(parent, keyType, h.kind)
	r.AddText(parent, keyTime, h.time)
	r.AddText(parent, keySerial, h.serial)
	if len(h.node) > 0 {
		r.AddText(parent, keyNode, h.node)
	}
}

// auditPairs adds the pairs of s. What is none (as in "avc:  denied  { read } for") is read where it is known.
func (r *Record) auditPairs(at int32, h *auditRecord, s []byte) {
	s = r.avcResult(at, s)
	execve := string(h.kind) == "EXECVE"
	for len(s) > 0 {
		if len(r.Cells) > maxAuditPairs {
			r.AddText(at, keyText, s)
			break
		}
		key, val, quote, rest := auditPair(s)
		s = rest
		switch {
		case len(key) == 0 || quote == 0 && (len(val) == 0 || bytes.Equal(val, auditNull) || string(val) == "?"):
			continue
		case quote == '\'' && string(key) == "msg":
			// A program's own message; its pairs stand for those of the record that the kernel left open.
			r.auditPairs(at, h, val)
			continue
		case quote == 0 && string(key) == "saddr" && r.socketAddress(at, val):
			continue
		case quote == 0 && (execve && isArgument(key) || auditEncoded(key)):
			val = r.auditText(val, string(key) == "proctitle")
		}
		r.AddText(at, r.freeName(at, key), val)
	}
	if execve {
		r.auditArgs(at)
	}
}

// auditPair cuts the next KEY=VALUE off s. Behind the byte 29 auditd writes the names for the numbers (log_format=ENRICHED).
func auditPair(s []byte) (key, val []byte, quote byte, rest []byte) {
	for len(s) > 0 && isAuditBlank(s[0]) {
		s = s[1:]
	}
	i := 0
	for i < len(s) && s[i] != '=' && !isAuditBlank(s[i]) {
		i++
	}
	if i == len(s) || s[i] != '=' || i == 0 {
		return nil, nil, 0, s[min(i+1, len(s)):]
	}
	key, s = s[:i], s[i+1:]
	if len(s) > 0 && (s[0] == '"' || s[0] == '\'') {
		if end := bytes.IndexByte(s[1:], s[0]); end >= 0 {
			return key, s[1 : end+1], s[0], s[end+2:]
		}
	}
	i = 0
	for i < len(s) && !isAuditBlank(s[i]) {
		i++
	}
	if string(key) == "op" {
		// Old shadow tools write "op=adding user id=1004" without quotes: the words up to the next pair are the value.
		i = wordsUpToPair(s, i)
	}
	return key, bytes.TrimSuffix(s[:i], []byte(",")), 0, s[i:]
}

func isAuditBlank(c byte) bool { return c == ' ' || c == '\t' || c == 0x1d }

// wordsUpToPair returns the length of the words that s begins with, of which the first is n long and none has a '='.
func wordsUpToPair(s []byte, n int) int {
	for n < len(s) {
		i := n + 1
		for i < len(s) && !isAuditBlank(s[i]) && s[i] != '=' {
			i++
		}
		if i < len(s) && s[i] == '=' {
			break
		}
		n = i
	}
	return min(n, len(s))
}

// avcResult reads SELinux's "avc:  denied  { read write } for  " as ausearch calls its parts: seresult and seperms.
func (r *Record) avcResult(at int32, s []byte) []byte {
	t := bytes.TrimLeft(s, " ")
	if t = bytes.TrimPrefix(t, []byte("avc:")); len(t) == len(bytes.TrimLeft(s, " ")) {
		return s
	}
	result, after := word(bytes.TrimLeft(t, " "))
	open, end := bytes.IndexByte(after, '{'), bytes.IndexByte(after, '}')
	if open < 0 || end < open {
		return s
	}
	r.AddText(at, []byte("seresult"), result)
	r.AddText(at, []byte("seperms"), bytes.TrimSpace(after[open+1:end]))
	return bytes.TrimPrefix(bytes.TrimLeft(after[end+1:], " "), []byte("for "))
}

// auditEncoded tells whether auditd writes the values of that field in hexadecimal where they hold blanks, quotes or bytes
// that can't be printed (libaudit, "encoded" fields).
func auditEncoded(key []byte) bool {
	switch string(key) {
	case "comm", "exe", "name", "cwd", "proctitle", "cmd", "acct", "path", "dir", "file", "key", "watch", "device", "vm", "new-disk", "old-disk",
		"new-fs", "old-fs", "new-net", "ocomm", "data", "title", "cgroup", "invalid_context", "grp", "new_group", "root_dir", "lsm_module", "profile", "ucmd":
		return true
	}
	return false
}

func isArgument(key []byte) bool {
	if key[0] != 'a' {
		return false
	}
	if i := bytes.IndexByte(key, '['); i > 0 {
		key = key[:i]
	}
	return number(key[1:]) >= 0
}

// auditText decodes hexadecimal; what is none, or would be no text, stays as it stands. In a proctitle NUL separates the arguments.
func (r *Record) auditText(s []byte, title bool) []byte {
	if len(s) < 2 || len(s)%2 != 0 {
		return s
	}
	start := len(r.mem)
	for i := 0; i < len(s); i += 2 {
		hi, lo := hexDigit(s[i]), hexDigit(s[i+1])
		if hi < 0 || lo < 0 || s[i] >= 'a' || s[i+1] >= 'a' {
			r.mem = r.mem[:start]
			return s
		}
		c := byte(hi<<4 | lo)
		if c == 0 {
			if !title {
				r.mem = r.mem[:start]
				return s
			}
			c = ' '
		}
		r.mem = append(r.mem, c)
	}
	if out := r.mem[start:len(r.mem):len(r.mem)]; utf8.Valid(out) {
		return bytes.TrimRight(out, " ")
	}
	r.mem = r.mem[:start]
	return s
}

// auditArgs makes the list args of EXECVE's a0, a1 ..., which stay beside it: rules ask for them by their names. A long argument comes in pieces a1[0], a1[1].
func (r *Record) auditArgs(at int32) {
	list := r.Memory(func(dst []byte) []byte {
		dst = append(dst, '[')
		start := len(dst)
		for i := r.Child(at); i >= 0; i = r.Cells[i].Next {
			c := &r.Cells[i]
			if !isArgument(c.Key) || c.Kind != event.String {
				continue
			}
			if j := bytes.IndexByte(c.Key, '['); j > 0 && string(c.Key[j:]) != "[0]" && len(dst) > start {
				dst = append(dst[:len(dst)-1], event.AppendString(nil, c.Val)[1:]...)
				continue
			}
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = event.AppendString(dst, c.Val)
		}
		return append(dst, ']')
	})
	if len(list) > 2 {
		r.Add(at, Cell{Key: keyArgs, Val: list, Kind: event.Array, JSON: true})
	}
}
