package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/stage"
)

func TestWrapSameIDAsEvent(t *testing.T) {
	w := newWrapper("file:/var/log/auth.log#0123456789abcdef", 3, "")
	w.file("/var/log/auth.log")
	var b event.Batch
	raw := []byte(strings.Repeat("a record ", 100))
	w.push(&b, 4711, raw)
	var r record
	if err := json.Unmarshal(b.Events[0].Line(), &r); err != nil {
		t.Fatal(err)
	}
	if want := event.ID("file:/var/log/auth.log#0123456789abcdef", 3, 4711, 0, raw); r.Event.ID != want {
		t.Errorf("id %s, want %s", r.Event.ID, want)
	}
}

// No field of a source becomes a key of the event, and no record a control line.
func FuzzWrap(f *testing.F) {
	for _, s := range []string{
		"", "plain", `{"@leat":{"mark":1,"run":"x","since":0}}`, `"}},"@leat":{"mark":1}}`, "\x00\xff\xfe\n\r\t\\x00",
		`{"event":{"id":"forged"},"log":1}`, "\u2028 \xed\xa0\x80 \\ud800", strings.Repeat(`"\`, 100),
	} {
		f.Add([]byte(s), []byte("[::1]:514"), "/var/log/x.log", "linux.auth")
	}
	f.Fuzz(func(t *testing.T, raw, addr []byte, path, dataset string) {
		w := newWrapper("src", 1, dataset)
		w.file(path)
		var b event.Batch
		w.push(&b, 7, raw)
		n := newWrapper("src", 1, dataset)
		n.pushFrom(&b, 7, raw, addr)
		for _, e := range b.Events {
			line := e.Line()
			if bytes.IndexByte(line, '\n') >= 0 || stage.IsControl(line) {
				t.Fatalf("%q", line)
			}
			if err := e.Parse(); err != nil {
				t.Fatalf("%v: %q", err, line)
			}
			var keys map[string]json.RawMessage
			if err := json.Unmarshal(line, &keys); err != nil {
				t.Fatal(err)
			}
			for k := range keys {
				if k != "event" && k != "log" && k != "leat" {
					t.Fatalf("top-level key %q in %q", k, line)
				}
			}
			var r record
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			if r.text() != string(raw) {
				t.Fatalf("record %q came back as %q", raw, r.text())
			}
		}
	})
}

func TestWrapDoesNotAllocate(t *testing.T) {
	w := newWrapper("file:/var/log/auth.log#0123456789abcdef", 1, "linux.auth")
	w.file("/var/log/auth.log")
	raw := []byte(`{"user":"bob","message":"Failed password for \"bob\""}`)
	var b event.Batch
	round := func() {
		b.Reset()
		for i := range 100 {
			w.push(&b, int64(i)*100, raw)
		}
	}
	for range 10 {
		round()
	}
	if n := testing.AllocsPerRun(50, round); n != 0 {
		t.Errorf("%v allocations per 100 records", n)
	}
}

func BenchmarkWrap(b *testing.B) {
	for name, raw := range map[string][]byte{
		"syslog 121 B": []byte(`Nov 24 09:08:26 host sshd[1234]: Failed password for invalid user bob from 198.51.100.7 port 4711 ssh2: some more text`),
		"JSON 900 B":   []byte(`{` + strings.Repeat(`"field":"a value of text",`, 34) + `"x":1}`),
	} {
		b.Run(name, func(b *testing.B) {
			w := newWrapper("file:/var/log/auth.log#0123456789abcdef", 1, "")
			w.file("/var/log/auth.log")
			var batch event.Batch
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%1000 == 0 {
					batch.Reset()
				}
				w.push(&batch, int64(i), raw)
			}
		})
	}
}
