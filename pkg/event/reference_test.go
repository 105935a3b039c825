package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/sjson"
)

// FuzzSet compares an edit with sjson's, which scans and copies the document for each: the values must be the same.
func FuzzSet(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1},"c":"x"}`), "a.b", []byte(`"new"`))
	f.Add([]byte(`{"user":{"name":"é"},"z":[1,2]}`), "user.office.city", []byte(`{"k":[true,null]}`))
	f.Fuzz(func(t *testing.T, line []byte, path string, raw []byte) {
		// sjson gives digits, wildcards and colons in a path a meaning of its own; ours are names.
		if path == "" || strings.Trim(path, "abcdefghijklmnopqrstuvwxyz.") != "" || !json.Valid(raw) || len(raw) == 0 {
			return
		}
		e := &Event{}
		e.Reset(line)
		if e.Parse() != nil || hasDuplicates(line) {
			return
		}
		p, err := ParsePath(path)
		if err != nil || e.Set(p, []byte(strings.TrimSpace(string(raw)))) != nil {
			return // a conflict: sjson would replace what is in the way
		}
		want, err := sjson.SetRawBytes(append([]byte(nil), line...), path, raw)
		if err != nil {
			return
		}
		var a, b any
		got := e.Append(nil)
		if decode(got, &a) != nil {
			t.Fatalf("%q set %s to %s: not JSON: %q", line, path, raw, got)
		}
		if decode(want, &b) == nil && !reflect.DeepEqual(a, b) {
			t.Fatalf("%q set %s to %s\n got %s\nsjson %s", line, path, raw, got, want)
		}
	})
}

// decode keeps numbers as they are written: a valid one may be too large for a float64.
func decode(b []byte, v *any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("text behind the value")
	}
	return nil
}

// hasDuplicates tells whether decoding and encoding loses members: then two readers may differ on which one counts.
func hasDuplicates(line []byte) bool {
	dec := json.NewDecoder(strings.NewReader(string(line)))
	dec.UseNumber()
	var stack []map[string]bool
	key := false
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				stack, key = append(stack, map[string]bool{}), true
				continue
			case '[':
				stack = append(stack, nil)
			default:
				stack = stack[:len(stack)-1]
			}
		case string:
			if key && len(stack) > 0 && stack[len(stack)-1] != nil {
				if stack[len(stack)-1][v] {
					return true
				}
				stack[len(stack)-1][v] = true
				key = false
				continue
			}
		}
		key = len(stack) > 0 && stack[len(stack)-1] != nil
	}
}
