package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"leat/pkg/event"
)

func alertLine(i int, level string) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-24T09:00:%02d.000Z","event":{"kind":"alert","id":"a%d"},"rule":{"id":"r%d","name":"Rule %d"},"leat":{"alert":{"level":%q}},"user":{"name":"u%d"},"host":{"name":"h%d"},"message":"message %d"}`,
		i%60, i, i%3, i%3, level, i%5, i%4, i)
}

func TestIntake(t *testing.T) {
	input := strings.Join([]string{
		`{"@leat":{"hello":{"lake":"x"}}}`,
		`{"event":{"kind":"event"},"n":1}`,
		alertLine(1, "high"), "", "not json", "\xff\xfe",
		`{"event":{"kind":"event","action":"respond-done"},"message":"done","leat":{"respond":{"alert":"a1"}}}`,
		`{"event":{"kind":"alert","id":"big"},"x":"` + strings.Repeat("y", maxKeep) + `"}`,
		alertLine(2, "low") + "\r",
		alertLine(3, "nonsense"), // no line feed
	}, "\n")
	var passed bytes.Buffer
	in := &intake{tee: &passed}
	if err := in.read(context.Background(), iotest.HalfReader(strings.NewReader(input))); err != nil {
		t.Fatal(err)
	}
	if passed.String() != input {
		t.Error("what is passed on differs from what came")
	}
	a := in.drain(time.Now())
	if len(a.rows) != 3 || a.rows[0].id != "a1" || a.rows[1].level != 1 || a.rows[2].level != levelUnknown {
		t.Fatalf("%d rows", len(a.rows))
	}
	if a.stats.lines != 8 || a.stats.alerts != 3 || a.stats.bad != 2 || a.stats.left != 1 {
		t.Errorf("%+v", a.stats)
	}
	if len(a.steps) != 1 || a.steps[0].stepOf != "a1" {
		t.Errorf("steps: %v", a.steps)
	}
	if again := in.drain(time.Now()); again.rows != nil || again.steps != nil || again.stats != a.stats {
		t.Error("drained twice")
	}
}

func TestIntakeAll(t *testing.T) {
	in := &intake{all: true}
	_ = in.read(context.Background(), strings.NewReader(`{"event":{"kind":"event","dataset":"x"},"message":"m"}`+"\n"))
	if a := in.drain(time.Now()); len(a.rows) != 1 || a.rows[0].rule != "x" || a.rows[0].isAlert {
		t.Errorf("%+v", a)
	}
}

// TestIntakeBehind: nobody draws; memory stays bounded, the stream is passed on whole, the newest wait.
func TestIntakeBehind(t *testing.T) {
	const n = maxWaiting + 5000
	var src bytes.Buffer
	for i := range n {
		src.WriteString(alertLine(i, "low") + "\n")
	}
	want := src.Len()
	var passed bytes.Buffer
	in := &intake{tee: &passed}
	if err := in.read(context.Background(), &src); err != nil {
		t.Fatal(err)
	}
	a := in.drain(time.Now())
	if len(a.rows) > maxWaiting || a.rows[len(a.rows)-1].id != fmt.Sprint("a", n-1) || passed.Len() != want {
		t.Errorf("%d wait, %d bytes of %d passed", len(a.rows), passed.Len(), want)
	}
	if a.stats.alerts != n || int(a.stats.left)+len(a.rows) != n {
		t.Errorf("%d waiting and %d left out of %d", len(a.rows), a.stats.left, n)
	}
}

type refuses struct{}

func (refuses) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestIntakeTeeFails(t *testing.T) {
	in := &intake{tee: refuses{}}
	if err := in.read(context.Background(), strings.NewReader(alertLine(1, "low"))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func FuzzIntake(f *testing.F) {
	f.Add([]byte(alertLine(1, "high") + "\n{\"event\":{\"kind\":\"alert\"},\"user\":{\"name\":[\"\\u001b\",{}]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var passed bytes.Buffer
		in := &intake{tee: &passed}
		if err := in.read(context.Background(), bytes.NewReader(data)); err != nil || !bytes.Equal(passed.Bytes(), data) {
			t.Fatalf("passed %q of %q: %v", passed.Bytes(), data, err)
		}
		m := testModel(100, 20)
		m.arrive(in.drain(m.now))
		m.detail.open = true
		checkScreen(t, m)
	})
}

func BenchmarkIntake(b *testing.B) {
	line := []byte(alertLine(1, "high"))
	in := &intake{}
	slots := make([]event.Value, rowFields.Len())
	var e event.Event
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		in.take(line, &e, slots)
	}
}
