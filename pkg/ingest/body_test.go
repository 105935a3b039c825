package ingest

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Whatever a body holds: no panic, and of a plain body every byte but line ends and blank lines comes back.
func FuzzBody(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n"), "text/plain")
	f.Add([]byte(`[1,{"a":"b"}]`), "application/json")
	f.Add([]byte(`{"event":1}{"event":2}`), "")
	f.Add([]byte("{\"index\":{}}\n{}\n"), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		var got []byte
		keep := func(rec []byte) error {
			if len(rec) == 0 {
				t.Fatal("an empty record")
			}
			got = append(append(got, rec...), '\n')
			return nil
		}
		if err := splitLines(body, "", keep); err != nil {
			t.Fatal(err)
		}
		var want []byte
		for line := range bytes.SplitSeq(body, []byte("\n")) {
			if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
				want = append(append(want, line...), '\n')
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%q of %q", got, body)
		}
		_ = splitLines(body, contentType, keep)
		_ = splitObjects(body, "", keep)
		_ = splitBulk(body, "", keep)
		for _, answer := range []func(int, int, string) (string, string){answerPlain, answerHEC, answerBulk} {
			if _, text := answer(400, 0, string(body)); !json.Valid([]byte(text)) {
				t.Fatalf("an answer that is no JSON: %s", text)
			}
		}
	})
}
