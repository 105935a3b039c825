// Package rowtest makes events that are hard to keep, and says whether two JSON texts are the same value, by
// encoding/json as the judge. It is for tests only.
package rowtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Diff says how two JSON values differ, or "". They are the same if all but the order of an object's members is: numbers to the
// digit, members of one name in their order, strings by what they decode to (half of a surrogate pair by its escape).
func Diff(a, b []byte) string {
	x, err := canonical(a)
	if err != nil {
		return fmt.Sprintf("first: %v in %s", err, a)
	}
	y, err := canonical(b)
	if err != nil {
		return fmt.Sprintf("second: %v in %s", err, b)
	}
	if x == y {
		return ""
	}
	return fmt.Sprintf("not the same:\n%s\n%s", x, y)
}

func canonical(text []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(visible(text)))
	d.UseNumber()
	s, err := value(d)
	if err == nil && d.More() {
		err = fmt.Errorf("more than one value")
	}
	return s, err
}

var escape = regexp.MustCompile(`(?i)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u(d[89a-f][0-9a-f]{2})|\\.`)

// visible turns the escape of half a surrogate pair, which encoding/json would replace, into a text that shows it.
func visible(text []byte) []byte {
	return escape.ReplaceAllFunc(text, func(m []byte) []byte {
		if len(m) == len(`\ud800`) {
			return []byte(`<half ` + strings.ToLower(string(m[2:])) + `>`)
		}
		return m
	})
}

func value(d *json.Decoder) (string, error) {
	tok, err := d.Token()
	if err != nil {
		return "", err
	}
	switch tok {
	case json.Delim('{'):
		var members []string
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return "", err
			}
			v, err := value(d)
			if err != nil {
				return "", err
			}
			members = append(members, fmt.Sprintf("%q:%s", key, v))
		}
		// Stable, by key alone: the order of two members of one name says something.
		sort.SliceStable(members, func(i, j int) bool { return keyOf(members[i]) < keyOf(members[j]) })
		_, err := d.Token()
		return "{" + strings.Join(members, ",") + "}", err
	case json.Delim('['):
		var elems []string
		for d.More() {
			v, err := value(d)
			if err != nil {
				return "", err
			}
			elems = append(elems, v)
		}
		_, err := d.Token()
		return "[" + strings.Join(elems, ",") + "]", err
	}
	if n, ok := tok.(json.Number); ok {
		return n.String(), nil
	}
	return fmt.Sprintf("%T %q", tok, fmt.Sprint(tok)), nil
}

func keyOf(member string) string {
	// The key is quoted by %q: its end is the first quote that no backslash escapes.
	for i := 1; i < len(member); i++ {
		switch member[i] {
		case '\\':
			i++
		case '"':
			return member[:i]
		}
	}
	return member
}
