package normalize

import (
	"bytes"

	"leat/pkg/event"
)

// argsCall splits a command line into its arguments, the program first (ECS process.args).
func argsCall(r *runner, _ *call, v value) value {
	t := r.textOf(v)
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	for t = bytes.TrimLeft(t, " \t"); len(t) > 0; t = bytes.TrimLeft(t, " \t") {
		if len(r.mem) > start+1 {
			r.mem = append(r.mem, ',')
		}
		at := len(r.mem)
		var rest []byte
		r.mem, rest = appendArgument(r.mem, t)
		// What was unquoted may hold anything; it is quoted behind itself and moved down.
		end := len(r.mem)
		r.mem = event.AppendString(r.mem, r.mem[at:end])
		r.mem = append(r.mem[:at], r.mem[end:]...)
		t = rest
	}
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
}

// appendArgument appends the argument that s begins with, without its quotes, and returns what follows. It reads as
// CommandLineToArgvW does: double quotes hold spaces together, a backslash counts only in front of one. An argument that
// stands whole in single quotes is read as a POSIX shell would.
func appendArgument(dst, s []byte) (arg, rest []byte) {
	if s[0] == '\'' {
		if end := bytes.IndexByte(s[1:], '\''); end >= 0 && (end+2 == len(s) || isBlank(s[end+2])) {
			return append(dst, s[1:end+1]...), s[end+2:]
		}
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && isBlank(c):
			return dst, s[i:]
		case c == '\\':
			n := 1
			for i+n < len(s) && s[i+n] == '\\' {
				n++
			}
			if i+n == len(s) || s[i+n] != '"' {
				dst = append(dst, s[i:i+n]...)
				i += n - 1
				continue
			}
			dst = append(dst, s[i:i+n/2]...)
			if i += n - 1; n%2 == 1 {
				dst = append(dst, '"')
				i++
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst, nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// joinCall makes one text of a list's elements.
func joinCall(r *runner, c *call, v value) value {
	if v.kind != event.Array {
		return v
	}
	start, n := len(r.mem), 0
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		if n > 0 {
			r.mem = append(r.mem, c.arg...)
		}
		n++
		r.mem = append(r.mem, r.textOf(value{b: e.Raw, kind: e.Kind, json: true})...)
		return true
	})
	return text(r.mem[start:len(r.mem):len(r.mem)])
}
