package intel

import (
	"errors"
	"fmt"
	"strings"
)

// pattern is what a STIX pattern (STIX 2.1, section 9) comes to as single indicators.
type pattern struct {
	values []patternValue
	// complex: it is about more than one observation or condition at once; values is then empty.
	complex bool
	// unsupported comparisons are of properties that are not matched, or by other operators.
	unsupported int
}

type patternValue struct {
	kind Kind // Unknown: the value tells
	text string
}

const (
	maxPattern      = 64 << 10
	maxPatternDepth = 32
)

var errPattern = errors.New("not a STIX pattern")

// parsePattern reads a pattern. Each comparison that alone would be a match is a value: those of one observation, or of several, joined by
// OR. AND, FOLLOWEDBY and qualifiers make it complex.
func parsePattern(s string) (pattern, error) {
	if len(s) > maxPattern {
		return pattern{}, fmt.Errorf("%w: more than %d bytes", errPattern, maxPattern)
	}
	p := patternParser{text: s}
	if err := p.next(); err != nil {
		return pattern{}, err
	}
	err := p.observations(0)
	if err == nil && p.tok != "" {
		err = p.expected("the end")
	}
	if err != nil {
		return pattern{}, err
	}
	if p.out.complex {
		p.out.values = nil
	}
	return p.out, nil
}

type patternParser struct {
	text   string
	at     int
	tok    string // the token's text; "" at the end
	quoted bool   // it is a string literal, and tok its value with a quote in front
	out    pattern
}

func (p *patternParser) expected(what string) error {
	return fmt.Errorf("%w: expected %s at byte %d", errPattern, what, p.at)
}

func (p *patternParser) take(word string) (bool, error) {
	if p.quoted || p.tok != word {
		return false, nil
	}
	return true, p.next()
}

func (p *patternParser) need(word string) error {
	ok, err := p.take(word)
	if err == nil && !ok {
		return p.expected(word)
	}
	return err
}

// observations reads observation expressions and what joins them.
func (p *patternParser) observations(depth int) error {
	if depth > maxPatternDepth {
		return fmt.Errorf("%w: nested too deep", errPattern)
	}
	for {
		if err := p.observation(depth); err != nil {
			return err
		}
		if err := p.qualifiers(); err != nil {
			return err
		}
		switch {
		case !p.quoted && (p.tok == "AND" || p.tok == "FOLLOWEDBY"):
			p.out.complex = true
		case !p.quoted && p.tok == "OR":
		default:
			return nil
		}
		if err := p.next(); err != nil {
			return err
		}
	}
}

func (p *patternParser) observation(depth int) error {
	if ok, err := p.take("("); ok || err != nil {
		if err != nil {
			return err
		}
		if err := p.observations(depth + 1); err != nil {
			return err
		}
		return p.need(")")
	}
	if err := p.need("["); err != nil {
		return err
	}
	if err := p.comparisons(depth + 1); err != nil {
		return err
	}
	return p.need("]")
}

// qualifiers: WITHIN n SECONDS, REPEATS n TIMES, START t'…' STOP t'…'.
func (p *patternParser) qualifiers() error {
	for !p.quoted {
		words := 0
		switch p.tok {
		case "WITHIN", "REPEATS":
			words = 3
		case "START":
			words = 4
		default:
			return nil
		}
		p.out.complex = true
		for range words {
			if p.tok == "" {
				return p.expected("the rest of a qualifier")
			}
			if err := p.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *patternParser) comparisons(depth int) error {
	if depth > maxPatternDepth {
		return fmt.Errorf("%w: nested too deep", errPattern)
	}
	for {
		if ok, err := p.take("("); err != nil {
			return err
		} else if ok {
			if err := p.comparisons(depth + 1); err != nil {
				return err
			}
			if err := p.need(")"); err != nil {
				return err
			}
		} else if err := p.comparison(); err != nil {
			return err
		}
		switch {
		case !p.quoted && p.tok == "AND":
			p.out.complex = true
		case !p.quoted && p.tok == "OR":
		default:
			return nil
		}
		if err := p.next(); err != nil {
			return err
		}
	}
}

// comparison reads one: an object path, NOT, an operator and a constant or a set of them.
func (p *patternParser) comparison() error {
	if ok, err := p.take("EXISTS"); err != nil {
		return err
	} else if ok {
		p.out.unsupported++
		return p.next()
	}
	path := p.tok
	if p.quoted || strings.IndexByte(path, ':') <= 0 {
		return p.expected("an object path such as ipv4-addr:value")
	}
	if err := p.next(); err != nil {
		return err
	}
	not, err := p.take("NOT")
	if err != nil {
		return err
	}
	op := p.tok
	if p.quoted || op == "" {
		return p.expected("an operator")
	}
	if err := p.next(); err != nil {
		return err
	}
	kind, known := pathKind(path)
	usable := known && !not && (op == "=" || op == "==" || op == "IN" || op == "ISSUBSET" && (kind == IPv4 || kind == IPv6))
	if !usable {
		p.out.unsupported++
	}
	if op == "IN" {
		return p.set(kind, usable)
	}
	return p.constant(kind, usable)
}

func (p *patternParser) constant(kind Kind, usable bool) error {
	if p.tok == "" || !p.quoted && strings.ContainsAny(p.tok, "[](),=!<>") {
		return p.expected("a constant")
	}
	switch {
	case usable && p.quoted:
		text := p.tok[1:]
		if (kind == IPv4 || kind == IPv6) && strings.Contains(text, "/") {
			kind = CIDR
		}
		p.out.values = append(p.out.values, patternValue{kind, text})
	case usable:
		p.out.unsupported++
	}
	return p.next()
}

func (p *patternParser) set(kind Kind, usable bool) error {
	if err := p.need("("); err != nil {
		return err
	}
	for {
		if err := p.constant(kind, usable); err != nil {
			return err
		}
		if ok, err := p.take(","); err != nil {
			return err
		} else if !ok {
			return p.need(")")
		}
	}
}

// pathKind is the kind of value that an object path names.
func pathKind(path string) (Kind, bool) {
	object, property, _ := strings.Cut(path, ":")
	switch object {
	case "ipv4-addr":
		return IPv4, property == "value"
	case "ipv6-addr":
		return IPv6, property == "value"
	case "domain-name":
		return Domain, property == "value"
	case "url":
		return URL, property == "value"
	case "email-addr":
		return Email, property == "value"
	case "email-message":
		return Email, property == "from_ref.value" || property == "sender_ref.value"
	case "network-traffic":
		return Unknown, property == "dst_ref.value" || property == "src_ref.value"
	case "file", "artifact":
		if name, ok := strings.CutPrefix(property, "hashes."); ok {
			return hashName(strings.Trim(name, "'"))
		}
	case "x509-certificate":
		if name, ok := strings.CutPrefix(property, "hashes."); ok && strings.Trim(name, "'") == "SHA-1" {
			return Certificate, true
		}
	}
	return Unknown, false
}

// hashName is the kind of a key of STIX's hashes, also as it is often written.
func hashName(name string) (Kind, bool) {
	switch strings.ToUpper(strings.ReplaceAll(name, "-", "")) {
	case "MD5":
		return MD5, true
	case "SHA1":
		return SHA1, true
	case "SHA256":
		return SHA256, true
	case "SHA512":
		return SHA512, true
	}
	return Unknown, false
}
