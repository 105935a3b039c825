package learn

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// expression is a field with functions that its text goes through.
type expression struct {
	field event.Path
	path  int // its number in the table's fields
	steps []step
}

// step takes a text and gives another, within the same bytes or in buf. ok is false where there is none.
type step func(text, buf []byte) (out []byte, ok bool)

// accounts tells persons' accounts from others.
type accounts struct{ service []string }

// parseExpression reads `field | function argument | ...`.
func parseExpression(s string, who *accounts) (*expression, error) {
	parts := strings.Split(s, "|")
	p, err := event.ParsePath(strings.TrimSpace(parts[0]))
	if err != nil {
		return nil, err
	}
	x := &expression{field: p}
	for _, part := range parts[1:] {
		name, arg, _ := strings.Cut(strings.TrimSpace(part), " ")
		f, err := parseStep(name, strings.Trim(strings.TrimSpace(arg), `'"`), who)
		if err != nil {
			return nil, err
		}
		x.steps = append(x.steps, f)
	}
	return x, nil
}

func parseStep(name, arg string, who *accounts) (step, error) {
	takes := name == "after" || name == "before" || name == "word"
	if takes == (arg == "") {
		return nil, fmt.Errorf("function %q with argument %q; expected person, machine, host, address, mac, seconds, after TEXT, before TEXT or word N", name, arg)
	}
	switch name {
	case "person":
		return func(t, _ []byte) ([]byte, bool) { return who.person(t) }, nil
	case "machine":
		return func(t, _ []byte) ([]byte, bool) { return machine(t) }, nil
	case "host":
		return func(t, _ []byte) ([]byte, bool) { return host(t) }, nil
	case "address":
		return func(t, _ []byte) ([]byte, bool) { return firstWord(t, isAddress) }, nil
	case "mac":
		return macOf, nil
	case "seconds":
		return func(t, _ []byte) ([]byte, bool) { return seconds(t) }, nil
	case "after":
		return func(t, _ []byte) ([]byte, bool) {
			_, after, ok := bytes.Cut(t, []byte(arg))
			return bytes.TrimSpace(after), ok
		}, nil
	case "before":
		return func(t, _ []byte) ([]byte, bool) {
			before, _, _ := bytes.Cut(t, []byte(arg))
			return bytes.TrimSpace(before), len(before) > 0
		}, nil
	case "word":
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("word %q; expected a number from 1", arg)
		}
		return func(t, _ []byte) ([]byte, bool) { return word(t, n) }, nil
	}
	return nil, fmt.Errorf("no function %q; expected person, machine, host, address, mac, seconds, after, before or word", name)
}

// eval takes v through the steps and returns the text.
func (x *expression) eval(v event.Value, buf []byte) (text, memory []byte, ok bool) {
	if v.Kind < event.False || v.Kind > event.String {
		return nil, buf, false
	}
	if v.Escaped() {
		buf = v.Text(buf)
		text = buf
	} else {
		text = v.Text(nil)
	}
	for _, f := range x.steps {
		if text, ok = f(text, buf); !ok {
			return nil, buf, false
		}
	}
	return text, buf, len(text) > 0
}

// word returns the n-th word, from 1.
func word(t []byte, n int) ([]byte, bool) {
	for w := range bytes.FieldsSeq(t) {
		if n--; n == 0 {
			return w, true
		}
	}
	return nil, false
}

// firstWord returns the first word that is, without the punctuation around it, what ok says.
func firstWord(t []byte, ok func([]byte) bool) ([]byte, bool) {
	for w := range bytes.FieldsSeq(t) {
		if w = bytes.Trim(w, ",.;()[]<>\"'"); ok(w) {
			return w, true
		}
	}
	return nil, false
}

func isAddress(w []byte) bool {
	if len(w) < 2 || len(w) > 64 || bytes.IndexByte(w, '.') < 0 && bytes.IndexByte(w, ':') < 0 {
		return false
	}
	_, err := parseAddr(w)
	return err == nil
}

// macOf finds a MAC address and writes it as ECS does: 00-00-5E-00-53-1C.
func macOf(t, _ []byte) ([]byte, bool) {
	for w := range bytes.FieldsSeq(t) {
		if m, ok := appendMAC(nil, bytes.Trim(w, ",.;()[]<>\"'")); ok {
			return m, true
		}
	}
	return nil, false
}

// seconds finds the number before the word seconds.
func seconds(t []byte) ([]byte, bool) {
	var last []byte
	for w := range bytes.FieldsSeq(t) {
		if bytes.HasPrefix(w, []byte("second")) {
			return last, len(last) > 0
		}
		last = w
	}
	return nil, false
}

// host refuses what senders write for no name, and takes the root's dot off.
func host(t []byte) ([]byte, bool) {
	t = bytes.TrimRight(bytes.TrimSpace(t), ".")
	switch string(t) {
	case "", "-", "*", "?", "localhost", "N/A", "unknown", "(none)":
		return nil, false
	}
	return t, !isAddress(t)
}
