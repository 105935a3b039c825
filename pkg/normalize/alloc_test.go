//go:build !race

package normalize

import (
	"testing"

	"leat/pkg/event"
)

// The race detector makes sync.Pool, and with it regexp, allocate at random: it counts something else.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	s := builtinStage(t, Config{})
	for _, name := range []string{"sshd", "cloudtrail", "rename", "unknown"} {
		in := []byte(samples[name])
		var b event.Batch
		n := testing.AllocsPerRun(2000, func() {
			b.Reset()
			b.Push(in)
			if err := s.Process(&b); err != nil {
				t.Fatal(err)
			}
		})
		if n >= 1 {
			t.Errorf("%s: %v allocations per event", name, n)
		}
	}
}
