package parse

import (
	"bytes"
	"net/netip"
	"unsafe"

	"leat/internal/address"
)

// maxSteps bounds the backtracking for one line and pattern: every try counts, and every 64 bytes that it looked at.
const maxSteps = 4000

// Matcher holds the memory for matching. It is not safe for concurrent use.
type Matcher struct {
	caps  [][]byte
	steps int
}

// Match matches line against p and adds its captures to the object at parent.
func (m *Matcher) Match(p *Pattern, r *Record, parent int32, line []byte) bool {
	if len(p.ops) > 0 && p.ops[0].kind == opLiteral && !bytes.HasPrefix(line, []byte(p.ops[0].lit)) {
		return false
	}
	m.caps = m.caps[:0]
	for range p.names {
		m.caps = append(m.caps, nil)
	}
	m.steps = 0
	if !m.run(p, 0, len(p.ops), line) {
		return false
	}
	m.add(p, r, parent)
	return true
}

// add adds what was captured to the object at parent.
func (m *Matcher) add(p *Pattern, r *Record, parent int32) {
	for i, name := range p.names {
		if c := m.caps[i]; len(c) > 0 {
			r.addPair(parent, name, c)
		}
	}
}

// run matches s from op i on to the pattern's end.
func (m *Matcher) run(p *Pattern, i, end int, s []byte) bool {
	for i < end {
		if m.steps++; m.steps > maxSteps {
			return false
		}
		o := &p.ops[i]
		switch o.kind {
		case opLiteral:
			if len(s) < len(o.lit) || string(s[:len(o.lit)]) != o.lit {
				return false
			}
			s = s[len(o.lit):]
			i++
		case opOptional:
			if m.run(p, i+1, end, s) {
				return true
			}
			m.forget(p, i+1, o.end)
			i = o.end
		case opRegexp:
			m.steps += len(s) >> 6
			found := o.re.Find(s) // FindIndex would allocate
			if found == nil {
				return false
			}
			m.set(o.slot, s[:len(found)])
			s = s[len(found):]
			i++
		default:
			n := o.fixed(s)
			if n == -2 {
				return m.search(p, i, end, s)
			}
			if n < 0 {
				return false
			}
			m.set(o.slot, s[:n])
			s = s[n:]
			i++
		}
	}
	return len(trimSpace(s)) == 0
}

// fixed returns how much of s a capture with a type takes: -1 if none fits, -2 for one that ends where the rest fits.
func (o *op) fixed(s []byte) int {
	n := 0
	switch o.cap {
	case capInt:
		for n < len(s) && s[n]-'0' < 10 {
			n++
		}
	case capWord:
		for n < len(s) && s[n] > ' ' {
			n++
		}
	case capName:
		for n < len(s) && (s[n]|0x20-'a' < 26 || s[n]-'0' < 10 || s[n] == '.' || s[n] == '-' || s[n] == '_') {
			n++
		}
	case capIP:
		for n < len(s) && (s[n]-'0' < 10 || s[n]|0x20-'a' < 6 || s[n] == ':' || s[n] == '.') {
			n++
		}
		for n > 0 && s[n-1] == ':' && !bytes.HasSuffix(s[:n], []byte("::")) || n > 0 && s[n-1] == '.' {
			n--
		}
		if n > 0 && !isIP(s[:n]) {
			// 192.0.2.1:443 is an address and a port.
			if n = bytes.IndexByte(s[:n], ':'); n < 7 || !isIP(s[:n]) {
				return -1
			}
		}
	case capOneOf:
		for _, t := range o.one {
			if len(s) >= len(t) && string(s[:len(t)]) == t {
				return len(t)
			}
		}
		return -1
	default:
		return -2
	}
	if n == 0 {
		return -1
	}
	return n
}

func isIP(s []byte) bool {
	if len(s) == 0 || len(s) > 45 {
		return false
	}
	if address.IsIPv4(s) {
		return true
	}
	_, err := netip.ParseAddr(unsafe.String(&s[0], len(s))) // does not keep it
	return err == nil
}

// search tries the ends of an untyped capture from the left.
func (m *Matcher) search(p *Pattern, i, end int, s []byte) bool {
	o := &p.ops[i]
	least := 1
	if o.cap == capAny {
		least = 0
	}
	if i+1 == end {
		if s = bytes.TrimRight(s, " \r\n\t"); len(s) < least {
			return false
		}
		m.set(o.slot, s)
		return true
	}
	var lit []byte
	if next := &p.ops[i+1]; next.kind == opLiteral {
		lit = []byte(next.lit)
	}
	for n := least; n <= len(s); n++ {
		if lit != nil {
			k := bytes.Index(s[n:], lit)
			if k < 0 {
				m.steps += (len(s) - n) >> 6
				return false
			}
			m.steps += k >> 6
			n += k
		} else if !o.anyOf {
			for n < len(s) && o.first[s[n]>>6]>>(s[n]&63)&1 == 0 {
				n++
			}
		}
		m.set(o.slot, s[:n])
		if m.run(p, i+1, end, s[n:]) {
			return true
		}
		if m.steps > maxSteps {
			return false
		}
	}
	return false
}

func (m *Matcher) set(slot int, s []byte) {
	if slot >= 0 {
		m.caps[slot] = s
	}
}

func (m *Matcher) forget(p *Pattern, from, to int) {
	for i := from; i < to; i++ {
		if o := &p.ops[i]; o.kind == opCapture || o.kind == opRegexp {
			m.set(o.slot, nil)
		}
	}
}
