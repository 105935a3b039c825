package tui

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"leat/pkg/event"
)

// filter is a compiled filter: terms that must all hold.
//
//	filter = { [ "-" | "!" ] term }
//	term   = word | "quoted words" | field op value { "|" value }
//	op     = "=" | "!=" | "~" (regular expression) | ">" | ">=" | "<" | "<="
//
// A word is looked for in the whole line, without regard to case. = takes * and ?, and networks in CIDR form. field is
// severity, rule, user, host, source, message, time, or any field of the event by its dotted name.
type filter struct {
	text  string
	terms []term
	probe event.Event
}

type term struct {
	not    bool
	field  string // "" = a word
	op     string
	path   event.Path
	values []value
}

type value struct {
	text  string // folded to lower case
	re    *regexp.Regexp
	net   netip.Prefix
	num   float64
	isNum bool
	level int
}

// filterError says what is wrong with a filter, and where (cell from 0).
type filterError struct {
	at  int
	msg string
}

func (e *filterError) Error() string { return fmt.Sprintf("at %d: %s", e.at+1, e.msg) }

// parseFilter compiles a filter; an empty one lets everything through.
func parseFilter(text string) (*filter, error) {
	f := &filter{text: strings.Trim(text, " ")}
	for i := 0; ; {
		for i < len(text) && text[i] == ' ' {
			i++
		}
		if i == len(text) {
			return f, nil
		}
		start := i
		t := term{}
		if text[i] == '-' || text[i] == '!' {
			t.not = true
			i++
		}
		end, err := f.term(text, i, &t)
		if err != nil {
			return nil, err
		}
		if end == start {
			return nil, &filterError{start, "nothing to look for"}
		}
		f.terms = append(f.terms, t)
		i = end
	}
}

// term reads one term from text[i:] and returns its end.
func (f *filter) term(text string, i int, t *term) (int, error) {
	start := i
	for i < len(text) && isFieldChar(text[i]) {
		i++
	}
	t.field = text[start:i]
	opAt := i
	for i < len(text) && strings.IndexByte("=!~<>", text[i]) >= 0 {
		i++
	}
	t.op = text[opAt:i]
	if t.field == "" || t.op == "" {
		t.field, t.op = "", ""
		word, end, err := readWord(text, start, false)
		if err != nil {
			return end, err
		}
		if word == "" {
			return end, &filterError{start, "nothing to look for"}
		}
		t.values = []value{{text: strings.ToLower(word)}}
		return end, nil
	}
	switch t.op {
	case "==":
		t.op = "="
	case "!=":
		t.op, t.not = "=", !t.not
	case "=", "~", ">", ">=", "<", "<=":
	default:
		return i, &filterError{opAt, fmt.Sprintf("%q is no comparison; expected =, !=, ~, >, >=, < or <=", t.op)}
	}
	for {
		at := i
		word, end, err := readWord(text, i, t.op != "~")
		if err != nil {
			return end, err
		}
		v, err := t.value(word, at)
		if err != nil {
			return end, err
		}
		t.values = append(t.values, v)
		if i = end; i == len(text) || text[i] != '|' || t.op == "~" {
			break
		}
		i++
	}
	return i, t.resolve(start)
}

func isFieldChar(c byte) bool {
	return c == '.' || c == '_' || c == '@' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// readWord reads up to a space (or |, where alternatives are allowed) or, from a quote, up to the next.
func readWord(text string, i int, bar bool) (string, int, error) {
	if i < len(text) && text[i] == '"' {
		var b strings.Builder
		for j := i + 1; j < len(text); j++ {
			switch {
			case text[j] == '\\' && j+1 < len(text) && (text[j+1] == '"' || text[j+1] == '\\'):
				j++
				b.WriteByte(text[j])
			case text[j] == '"':
				return b.String(), j + 1, nil
			default:
				b.WriteByte(text[j])
			}
		}
		return "", len(text), &filterError{i, "a quote without its end"}
	}
	j := i
	for j < len(text) && text[j] != ' ' && (!bar || text[j] != '|') {
		j++
	}
	return text[i:j], j, nil
}

func (t *term) value(word string, at int) (value, error) {
	v := value{text: strings.ToLower(word), level: levelUnknown}
	if t.op == "~" {
		re, err := regexp.Compile("(?i)" + word)
		if err != nil {
			return v, &filterError{at, strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
		}
		v.re = re
		return v, nil
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		v.num, v.isNum = n, true
	}
	if p, err := netip.ParsePrefix(word); err == nil {
		v.net = p.Masked()
	}
	v.level = levelOf(word)
	if isSeverity(t.field) && v.level == levelUnknown && t.op != "=" {
		return v, &filterError{at, fmt.Sprintf("%q is no level; expected %s", word, strings.Join(levels[:levelUnknown], ", "))}
	}
	return v, nil
}

func isSeverity(field string) bool { return field == "severity" || field == "sev" || field == "level" }

// resolve compiles the field's name where it is not one of the table's own.
func (t *term) resolve(at int) (err error) {
	switch t.field {
	case "severity", "sev", "level", "rule", "user", "host", "source", "src", "message", "msg", "time":
		return nil
	}
	if t.path, err = event.ParsePath(t.field); err != nil {
		return &filterError{at, err.Error()}
	}
	return nil
}

// quote writes a value so that a filter reads it back as that text.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '*' || unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
	if s != "" && !strings.ContainsAny(s, " |\"\\") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
