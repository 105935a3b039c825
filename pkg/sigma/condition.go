package sigma

import (
	"fmt"
	"strings"
)

// maxDepth bounds parentheses and nots in a condition.
const maxDepth = 64

// conditionError says where a condition is wrong.
type conditionError struct {
	at     int // byte in the condition
	reason string
}

func (e *conditionError) Error() string { return fmt.Sprintf("%s at character %d", e.reason, e.at+1) }

// condition parses
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = { "not" } term
//	term = "(" or ")" | ( "1" | "any" | "all" ) "of" ( "them" | pattern ) | identifier
//
// into nodes; names and look give the detections.
type condition struct {
	s     string
	at    int
	tok   string // the current token; empty at the end
	tokAt int
	depth int
	noun  string // what the names are of: detection or rule
	names []string
	look  map[string]*node
}

func parseCondition(s, noun string, names []string, look map[string]*node) (*node, error) {
	c := &condition{s: s, noun: noun, names: names, look: look}
	c.next()
	if c.tok == "" {
		return nil, c.fail("empty condition")
	}
	n, err := c.or()
	if err != nil {
		return nil, err
	}
	if c.tok != "" {
		return nil, c.fail("expected and, or or the end, found %q", c.tok)
	}
	return n, nil
}

func (c *condition) fail(format string, args ...any) error {
	return &conditionError{c.tokAt, fmt.Sprintf(format, args...)}
}

func (c *condition) next() {
	for c.at < len(c.s) && strings.IndexByte(" \t\r\n", c.s[c.at]) >= 0 {
		c.at++
	}
	c.tokAt = c.at
	if c.at < len(c.s) && (c.s[c.at] == '(' || c.s[c.at] == ')') {
		c.at++
	} else {
		for c.at < len(c.s) && strings.IndexByte(" \t\r\n()", c.s[c.at]) < 0 {
			c.at++
		}
	}
	c.tok = c.s[c.tokAt:c.at]
}

// word tells whether the current token is that key word. A detection of that very name comes first.
func (c *condition) word(w string) bool {
	if !strings.EqualFold(c.tok, w) {
		return false
	}
	_, named := c.look[c.tok]
	return !named
}

func (c *condition) or() (*node, error) {
	if c.depth++; c.depth > maxDepth {
		return nil, c.fail("nested deeper than %d", maxDepth)
	}
	defer func() { c.depth-- }()
	return c.chain("or", isOr, func() (*node, error) { return c.chain("and", isAnd, c.not) })
}

func (c *condition) chain(word string, kind nodeKind, below func() (*node, error)) (*node, error) {
	var kids []*node
	for {
		n, err := below()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
		if !c.word(word) {
			return join(kind, kids), nil
		}
		c.next()
	}
}

func (c *condition) not() (*node, error) {
	negate := false
	for c.word("not") {
		negate = !negate
		c.next()
	}
	n, err := c.term()
	if err == nil && negate {
		n = not(n)
	}
	return n, err
}

func (c *condition) term() (*node, error) {
	switch {
	case c.tok == "":
		return nil, c.fail("ends where a %s's name is expected", c.noun)
	case c.tok == ")":
		return nil, c.fail("unexpected )")
	case c.tok == "(":
		c.next()
		n, err := c.or()
		if err != nil {
			return nil, err
		}
		if c.tok != ")" {
			return nil, c.fail("expected ), found %s", c.found())
		}
		c.next()
		return n, nil
	case c.tok[0] == '|':
		return nil, c.fail("aggregation with | is not part of Sigma 2; write a correlation")
	}
	if n, ok := c.look[c.tok]; ok {
		c.next()
		return n, nil
	}
	word := strings.ToLower(c.tok)
	if c.next(); !c.word("of") {
		c.at = c.tokAt
		return nil, &conditionError{c.at, fmt.Sprintf("no %s %q; there are: %s", c.noun, word, strings.Join(c.names, ", "))}
	}
	kind := isOr
	switch word {
	case "1", "any":
	case "all":
		kind = isAnd
	default:
		return nil, c.fail("%q of: expected 1, any or all", word)
	}
	c.next()
	return c.of(kind)
}

func (c *condition) found() string {
	if c.tok == "" {
		return "the end"
	}
	return fmt.Sprintf("%q", c.tok)
}

// of reads what follows "1 of" or "all of".
func (c *condition) of(kind nodeKind) (*node, error) {
	if c.tok == "" || c.tok == "(" || c.tok == ")" {
		return nil, c.fail("expected them or a pattern, found %s", c.found())
	}
	var kids []*node
	them := c.word("them")
	var names pattern
	for i, text := range strings.Split(c.tok, "*") {
		if i > 0 {
			names = append(names, part{kind: any0})
		}
		names = append(names, part{literal, text})
	}
	names = names.tidy()
	for _, name := range c.names {
		if them && !strings.HasPrefix(name, "_") || !them && names.match([]byte(name)) {
			kids = append(kids, c.look[name])
		}
	}
	if len(kids) == 0 {
		return nil, c.fail("%q matches no %s; there are: %s", c.tok, c.noun, strings.Join(c.names, ", "))
	}
	c.next()
	return join(kind, kids), nil
}
