package main

import (
	"bytes"
	"testing"
	"time"

	"leat/pkg/event"
)

// TestWorkload: the events are what the table says of them: JSON, 919 bytes, six datasets, some days, the same from every run.
func TestWorkload(t *testing.T) {
	end := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, w := range []workload{{n: 10_000, datasets: 6, days: 3, end: end}, {n: 10_000, datasets: 6, days: 3, end: end, shuffled: true}, {n: 30_000, datasets: 1000, days: 5, end: end}} {
		var out, again bytes.Buffer
		if err := w.write(&out); err != nil {
			t.Fatal(err)
		}
		if err := w.write(&again); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("%+v: another run gives other events (%v)", w, err)
		}
		partitions, sorted, last := map[string]bool{}, true, ""
		size := out.Len()
		for line := range bytes.Lines(out.Bytes()) {
			var e event.Event
			e.Reset(bytes.TrimSuffix(line, []byte("\n")))
			if err := e.Parse(); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			at := e.Get(event.MustPath("@timestamp")).String()
			sorted = sorted && at >= last
			last = at
			partitions[e.Get(event.MustPath("event.dataset")).String()+at[:10]] = true
		}
		if want := w.datasets * w.days; len(partitions) > want || len(partitions) < want*9/10 {
			t.Errorf("%+v: %d partitions", w, len(partitions))
		}
		if mean := size / w.n; mean < 914 || mean > 924 || sorted == (w.shuffled || w.datasets > 6) {
			t.Errorf("%+v: %d bytes an event, sorted: %v", w, mean, sorted)
		}
	}
}
