package event

// looseObject checks an object within an array.
func (p *scanner) looseObject(i, depth int) int {
	if depth > MaxDepth {
		return p.fail(i, "too deep")
	}
	s := p.s
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s) || s[i] != '"' {
			return p.fail(i, "no field name")
		}
		end, _ := p.str(i + 1)
		if end < 0 {
			return -1
		}
		i = skipSpace(s, end+1)
		if i >= len(s) || s[i] != ':' {
			return p.fail(i, "no ':'")
		}
		if i = p.value(skipSpace(s, i+1), -1, depth); i < 0 {
			return -1
		}
		i = skipSpace(s, i)
		if i >= len(s) {
			return p.fail(i, "ends within an object")
		}
		if s[i] == '}' {
			return i + 1
		}
		if s[i] != ',' {
			return p.fail(i, "no ',' or '}'")
		}
		i = skipSpace(s, i+1)
	}
}

func (p *scanner) array(i, depth int) int {
	if depth > MaxDepth {
		return p.fail(i, "too deep")
	}
	s := p.s
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == ']' {
		return i + 1
	}
	for {
		if i = p.value(i, -1, depth); i < 0 {
			return -1
		}
		i = skipSpace(s, i)
		if i >= len(s) {
			return p.fail(i, "ends within an array")
		}
		if s[i] == ']' {
			return i + 1
		}
		if s[i] != ',' {
			return p.fail(i, "no ',' or ']'")
		}
		i = skipSpace(s, i+1)
	}
}

func (p *scanner) word(i int, w string) int {
	if end := i + len(w); end <= len(p.s) && string(p.s[i:end]) == w {
		return end
	}
	return p.fail(i, "no value")
}

// number checks RFC 8259 section 6.
func (p *scanner) number(i int) int {
	s := p.s
	start := i
	if i < len(s) && s[i] == '-' {
		i++
	}
	digits := i
	for i < len(s) && s[i]-'0' < 10 {
		i++
	}
	if i == digits {
		return p.fail(start, "no value")
	}
	if s[digits] == '0' && i > digits+1 {
		return p.fail(digits, "number with a leading zero")
	}
	if i < len(s) && s[i] == '.' {
		i++
		digits = i
		for i < len(s) && s[i]-'0' < 10 {
			i++
		}
		if i == digits {
			return p.fail(i, "no digit after '.'")
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		digits = i
		for i < len(s) && s[i]-'0' < 10 {
			i++
		}
		if i == digits {
			return p.fail(i, "no digit in the exponent")
		}
	}
	return i
}
