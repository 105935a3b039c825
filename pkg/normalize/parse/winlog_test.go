package parse

import (
	"testing"

	"leat/pkg/event"
)

func FuzzWinlog(f *testing.F) {
	f.Add([]byte(`{"Event":{"System":{"EventID":4624,"Channel":"Security"},"EventData":{"Data":[{"Name":"a","text":"b"}]}}}`))
	f.Add([]byte(`{"winlog":{"channel":"Security","event_id":"1","event_data":{"a":"b"}},"@timestamp":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"Channel":"Security","EventID":1,"Computer":"h","X":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var e event.Event
		e.Reset(in)
		if e.Parse() != nil {
			return
		}
		var r Record
		r.Reset()
		Winlog(&r, 0, &e)
		for i := range r.Cells {
			// A cell whose sibling lies before it would send a reader round in circles.
			if n := r.Cells[i].Next; n != None && n <= int32(i) {
				t.Fatalf("cell %d is followed by %d", i, n)
			}
		}
	})
}
