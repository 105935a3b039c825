package enrich

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendKey appends text in the form in which a dimension's keys are compared: without space around it and, with fold,
// in one case. Folding is by letter (Unicode simple mapping), so that it is the same for table and event.
func appendKey(dst, text []byte, fold bool) []byte {
	text = bytes.TrimSpace(text)
	if !fold {
		return append(dst, text...)
	}
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return appendFolded(dst, text[i:])
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendFolded(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, text[0])
		} else {
			// Through upper case, so that both of two lower-case forms of one letter (ς, σ) meet.
			dst = utf8.AppendRune(dst, unicode.ToLower(unicode.ToUpper(r)))
		}
		text = text[n:]
	}
	return dst
}

// template is a name, or text with names in braces: `{user.domain}\{user.name}`. Braces can't be part of a name.
type template struct {
	names []string
	texts []string // texts[i] stands before names[i]; one more at the end
}

// parseTemplate reads s; text without braces is one name.
func parseTemplate(s string) (template, error) {
	if !strings.ContainsAny(s, "{}") {
		if s == "" {
			return template{}, errors.New("expected a name, found an empty text")
		}
		return template{names: []string{s}, texts: []string{"", ""}}, nil
	}
	var t template
	for {
		text, rest, ok := strings.Cut(s, "{")
		if strings.Contains(text, "}") {
			return template{}, errors.New("expected { before }")
		}
		t.texts = append(t.texts, text)
		if !ok {
			break
		}
		name, tail, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.Contains(name, "{") {
			return template{}, errors.New("expected a name and } behind {")
		}
		t.names = append(t.names, name)
		s = tail
	}
	if len(t.names) == 0 {
		return template{}, errors.New("expected a name in braces")
	}
	return t, nil
}

// plain tells whether the template is just one name.
func (t template) plain() bool { return len(t.names) == 1 && t.texts[0] == "" && t.texts[1] == "" }
