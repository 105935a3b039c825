package event

import "testing"

func TestTakeAfter(t *testing.T) {
	var b, other Batch
	e := b.Push([]byte(`{"n":1}`))
	b.Push([]byte(`{"n":5}`))
	stand := other.Push([]byte(`{"in":1}`))
	b.After(e, []byte(`{"n":2}`))
	b.Events[0] = stand
	b.After(stand, []byte(`{"n":3}`))
	b.After(stand, []byte(`{"n":4}`))
	b.Events[0] = e
	e.TakeAfter(stand)
	b.Compact()
	want := "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n"
	if got := string(b.AppendLines(nil)); got != want {
		t.Errorf("got %s", got)
	}
	b.Events = append(b.Events[:0], stand)
	b.Compact()
	if len(b.Events) != 1 {
		t.Error("what was taken is still behind the other")
	}
}
