package normalize

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// TestHeadersBetweenClones has a header line amid a batch that four clones could share: the rows in front of it must be read by what was known before, those
// behind it by it, in whatever order the clones come to them.
func TestHeadersBetweenClones(t *testing.T) {
	s := stage.Parallel(builtinStage(t, Config{}), 4)
	var b event.Batch
	push := func(line string) { b.Push([]byte(fromFile("a", line))) }
	push("#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-win32-status")
	for i := range 100 {
		push(fmt.Sprintf("2026-11-24 08:00:01 192.0.2.7 GET /old%d 200 0", i))
	}
	push("#Fields: date time cs-uri-stem cs-method c-ip sc-status sc-win32-status")
	for i := range 100 {
		push(fmt.Sprintf("2026-11-24 08:00:02 /new%d GET 192.0.2.8 200 0", i))
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	if len(b.Events) != 200 {
		t.Fatalf("%d events of 200 rows", len(b.Events))
	}
	for i, e := range b.Events {
		ip, path := "192.0.2.7", fmt.Sprint("/old", i)
		if i >= 100 {
			ip, path = "192.0.2.8", fmt.Sprint("/new", i-100)
		}
		line := string(e.Line())
		if get(t, line, "source.ip") != ip || get(t, line, "url.path") != path {
			t.Fatalf("row %d: want %s %s, got %s", i, ip, path, line)
		}
	}
}

// TestInOrder asks for whole batches where a header line may be, however the record came, and for no others.
func TestInOrder(t *testing.T) {
	s := builtinStage(t, Config{})
	for line, want := range map[string]bool{
		"#Fields: a b": true, "# a comment": true, fromFile("f", "#fields\tts"): true, `{"event":{"original":"#x"}}`: true,
		"version account-id srcaddr dstaddr": true, fromFile("f", "version account-id srcaddr dstaddr\n"): true,
		"two words": false, "Some prose of five words": false, "1 2 3 4 5": false, "": false, "{": false, `{"a":1}`: false,
		fromFile("f", "Nov 24 08:00:00 a b: c"): false, `{"event":{"original":""}}`: false,
	} {
		var b event.Batch
		b.Push([]byte(strings.Repeat("x", 3)))
		b.Push([]byte(line))
		if got := s.InOrder(&b); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	var b event.Batch
	b.PushRecord([]byte(`{"event":{"id":"1"}}`), 18, []byte("#Fields: a b"))
	if !s.InOrder(&b) {
		t.Error("a record that ingest hands over in the same process is not seen")
	}
}

func BenchmarkInOrder(b *testing.B) {
	s := New(Config{})
	var batch event.Batch
	for range 1000 {
		batch.Push([]byte(fromFile("/var/log/auth.log", "Nov 24 08:00:00 web1 sshd[7]: Accepted password for ann from 192.0.2.7 port 5 ssh2")))
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.InOrder(&batch) {
			b.Fatal("taken for a header")
		}
	}
}
