package redact

import (
	"fmt"
	"testing"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// TestClonesAgree: parts of a batch that clones redact side by side come out as from one stage.
func TestClonesAgree(t *testing.T) {
	const rules = "key: {env: KEY}\nfields: {user.name: hash, source.ip: address}\npatterns: {email: hash}"
	turn := func(s stage.Stage) string {
		var b event.Batch
		for i := range 400 {
			b.Push([]byte(fmt.Sprintf(`{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":"person%d"},"source":{"ip":"192.0.2.%d"},"message":"person%d from 192.0.2.%d, p%d@example.org"}`, i%50, i%250, i%50, i%250, i)))
		}
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		return string(b.AppendLines(nil))
	}
	one := stageOf(t, rules)
	if a, b := turn(one), turn(stage.Parallel(stageOf(t, rules), 4)); a != b {
		t.Error("clones make other events than one stage does")
	}
}
