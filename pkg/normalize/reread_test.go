package normalize

import (
	"slices"
	"testing"

	"leat/pkg/event"
)

// What the next stage of the process reads of a normal event is what a stage behind a pipe reads of its line.
func TestReread(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	lines := ownRecords(t, m)
	for _, original := range []Original{KeepOriginal, DropOriginal} {
		taped := 0
		for _, line := range lines {
			for _, wrapped := range []bool{false, true} {
				s := New(Config{Mappings: m, Original: original})
				var b event.Batch
				b.Reread = true
				push(&b, line, wrapped)
				if err := s.Process(&b); err != nil {
					t.Fatal(err)
				}
				b.Compact()
				for _, e := range b.Events {
					var fresh event.Event
					fresh.Reset(e.Append(nil))
					if fresh.Parse() != nil {
						t.Fatalf("%s", e.Append(nil))
					}
					got, want := members(e, e.Root()), members(&fresh, fresh.Root())
					if !slices.Equal(got, want) {
						t.Fatalf("%s\nreads as %q", fresh.Line(), got)
					}
					taped += len(got)
				}
			}
		}
		if taped < 5000 {
			t.Fatalf("only %d members were read", taped)
		}
	}
}

// push adds a raw line, or one that an ingest of this process has wrapped.
func push(b *event.Batch, line string, wrapped bool) {
	if !wrapped || event.NeedsEscape([]byte(line)) {
		b.Push([]byte(line))
		return
	}
	env := append(b.Begin(128), `{"event":{"id":"0123456789abcdef0123456789abcdef"},"log":{"file":{"path":"/x"},"offset":3}}`...)
	b.PushRecord(env, len(`{"event":{"id":"0123456789abcdef0123456789abcdef"`), []byte(line))
}

func members(e *event.Event, n event.Node) (out []string) {
	for c := e.First(n); c != event.None; c = e.Next(c) {
		v := e.ValueAt(c)
		out = append(out, string(e.RawKey(c)), v.Kind.String(), string(v.Raw), v.String())
		if v.Kind == event.Object {
			out = append(append(out, members(e, c)...), "end")
		}
	}
	return out
}
