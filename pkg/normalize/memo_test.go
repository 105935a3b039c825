package normalize

import (
	"testing"

	"leat/pkg/event"
)

func TestWrittenTimeIsTheTime(t *testing.T) {
	var w writtenTime
	for _, ns := range []int64{
		1795507923e9, 1795507924e9, 1795507959e9, 1795507960e9, 1795507923e9, 1795507923e9 + 1, 1795507923e9 + 5e8, 1795507922e9, 0, 1e9, -1e9, 59e9, 60e9,
		-62135596800e9 / 10, 1<<63 - 1, 4102444800e9,
	} {
		want := `"` + string(event.AppendTime(nil, ns)) + `"`
		if got := string(w.append([]byte("x"), ns)); got != "x"+want {
			t.Errorf("%d: %s, want x%s", ns, got, want)
		}
	}
}

func TestTriedForgetsWithTheRecord(t *testing.T) {
	var r tried
	r.next(2)
	if r.again(1) || !r.again(1) || r.again(0) {
		t.Error("a sign is asked for once")
	}
	r.next(3)
	if r.again(1) || r.again(2) {
		t.Error("another record asks anew")
	}
	r.round = ^uint32(0)
	r.last[1] = 1
	if r.next(3); r.again(1) {
		t.Error("rounds that begin anew forget")
	}
}
