package stage

import (
	"fmt"
	"testing"

	"leat/pkg/event"
)

// whole counts the batches that its clones were given, and wants those that begin with "whole" in one piece.
type whole struct{ sizes *[]int }

func (w whole) Process(b *event.Batch) error {
	*w.sizes = append(*w.sizes, len(b.Events))
	return nil
}
func (w whole) Clone() Stage                { return whole{new([]int)} }
func (w whole) InOrder(b *event.Batch) bool { return string(b.Events[0].Line()) == "whole" }

// TestInOrder gives a batch whose order counts to one clone, and splits any other.
func TestInOrder(t *testing.T) {
	for first, want := range map[string]string{"whole": "[64]", "parts": "[16]"} {
		w := whole{new([]int)}
		p := Parallel(w, 4)
		var b event.Batch
		b.Push([]byte(first))
		for range 63 {
			b.Push([]byte("x"))
		}
		if err := p.Process(&b); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(*w.sizes); got != want {
			t.Errorf("%s: the first clone had %s, want %s", first, got, want)
		}
		if len(b.Events) != 64 {
			t.Errorf("%s: %d events", first, len(b.Events))
		}
	}
}
