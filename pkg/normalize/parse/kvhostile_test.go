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

// TestKVLineEnd reads a quoted value in front of a line's end as well as any other.
func TestKVLineEnd(t *testing.T) {
	var r Record
	r.Reset()
	KV{}.Parse(&r, 0, []byte("a=\"b c\"\r\nd=\"e f\"\n"))
	if got := show(&r, 0); got != "a=b c; d=e f" {
		t.Error(got)
	}
}
