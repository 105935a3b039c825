package parse

import (
	"fmt"
	"regexp"
	"strings"
)

// Pattern is a compiled line pattern: literal text with {captures} and [optional parts]. It matches a whole line.
//
//	{name}          the text up to where the rest of the pattern fits; not empty
//	{name:int}      digits     {name:ip} an address     {name:word} no space     {name:any} may be empty
//	{name:name}     letters, digits, '.', '-', '_'
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
	capName
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
	case kind == "name":
		o.cap = capName
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
		return c.fail(at+2+len(name), fmt.Sprintf("unknown capture type %q; expected int, ip, word, name, any, a|b or /re/", kind))
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
