package pipeline

import (
	"fmt"
	"strings"
)

// expression joins named conditions by and, or, not and parentheses.
type expression struct {
	op   string // and, or, not, or empty for a condition
	kids []*expression
	at   int
}

func (e *expression) eval(test func(i int) bool) bool {
	switch e.op {
	case "and":
		return e.kids[0].eval(test) && e.kids[1].eval(test)
	case "or":
		return e.kids[0].eval(test) || e.kids[1].eval(test)
	case "not":
		return !e.kids[0].eval(test)
	}
	return test(e.at)
}

// maxTokens bounds an expression.
const maxTokens = 1000

func parseExpression(s string, names map[string]int) (*expression, error) {
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
	if len(words) > maxTokens {
		return nil, fmt.Errorf("more than %d words", maxTokens)
	}
	p := &expressionParser{words: words, names: names}
	e, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is not expected here", p.words[0])
	}
	return e, err
}

type expressionParser struct {
	words []string
	names map[string]int
}

func (p *expressionParser) take(word string) bool {
	if len(p.words) > 0 && strings.EqualFold(p.words[0], word) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *expressionParser) or() (*expression, error) { return p.binary("or", p.and) }

func (p *expressionParser) and() (*expression, error) { return p.binary("and", p.not) }

func (p *expressionParser) binary(op string, next func() (*expression, error)) (*expression, error) {
	left, err := next()
	for err == nil && p.take(op) {
		var right *expression
		right, err = next()
		left = &expression{op: op, kids: []*expression{left, right}}
	}
	return left, err
}

func (p *expressionParser) not() (*expression, error) {
	if p.take("not") {
		e, err := p.not()
		return &expression{op: "not", kids: []*expression{e}}, err
	}
	if p.take("(") {
		e, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("no closing parenthesis")
		}
		return e, err
	}
	if len(p.words) == 0 {
		return nil, fmt.Errorf("the expression ends where a condition is expected")
	}
	i, ok := p.names[p.words[0]]
	if !ok || p.words[0] == "" {
		return nil, fmt.Errorf("no condition is named %q", p.words[0])
	}
	p.words = p.words[1:]
	return &expression{at: i}, nil
}
