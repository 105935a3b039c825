package normalize

import (
	"bytes"
	"net/url"
	"strconv"

	"leat/pkg/event"
)

// mapText gives the text that f makes of v's.
func (r *runner) mapText(v value, f func(dst, s []byte) []byte) value {
	t := r.textOf(v)
	start := len(r.mem)
	r.mem = f(r.mem, t)
	return text(r.mem[start:len(r.mem):len(r.mem)])
}

func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if c-'A' < 26 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func appendUpper(dst, s []byte) []byte {
	for _, c := range s {
		if c-'a' < 26 {
			c &^= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func trimCall(r *runner, c *call, v value) value {
	if len(c.arg) == 0 {
		return text(bytes.TrimSpace(r.textOf(v)))
	}
	t := r.textOf(v)
	for len(t) > 0 && bytes.IndexByte(c.arg, t[0]) >= 0 {
		t = t[1:]
	}
	for len(t) > 0 && bytes.IndexByte(c.arg, t[len(t)-1]) >= 0 {
		t = t[:len(t)-1]
	}
	return text(t)
}

func beforeCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if i := bytes.Index(t, c.arg); i >= 0 {
		return text(t[:i])
	}
	return v
}

func afterCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if i := bytes.Index(t, c.arg); i >= 0 {
		return text(t[i+len(c.arg):])
	}
	return v
}

func beforeLastCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if i := bytes.LastIndex(t, c.arg); i >= 0 {
		return text(t[:i])
	}
	return v
}

func afterLastCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if i := bytes.LastIndex(t, c.arg); i >= 0 {
		return text(t[i+len(c.arg):])
	}
	return v
}

func hasCall(r *runner, c *call, v value) value {
	if bytes.Contains(r.textOf(v), c.arg) {
		return v
	}
	return value{}
}

func startsCall(r *runner, c *call, v value) value {
	if bytes.HasPrefix(r.textOf(v), c.arg) {
		return v
	}
	return value{}
}

// splitCall makes a list of the parts of a text, or of those of each text in a list.
func splitCall(r *runner, c *call, v value) value {
	if len(c.arg) == 0 || v.kind != event.Array && len(r.textOf(v)) == 0 {
		return v
	}
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	elementsOf(v, func(el value) bool {
		r.splitText(start+1, r.textOf(el), c.arg)
		return true
	})
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
}

// splitText appends the parts of t to the list whose elements begin at first.
func (r *runner) splitText(first int, t, by []byte) {
	for more := true; more; {
		var p []byte
		p, t, more = bytes.Cut(t, by)
		if p = bytes.TrimSpace(p); len(p) == 0 {
			continue
		}
		if len(r.mem) > first {
			r.mem = append(r.mem, ',')
		}
		r.mem = event.AppendString(r.mem, p)
	}
}

func nthCall(r *runner, c *call, v value) value { return r.element(v, c.num) }

// element returns element n of a list; a value that is none is its own only element.
func (r *runner) element(v value, n int) value {
	if v.kind != event.Array {
		if n == 0 || n == -1 {
			return v
		}
		return value{}
	}
	list := event.ValueOf(v.b)
	if n < 0 {
		count := 0
		list.Elements(func(event.Value) bool { count++; return true })
		n += count
	}
	var found value
	i := 0
	list.Elements(func(e event.Value) bool {
		if i == n {
			found = value{b: e.Raw, kind: e.Kind, json: true}
		}
		i++
		return i <= n
	})
	return found
}

func (r *runner) around(before []byte, v value, behind []byte) value {
	t := r.textOf(v)
	start := len(r.mem)
	r.mem = append(append(append(r.mem, before...), t...), behind...)
	return text(r.mem[start:len(r.mem):len(r.mem)])
}

func lastSlash(t []byte) int { return bytes.LastIndexAny(t, `/\`) }

func basenameCall(r *runner, _ *call, v value) value {
	t := r.textOf(v)
	return text(t[lastSlash(t)+1:])
}

func dirnameCall(r *runner, _ *call, v value) value {
	t := r.textOf(v)
	return text(t[:max(lastSlash(t), 0)])
}

func extensionCall(r *runner, _ *call, v value) value {
	t := r.textOf(v)
	t = t[lastSlash(t)+1:]
	i := bytes.LastIndexByte(t, '.')
	if i < 1 {
		return value{}
	}
	return text(t[i+1:])
}

func urldecodeCall(r *runner, _ *call, v value) value {
	s, err := url.PathUnescape(string(r.textOf(v)))
	if err != nil {
		return v
	}
	return text([]byte(s))
}

func jsonCall(r *runner, _ *call, v value) value {
	t := bytes.TrimSpace(r.textOf(v))
	start := len(r.mem)
	r.mem = append(append(append(r.mem, `{"v":`...), t...), '}')
	wrapped := r.mem[start:len(r.mem):len(r.mem)]
	r.inner.Reset(wrapped)
	if r.inner.Parse() != nil {
		return value{}
	}
	e := r.inner.Get(pathV)
	return value{b: e.Raw, kind: e.Kind, json: true}
}

var pathV = event.MustPath("v")

func macCall(r *runner, _ *call, v value) value {
	t := r.textOf(v)
	start := len(r.mem)
	n := 0
	for _, c := range t {
		switch {
		case c == ':' || c == '-' || c == '.':
			continue
		case c-'0' < 10 || c-'A' < 6:
		case c-'a' < 6:
			c -= 0x20
		default:
			return value{}
		}
		if n > 0 && n%2 == 0 {
			r.mem = append(r.mem, '-')
		}
		r.mem = append(r.mem, c)
		n++
	}
	if n != 12 && n != 16 {
		return value{}
	}
	return text(r.mem[start:len(r.mem):len(r.mem)])
}

func intCall(r *runner, _ *call, v value) value {
	b, ok := r.integer(r.textOf(v))
	if !ok {
		return value{}
	}
	return value{b: b, kind: event.Number, json: true}
}

// scale multiplies a number, also with a fraction, to a whole one.
func (r *runner) scale(v value, unit int64) value {
	t := r.textOf(v)
	whole, frac, _ := bytes.Cut(t, dot)
	var n int64
	for _, c := range whole {
		if c-'0' > 9 || n > (1<<62)/10/unit {
			return value{}
		}
		n = n*10 + int64(c-'0')
	}
	if len(t) == 0 || len(whole)+len(frac) == 0 {
		return value{}
	}
	n *= unit
	for _, c := range frac {
		if c-'0' > 9 {
			return value{}
		}
		unit /= 10
		n += int64(c-'0') * unit
	}
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, n, 10)
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Number, json: true}
}

func hmsCall(r *runner, _ *call, v value) value {
	var secs, part int64
	parts := 0
	for _, c := range r.textOf(v) {
		switch {
		case c == ':' && parts < 2:
			secs, part = (secs+part)*60, 0
			parts++
		case c-'0' < 10 && part < 1e6:
			part = part*10 + int64(c-'0')
		default:
			return value{}
		}
	}
	if parts != 2 {
		return value{}
	}
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, (secs+part)*1e9, 10)
	return numberValue(r.mem[start:len(r.mem):len(r.mem)])
}

var dot = []byte(".")

func timeCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	var ns int64
	var ok bool
	if len(c.arg) == 0 {
		ns, ok = r.clock.Time(t)
	} else {
		ns, ok = r.clock.Layout(t, string(c.arg))
	}
	if !ok {
		return value{}
	}
	return r.time(ns)
}

func (r *runner) onlyIf(v value, address bool) value {
	if _, ok := parseAddr(r.textOf(v)); ok == address {
		return v
	}
	return value{}
}

func mapCall(r *runner, c *call, v value) value {
	if to, ok := c.table.to[string(r.textOf(v))]; ok {
		return text(to)
	}
	if c.table.keep {
		return v
	}
	return text(c.table.els)
}
