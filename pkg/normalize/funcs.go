package normalize

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// call is one function of a source with its argument.
type call struct {
	fn     func(r *runner, c *call, v value) value
	arg    []byte
	num    int
	table  *lookup
	onNone bool // is called for a missing value too
}

// lookup is a table of a mapping: text to text.
type lookup struct {
	to   map[string][]byte
	els  []byte
	keep bool // what is not in it stays as it is
}

// function describes one pipe function: whether it wants an argument, and what it does.
type function struct {
	name string
	arg  string // "" none, "text", "number", "table"
	help string
	fn   func(r *runner, c *call, v value) value
}

// functions is the list of what may stand behind a '|'.
func functions() []function {
	return []function{
		{"lower", "", "small letters", func(r *runner, _ *call, v value) value { return r.mapText(v, appendLower) }},
		{"upper", "", "capital letters", func(r *runner, _ *call, v value) value { return r.mapText(v, appendUpper) }},
		{"trim", "text?", "without these characters (default: space) around it", trimCall},
		{"before", "text", "what stands before the first TEXT; the whole where TEXT is not in it", beforeCall},
		{"after", "text", "what stands behind the first TEXT; the whole where TEXT is not in it", afterCall},
		{"before_last", "text", "what stands before the last TEXT", beforeLastCall},
		{"after_last", "text", "what stands behind the last TEXT", afterLastCall},
		{"has", "text", "the value if TEXT is in it, else nothing", hasCall},
		{"starts", "text", "the value if it begins with TEXT, else nothing", startsCall},
		{"split", "text", "a list of the parts between TEXT", splitCall},
		{"nth", "number", "element N of a list, from 0; negative from its end", nthCall},
		{"first", "", "a list's first element", func(r *runner, _ *call, v value) value { return r.element(v, 0) }},
		{"last", "", "a list's last element", func(r *runner, _ *call, v value) value { return r.element(v, -1) }},
		{"prefix", "text", "TEXT in front of it", func(r *runner, c *call, v value) value { return r.around(c.arg, v, nil) }},
		{"suffix", "text", "TEXT behind it", func(r *runner, c *call, v value) value { return r.around(nil, v, c.arg) }},
		{"basename", "", "the last part of a path with / or \\", basenameCall},
		{"dirname", "", "a path without its last part", dirnameCall},
		{"extension", "", "what stands behind the last dot of a path's last part", extensionCall},
		{"unquote", "", "without the quotes around it", func(r *runner, _ *call, v value) value { return text(bytes.Trim(r.textOf(v), `"'`)) }},
		{"urldecode", "", "with %XX decoded", urldecodeCall},
		{"json", "", "the text read as JSON", jsonCall},
		{"mac", "", "a hardware address as ECS writes it: 00-1A-2B-3C-4D-5E", macCall},
		{"int", "", "a whole number (0x.. is read too), else nothing", intCall},
		{"s", "", "seconds as nanoseconds (event.duration)", func(r *runner, _ *call, v value) value { return r.scale(v, 1e9) }},
		{"ms", "", "milliseconds as nanoseconds", func(r *runner, _ *call, v value) value { return r.scale(v, 1e6) }},
		{"us", "", "microseconds as nanoseconds", func(r *runner, _ *call, v value) value { return r.scale(v, 1e3) }},
		{"time", "text?", "a time read by a strptime layout", timeCall},
		{"ip", "", "the value if it is an address, else nothing", func(r *runner, _ *call, v value) value { return r.onlyIf(v, true) }},
		{"host", "", "the value if it is no address, else nothing", func(r *runner, _ *call, v value) value { return r.onlyIf(v, false) }},
		{"default", "text", "TEXT where there is no value", func(r *runner, c *call, v value) value {
			if v.empty() {
				return text(c.arg)
			}
			return v
		}},
		{"map", "table", "what the table of that name has for it", mapCall},
	}
}

// Functions lists what may stand behind a '|' in a source, as "name argument: what it gives".
func Functions() []string {
	var out []string
	for _, f := range functions() {
		arg := ""
		if f.arg != "" {
			arg = " " + strings.ToUpper(f.arg)
		}
		out = append(out, f.name+arg+": "+f.help)
	}
	return out
}

func compileCall(s string, tables map[string]*lookup) (call, error) {
	name, arg, has := strings.Cut(s, " ")
	for _, f := range functions() {
		if f.name != name {
			continue
		}
		c := call{fn: f.fn, onNone: name == "default"}
		arg = strings.TrimSpace(arg)
		if n := len(arg); n >= 2 && (arg[0] == '"' || arg[0] == '\'') && arg[n-1] == arg[0] {
			arg = arg[1 : n-1]
		}
		c.arg = []byte(arg)
		optional := strings.HasSuffix(f.arg, "?")
		if f.arg == "" && has {
			return c, fmt.Errorf("function %q takes no argument", name)
		}
		if f.arg != "" && !has && !optional {
			return c, fmt.Errorf("function %q wants a %s", name, f.arg)
		}
		switch f.arg {
		case "number":
			var err error
			if c.num, err = strconv.Atoi(arg); err != nil {
				return c, fmt.Errorf("function %q wants a number, found %q", name, arg)
			}
		case "table":
			if c.table = tables[arg]; c.table == nil {
				return c, fmt.Errorf("no table %q; expected one of the key tables", arg)
			}
		}
		if name == "time" && arg != "" {
			if err := parse.CheckLayout(arg); err != nil {
				return c, err
			}
		}
		return c, nil
	}
	var names []string
	for _, f := range functions() {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return call{}, fmt.Errorf("unknown function %q; expected one of %s", name, strings.Join(names, ", "))
}

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

func splitCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if len(c.arg) == 0 || len(t) == 0 {
		return v
	}
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	for {
		i := bytes.Index(t, c.arg)
		p := t
		if i >= 0 {
			p = t[:i]
		}
		if p = bytes.TrimSpace(p); len(p) > 0 {
			if len(r.mem) > start+1 {
				r.mem = append(r.mem, ',')
			}
			r.mem = event.AppendString(r.mem, p)
		}
		if i < 0 {
			break
		}
		t = t[i+len(c.arg):]
	}
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
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
