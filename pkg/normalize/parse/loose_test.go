package parse

import (
	"testing"

	"leat/pkg/event"
)

func TestLooseCellsBelongToNoObject(t *testing.T) {
	var r Record
	r.Reset()
	a := r.AddText(0, []byte("a"), []byte("1"))
	n := r.Loose(Cell{Key: []byte("b"), Val: []byte(`"\u0078"`), Kind: event.String, JSON: true})
	r.AddText(0, []byte("c"), []byte("2"))
	if got := string(r.Text(n)); got != "x" {
		t.Errorf("text %q", got)
	}
	if r.Find(0, "b") != None || r.Find(0, "c") == None || r.Child(0) != a {
		t.Error("the object has other members than were added")
	}
	for r.Loose(Cell{}) != None {
	}
	if len(r.Cells) != maxCells {
		t.Errorf("%d cells", len(r.Cells))
	}
}
