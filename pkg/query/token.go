package query

import (
	"maps"
	"slices"
	"strings"

	"leat/internal/duck"
)

// literal puts the parameters' values into the statement as SQL strings, for planning alone: what runs has them bound. found are the
// names that it met.
func literal(sql string, params map[string]string) (text string, found []string) {
	if len(params) == 0 {
		return sql, nil
	}
	met := map[string]bool{}
	var b strings.Builder
	for i := 0; i < len(sql); {
		n := token(sql[i:])
		t := sql[i : i+n]
		i += n
		if name, ok := strings.CutPrefix(t, "$"); ok && !strings.HasSuffix(t, "$") {
			met[name] = true
			t = duck.Text(params[name])
		}
		b.WriteString(t)
	}
	return b.String(), slices.Sorted(maps.Keys(met))
}

// body returns a statement without the semicolons, space and comments behind it. Of several statements it changes nothing but that.
func body(sql string) string {
	end := 0
	for i := 0; i < len(sql); {
		n := token(sql[i:])
		t := sql[i : i+n]
		i += n
		if !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") && strings.Trim(t, "; \t\r\n\f\v") != "" {
			end = i
		}
	}
	return sql[:end]
}

// token returns the length of the token of SQL that s begins with: a string, a quoted name, a comment, a parameter or name, or one byte.
func token(s string) int {
	until := func(end string, from int) int {
		if i := strings.Index(s[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(s)
	}
	switch {
	case s[0] == '\'' || s[0] == '"':
		return until(s[:1], 1) // a doubled quote begins the next such token
	case len(s) > 1 && (s[0]|0x20) == 'e' && s[1] == '\'':
		for i := 2; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '\'':
				return i + 1
			}
		}
		return len(s)
	case strings.HasPrefix(s, "--"):
		return until("\n", 2)
	case strings.HasPrefix(s, "/*"):
		return comment(s)
	case s[0] == '$' || isWord(s[0]):
		n := 1
		for n < len(s) && isWord(s[n]) {
			n++
		}
		if s[0] == '$' && n < len(s) && s[n] == '$' {
			return until(s[:n+1], n+1) // $tag$ … $tag$
		}
		return n
	}
	return 1
}

// comment returns the length of the comment, which may hold others, that s begins with.
func comment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c-'0' < 10 || (c|0x20) >= 'a' && (c|0x20) <= 'z'
}
