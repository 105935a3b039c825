package normalize

import (
	"strconv"
	"strings"
)

// compileLess compiles the function less, whose argument is a source: what lies between two counters, as in
// `flowEnd | less flowStart | ms`. ok is false where st is another function.
func (p *plan) compileLess(st string, tables map[string]*lookup) (c call, ok bool, err error) {
	arg, ok := strings.CutPrefix(st, "less ")
	if !ok {
		return c, false, nil
	}
	src, err := p.compileSource(strings.TrimSpace(arg), tables)
	return call{fn: lessCall, src: src}, true, err
}

// lessCall gives the whole number v minus that of the other source; none where there is none, or where it would be below zero.
func lessCall(r *runner, c *call, v value) value {
	other, _ := r.read(c.src)
	a, ok := r.integer(r.textOf(v))
	b, has := r.integer(r.textOf(other))
	if !ok || !has {
		return value{}
	}
	x, errX := strconv.ParseInt(string(a), 10, 64)
	y, errY := strconv.ParseInt(string(b), 10, 64)
	if errX != nil || errY != nil || y < 0 || x < y {
		return value{}
	}
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, x-y, 10)
	return numberValue(r.mem[start:len(r.mem):len(r.mem)])
}
