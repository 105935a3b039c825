package event

import "testing"

func pushed(b *Batch, raw string) *Event {
	env := append(b.Begin(64), `{"event":{"id":"1"},"log":{"offset":7}}`...)
	return b.PushRecord(env, len(`{"event":{"id":"1"`), []byte(raw))
}

const rawRecord = `{"a":"x\"y"}`

var wholeRecord = `{"event":{"id":"1","original":` + string(AppendString(nil, rawRecord)) + `},"log":{"offset":7}}`

// Whoever asks for the line, in whatever way, gets the record in its place; who asks for the record gets its bytes.
func TestRecord(t *testing.T) {
	var b Batch
	for name, ask := range map[string]func(e *Event) string{
		"line":   func(e *Event) string { return string(e.Line()) },
		"append": func(e *Event) string { return string(e.Append(nil)) },
		"parse":  func(e *Event) string { _ = e.Parse(); return string(e.Append(nil)) },
		"get": func(e *Event) string {
			if got := e.Get(MustPath("event.original")).String(); got != rawRecord {
				t.Errorf("event.original is %q", got)
			}
			return string(e.Append(nil))
		},
		"record, then line": func(e *Event) string {
			if raw, ok := e.Record(); !ok || string(raw) != rawRecord {
				t.Errorf("record %q, %v", raw, ok)
			}
			if e.Get(MustPath("log.offset")).String() != "7" || e.Get(MustPath("event.original")).Exists() {
				t.Error("the envelope does not read as one")
			}
			return string(e.Line())
		},
		"record, then whole": func(e *Event) string {
			e.Record()
			e.Whole()
			if got := e.Get(MustPath("event.original")).String(); got != rawRecord {
				t.Errorf("event.original is %q", got)
			}
			if _, ok := e.Record(); ok {
				t.Error("there is a record still")
			}
			return string(e.Append(nil))
		},
	} {
		b.Reset()
		pushed(&b, "another record before it, which must not be touched")
		e := pushed(&b, rawRecord)
		pushed(&b, "and one behind")
		if got := ask(e); got != wholeRecord {
			t.Errorf("%s: %s, want %s", name, got, wholeRecord)
		}
	}
}

func TestRecordEdits(t *testing.T) {
	var b Batch
	e := pushed(&b, rawRecord)
	if err := e.SetString(MustPath("event.kind"), "event"); err != nil {
		t.Fatal(err)
	}
	if got, want := string(e.Append(nil)), wholeRecord[:len(wholeRecord)-len(`},"log":{"offset":7}}`)]+`,"kind":"event"},"log":{"offset":7}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e = pushed(&b, rawRecord)
	e.Record()
	b.Fail(e, "test", "why", "because")
	if got := e.Get(MustPath("event.original")).String(); got != rawRecord || !e.Get(pathKind).Is(KindError) {
		t.Errorf("failed as %s", e.Append(nil))
	}
	e = pushed(&b, rawRecord)
	e.Replace([]byte(`{"b":1}`))
	if got := string(e.Append(nil)); got != `{"b":1}` {
		t.Errorf("replaced by %s", got)
	}
}
