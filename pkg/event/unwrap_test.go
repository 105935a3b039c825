package event

import (
	"slices"
	"testing"
)

// unwrapped checks that Unwrap is Parse and the decoded event.original, whatever the line is.
func unwrapped(t *testing.T, line []byte) (ok bool) {
	t.Helper()
	var plain, e Event
	plain.Reset(line)
	e.Reset(line)
	perr := plain.Parse()
	text, ok, err := e.Unwrap([]byte("x"))
	if (perr == nil) != (err == nil) || err != nil && perr.Error() != err.Error() {
		t.Fatalf("%q: Parse says %v, Unwrap %v", line, perr, err)
	}
	if err != nil {
		return false
	}
	if got, want := tree(&e, 0), tree(&plain, 0); !slices.Equal(got, want) {
		t.Fatalf("%q reads as %v, want %v", line, got, want)
	}
	want := plain.Get(pathOriginal)
	if ok != (want.Kind == String) || ok && string(text) != "x"+want.String() {
		t.Fatalf("%q: %q, %v; want %q", line, text, ok, want.String())
	}
	return ok
}

func TestUnwrap(t *testing.T) {
	for line, want := range map[string]bool{
		`{"event":{"id":"1","original":"a\"b\\\/c\n\u00e9\ud83d\ude42\ud83d é"},"log":{}}`: true,
		` { "event" : { "original" : "x" } } `:                                             true,
		`{"event":{"original":""}}`:                                                        true,
		`{"event":{"original":7}}`:                                                         false,
		`{"event":{"original":{"original":"x"}}}`:                                          false,
		`{"original":"x"}`:                                                                 false,
		`{"other":{"original":"x"}}`:                                                       false,
		`{"event":{},"event":{"original":"x"}}`:                                            false,
		`{"event":{"original":"x"},"event":{"original":"y"}}`:                              true,
		`{"event":{"original":"x","original":"y"}}`:                                        true,
		`{"event":{"original":null,"original":"y"}}`:                                       false,
		`{"other":{"event":{"original":"x"}}}`:                                             false,
		`{"event":{"original":"bad \x escape"}}`:                                           false,
		"{\"event\":{\"original\":\"bad \xff byte\"}}":                                     false,
		"{\"event\":{\"original\":\"a control \x01 character\"}}":                          false,
		`{"event":{"original":"no end`:                                                     false,
		`{"event":{"original":"no end\`:                                                    false,
		`{"event":{"original":"no end\u12`:                                                 false,
		`no JSON`:                                                                          false,
	} {
		if got := unwrapped(t, []byte(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
		// The same at every distance from the word's edge, and cut anywhere.
		for i := range 9 {
			if long := `{"event":{"id":"` + "123456789"[:i] + `",` + line[min(len(line), 10):]; len(line) > 10 && line[:9] == `{"event":` {
				unwrapped(t, []byte(long))
			}
		}
		for i := range line {
			unwrapped(t, []byte(line[:i]))
		}
	}
}

func TestUnwrapOfWhatWasRead(t *testing.T) {
	var b Batch
	e := pushed(&b, rawRecord)
	if text, ok, err := e.Unwrap(nil); err != nil || !ok || string(text) != rawRecord {
		t.Errorf("%q, %v, %v", text, ok, err)
	}
	e.Reset([]byte(`{"event":{"original":"x"}}`))
	_ = e.SetString(pathOriginal, "edited")
	if text, ok, err := e.Unwrap(nil); err != nil || !ok || string(text) != "edited" {
		t.Errorf("%q, %v, %v", text, ok, err)
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte(`{"event":{"id":"1","original":"a\"b\\\/c\n\u00e9\ud83d\ude42 é"},"log":{}}`))
	f.Add([]byte(`{"event":{"original":"x","original":"y"},"event":1}`))
	f.Fuzz(func(t *testing.T, line []byte) { unwrapped(t, line) })
}
