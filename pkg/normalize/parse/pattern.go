package parse

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unsafe"

	"leat/pkg/event"
)

// Pattern is a compiled line pattern: literal text with {captures} and [optional parts]. It matches a whole line.
//
//	{name}          the text up to where the rest of the pattern fits; not empty
//	{name:int}      digits     {name:ip} an address     {name:word} no space     {name:any} may be empty
//	{name:a|b c}    one of these texts
//	{name:/re/}     an RE2 expression
//	{_name}         is matched and thrown away          {} likewise, and may be empty
//	[text {x}]      may be missing
//	\[ \] \{ \} \\  the characters themselves
//
// Where more than one way fits, the shortest first capture wins, as it would for a person who reads from the left. What
// an attacker can write into a line (a user's name) should stand in front of a capture with a type that can't hold it.
type Pattern struct {
	ops   []op
	names [][]byte
	text  string
}

type opKind uint8

const (
	opLiteral opKind = iota
	opCapture
	opOptional // try the ops up to end, then those behind; else skip them
	opRegexp
)

type capKind uint8

const (
	capText capKind = iota
	capAny
	capInt
	capIP
	capWord
	capOneOf
)

type op struct {
	kind  opKind
	lit   string
	cap   capKind
	slot  int // -1: thrown away
	one   []string
	re    *regexp.Regexp
	end   int // opOptional: index behind the part
	first [256 / 64]uint64
	anyOf bool // first is not a limit
}

// maxSteps bounds the backtracking for one line and pattern: every try counts, and every 64 bytes that it looked at.
const maxSteps = 4000

// PatternError says where a pattern is wrong.
type PatternError struct {
	Offset int // byte offset in the pattern, from 0
	Reason string
}

func (e *PatternError) Error() string { return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset) }

// CompilePattern reads a pattern. The error is a *PatternError.
func CompilePattern(text string) (*Pattern, error) {
	c := patternCompiler{s: text, p: &Pattern{text: text}}
	if err := c.sequence(0); err != nil {
		return nil, err
	}
	p := c.p
	for i := range p.ops {
		if p.ops[i].kind == opCapture {
			p.ops[i].anyOf = p.firstBytes(i+1, &p.ops[i].first)
		}
	}
	return p, nil
}

type patternCompiler struct {
	s string
	i int
	p *Pattern
}

func (c *patternCompiler) fail(at int, reason string) error {
	return &PatternError{Offset: at, Reason: reason}
}

func (c *patternCompiler) sequence(depth int) error {
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			c.p.ops = append(c.p.ops, op{kind: opLiteral, lit: lit.String()})
			lit.Reset()
		}
	}
	for c.i < len(c.s) {
		switch ch := c.s[c.i]; ch {
		case '\\':
			if c.i+1 < len(c.s) && strings.IndexByte(`[]{}\`, c.s[c.i+1]) >= 0 {
				c.i++
			}
			lit.WriteByte(c.s[c.i])
			c.i++
		case '{':
			flush()
			if err := c.capture(); err != nil {
				return err
			}
		case '[':
			flush()
			if depth == 8 {
				return c.fail(c.i, "optional parts nested too deep")
			}
			at, n := c.i, len(c.p.ops)
			c.p.ops = append(c.p.ops, op{kind: opOptional})
			c.i++
			if err := c.sequence(depth + 1); err != nil {
				return err
			}
			if c.i >= len(c.s) {
				return c.fail(at, "'[' without ']' (write \\[ for the character)")
			}
			c.i++
			c.p.ops[n].end = len(c.p.ops)
		case ']':
			if depth == 0 {
				return c.fail(c.i, "']' without '[' (write \\] for the character)")
			}
			flush()
			return nil
		default:
			lit.WriteByte(ch)
			c.i++
		}
	}
	flush()
	return nil
}

func (c *patternCompiler) capture() error {
	at := c.i
	end := c.closing(at)
	if end < 0 {
		return c.fail(at, "'{' without '}' (write \\{ for the character)")
	}
	body := c.s[at+1 : end]
	c.i = end + 1
	name, kind, _ := strings.Cut(body, ":")
	o := op{kind: opCapture, slot: -1}
	for _, r := range name {
		if r != '_' && r != '.' && r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') {
			return c.fail(at+1, fmt.Sprintf("capture name %q has the character %q", name, r))
		}
	}
	if name == "" && kind == "" {
		o.cap = capAny
	}
	if name != "" && name[0] != '_' {
		o.slot = -1
		for i, n := range c.p.names {
			if string(n) == name {
				o.slot = i
			}
		}
		if o.slot < 0 {
			o.slot = len(c.p.names)
			c.p.names = append(c.p.names, []byte(name))
		}
	}
	switch {
	case kind == "":
	case kind == "int":
		o.cap = capInt
	case kind == "ip":
		o.cap = capIP
	case kind == "word":
		o.cap = capWord
	case kind == "any":
		o.cap = capAny
	case len(kind) > 1 && kind[0] == '/' && kind[len(kind)-1] == '/':
		re, err := regexp.Compile(`^(?:` + kind[1:len(kind)-1] + `)`)
		if err != nil {
			return c.fail(at+1, err.Error())
		}
		re.Longest()
		o.kind, o.re = opRegexp, re
	case strings.Contains(kind, "|"):
		o.cap, o.one = capOneOf, strings.Split(kind, "|")
	default:
		return c.fail(at+2+len(name), fmt.Sprintf("unknown capture type %q; expected int, ip, word, any, a|b or /re/", kind))
	}
	c.p.ops = append(c.p.ops, o)
	return nil
}

// closing finds the brace that ends the capture at s[at]; within /re/ braces are the expression's.
func (c *patternCompiler) closing(at int) int {
	if i := strings.Index(c.s[at:], ":/"); i >= 0 && !strings.ContainsAny(c.s[at+1:at+i], "{}:") {
		if j := strings.Index(c.s[at+i+2:], "/}"); j >= 0 {
			return at + i + 2 + j + 1
		}
		return -1
	}
	j := strings.IndexByte(c.s[at:], '}')
	if j < 0 {
		return -1
	}
	return at + j
}

// firstBytes collects the bytes that what follows op i may begin with; true where it can't tell.
func (p *Pattern) firstBytes(i int, set *[4]uint64) bool {
	for i < len(p.ops) {
		switch o := &p.ops[i]; o.kind {
		case opLiteral:
			set[o.lit[0]>>6] |= 1 << (o.lit[0] & 63)
			return false
		case opOptional:
			if p.firstBytes(i+1, set) {
				return true
			}
			i = o.end
		default:
			return true
		}
	}
	return true
}

// Names returns the names of the captures.
func (p *Pattern) Names() [][]byte { return p.names }

// String returns the pattern's text.
func (p *Pattern) String() string { return p.text }

// Literal returns the longest text that every line that matches holds.
func (p *Pattern) Literal() string {
	best := ""
	for i := 0; i < len(p.ops); i++ {
		switch o := &p.ops[i]; o.kind {
		case opOptional:
			i = o.end - 1
		case opLiteral:
			if len(o.lit) > len(best) {
				best = o.lit
			}
		}
	}
	return best
}

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
	for i, c := range m.caps {
		if len(c) > 0 {
			r.Add(parent, Cell{Key: p.names[i], Val: c, Kind: event.String})
		}
	}
	return true
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
			loc := o.re.FindIndex(s)
			if loc == nil {
				return false
			}
			m.set(o.slot, s[:loc[1]])
			s = s[loc[1]:]
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
