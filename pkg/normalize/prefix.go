package normalize

import (
	"errors"

	"go.yaml.in/yaml/v3"

	"leat/pkg/normalize/parse"
)

// prefixes reads the patterns of what stands in front of every line.
func (c *compiler) prefixes(n *yaml.Node) {
	for _, s := range c.scalars(n, "prefix") {
		if p, ok := c.pattern(s, "prefix", parse.CompilePrefix); ok {
			c.plan.prefixes = append(c.plan.prefixes, p)
		}
	}
}

// pattern compiles the pattern that node s holds; a fault is shown at its place in it.
func (c *compiler) pattern(s *yaml.Node, what string, compile func(string) (*parse.Pattern, error)) (*parse.Pattern, bool) {
	p, err := compile(s.Value)
	if err == nil {
		return p, true
	}
	at, reason := *s, err.Error()
	var pe *parse.PatternError
	if errors.As(err, &pe) {
		if s.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			at.Column++
		}
		at.Column += pe.Offset
		reason = pe.Reason
	}
	c.fault(&at, "%s: %s", what, reason)
	return nil, false
}

// behindPrefix returns what the line patterns are for: in without the first prefix of p that fits, whose captures are added
// to the record's object at.
func (r *runner) behindPrefix(p *plan, at int32, in []byte) []byte {
	for _, x := range p.prefixes {
		if rest, ok := r.matcher.Prefix(x, &r.rec, at, in); ok {
			return rest
		}
	}
	return in
}
