//go:build !race

package normalize

import (
	"testing"

	"leat/pkg/event"
)

// The race detector makes sync.Pool, and with it regexp, allocate at random: it counts something else.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	s := builtinStage(t, Config{})
	all := []string{"sshd", "cloudtrail", "rename", "unknown", "access", "fortigate", "cef"}
	runs, in := map[string][]string{"all in turn": all}, map[string][]byte{}
	for _, name := range all {
		runs[name], in[name] = []string{name}, []byte(samples[name])
	}
	for name, lines := range runs {
		var b event.Batch
		n := testing.AllocsPerRun(2000, func() {
			b.Reset()
			for _, l := range lines {
				b.Push(in[l])
			}
			if err := s.Process(&b); err != nil {
				t.Fatal(err)
			}
		})
		if n >= 1 {
			t.Errorf("%s: %v allocations per event", name, n)
		}
	}
}
