package parse

// CompilePrefix reads a pattern for what stands in front of a line. It must not end in a capture without a type, which
// would end nowhere. The error is a *PatternError.
func CompilePrefix(text string) (*Pattern, error) {
	p, err := CompilePattern(text)
	if err != nil {
		return nil, err
	}
	if n := len(p.ops); n > 0 && p.ops[n-1].kind == opCapture && (p.ops[n-1].cap == capText || p.ops[n-1].cap == capAny) {
		return nil, &PatternError{Offset: len(text), Reason: "a prefix must end in a text or a typed capture"}
	}
	p.ops = append(p.ops, op{kind: opCapture, cap: capAny, slot: len(p.names), anyOf: true})
	return p, nil
}

// Prefix matches the beginning of line against p, which CompilePrefix made, adds its captures to the object at parent, and
// returns what follows.
func (m *Matcher) Prefix(p *Pattern, r *Record, parent int32, line []byte) (rest []byte, ok bool) {
	m.caps = append(m.caps[:0], make([][]byte, len(p.names)+1)...)
	m.steps = 0
	if !m.run(p, 0, len(p.ops), line) {
		return line, false
	}
	m.add(p, r, parent)
	return m.caps[len(p.names)], true
}
