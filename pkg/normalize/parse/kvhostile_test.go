package parse

import (
	"strings"
	"testing"
)

// TestKVUnclosedQuotes holds that quotes which never close don't make the work grow with the square of the line.
func TestKVUnclosedQuotes(t *testing.T) {
	in := []byte(strings.Repeat(`a="x `, 1<<20))
	var r Record
	r.Reset()
	if !(KV{}).Parse(&r, 0, in) {
		t.Error("no pair")
	}
}
