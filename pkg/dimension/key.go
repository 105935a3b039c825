package dimension

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AppendKey appends text in the form in which keys are compared: without space around it and, with fold, in one case.
// Folding is by letter (Unicode simple mapping), so that it is the same for table and event.
func AppendKey(dst, text []byte, fold bool) []byte {
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

// Template is a name, or text with names in braces: `{user.domain}\{user.name}`. Braces can't be part of a name.
type Template struct {
	// Names in their order; Texts[i] stands before Names[i], and one more at the end.
	Names, Texts []string
}

// ParseTemplate reads s; text without braces is one name.
func ParseTemplate(s string) (Template, error) {
	if !strings.ContainsAny(s, "{}") {
		if s == "" {
			return Template{}, errors.New("expected a name, found an empty text")
		}
		return Template{Names: []string{s}, Texts: []string{"", ""}}, nil
	}
	var t Template
	for {
		text, rest, ok := strings.Cut(s, "{")
		if strings.Contains(text, "}") {
			return Template{}, errors.New("expected { before }")
		}
		t.Texts = append(t.Texts, text)
		if !ok {
			break
		}
		name, tail, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.Contains(name, "{") {
			return Template{}, errors.New("expected a name and } behind {")
		}
		t.Names = append(t.Names, name)
		s = tail
	}
	if len(t.Names) == 0 {
		return Template{}, errors.New("expected a name in braces")
	}
	return t, nil
}

// Plain tells whether the template is just one name.
func (t Template) Plain() bool { return len(t.Names) == 1 && t.Texts[0] == "" && t.Texts[1] == "" }
