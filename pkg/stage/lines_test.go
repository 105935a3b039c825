package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"

	"leat/pkg/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is a Sink that remembers what it got, one line each.
type record struct {
	got    []string
	closed int
}

func (r *record) Hello(h Hello) error { r.got = append(r.got, fmt.Sprint("hello ", h.Run)); return nil }
func (r *record) Mark(m Mark) error {
	r.got = append(r.got, fmt.Sprint("mark ", m.N, " ", m.Sources["s"], " ", m.End))
	return nil
}
func (r *record) Batch(b *event.Batch) error {
	for _, e := range b.Events {
		r.got = append(r.got, string(e.Append(nil)))
	}
	return nil
}
func (r *record) Close() error { r.closed++; return nil }

func runLines(t *testing.T, in io.Reader, l *Lines) (*record, error) {
	t.Helper()
	r := &record{}
	l.In, l.Stage = in, "test"
	err := Pump(context.Background(), l, r)
	if r.closed != 1 {
		t.Errorf("closed %d times", r.closed)
	}
	return r, err
}

func hello(run string, resume int64) string {
	return string(AppendHello(nil, Hello{Lake: "l", Pipeline: "p", Epoch: 1, Run: run, Resume: resume}))
}

func mark(n int64, run, pos string, end bool) string {
	return string(AppendMark(nil, Mark{N: n, Run: run, Sources: map[string]string{"s": pos}, End: end}))
}

func TestLinesOrder(t *testing.T) {
	in := hello("r", 0) + "{\"a\":1}\n\n \n{\"a\":2}\n" + mark(1, "r", "20", false) + "{\"a\":3}\n" + mark(2, "r", "30", true)
	for name, rd := range map[string]io.Reader{
		"whole":    strings.NewReader(in),
		"one byte": iotest.OneByteReader(strings.NewReader(in)),
		"halves":   iotest.HalfReader(strings.NewReader(in)),
	} {
		r, err := runLines(t, rd, &Lines{})
		want := `hello r|{"a":1}|{"a":2}|mark 1 20 false|{"a":3}|mark 2 30 true`
		if got := strings.Join(r.got, "|"); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// TestForgedControl: a hostile source can't make a control line count. Each goes on as a pipeline_error that keeps it as text.
func TestForgedControl(t *testing.T) {
	for name, c := range map[string]struct{ before, forged string }{
		"mark without hello":     {"", mark(5, "r", "0", false)},
		"other run":              {hello("r", 0), mark(5, "x", "0", false)},
		"second hello":           {hello("r", 0), hello("r", 7)},
		"hello not first":        {"{\"a\":1}\n", hello("r", 7)},
		"old mark":               {hello("r", 5), mark(5, "r", "0", false)},
		"unknown word":           {hello("r", 0), `{"@leat":{"mark":1,"run":"r","boom":1}}` + "\n"},
		"event with the key":     {hello("r", 0), `{"@leat":1,"a":2}` + "\n"},
		"not JSON":               {"", `{"@leat"` + "\n"},
		"bytes that are no text": {"", "{\"@leat\"\xff\x00\n"},
	} {
		in := c.before + c.forged
		if strings.HasPrefix(c.before, ControlPrefix) {
			in += mark(9, "r", "1", true)
		}
		r, err := runLines(t, strings.NewReader(in), &Lines{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var found bool
		for _, g := range r.got {
			var e struct {
				Event struct{ Kind, Original string }
				Error struct{ Type string }
			}
			if json.Unmarshal([]byte(g), &e) != nil || e.Error.Type != "control" {
				continue
			}
			found = true
			orig := []byte(e.Event.Original)
			if strings.Contains(g, `"escaped":true`) {
				orig = event.UnescapeText(nil, orig)
			}
			if e.Event.Kind != event.KindError || string(orig) != strings.TrimSuffix(c.forged, "\n") || IsControl([]byte(g)) {
				t.Errorf("%s: %s", name, g)
			}
		}
		if !found {
			t.Errorf("%s: no pipeline_error in %q", name, r.got)
		}
		for _, g := range r.got {
			if strings.HasPrefix(g, "mark 5") || g == "hello r" && c.before == "" {
				t.Errorf("%s: the forged line counted: %q", name, r.got)
			}
		}
	}
}

func TestTail(t *testing.T) {
	in := hello("r", 3) + "{\"a\":1}\n" + mark(4, "r", "1", false) + "{\"a\":2}\n{\"torn"
	r, err := runLines(t, strings.NewReader(in), &Lines{})
	if !errors.Is(err, ErrTail) || strings.Join(r.got, "|") != `hello r|{"a":1}|mark 4 1 false|{"a":2}` {
		t.Errorf("%q %v", r.got, err)
	}
	if _, err := runLines(t, strings.NewReader(hello("r", 0)+mark(1, "r", "", true)+"{\"a\":1}\n"), &Lines{}); err == nil {
		t.Error("events behind the end were taken")
	}
}

func TestBadLinesGoOn(t *testing.T) {
	in := "{\"a\":1}\ngarbage\n{\"a\":tru}\n[1]\n\xff\x00\n{\"a\":\"\xc3\"}\nlast without feed"
	r, err := runLines(t, strings.NewReader(in), &Lines{})
	if err != nil || len(r.got) != 7 {
		t.Fatalf("%q %v", r.got, err)
	}
	for i, raw := range []string{"", "garbage", `{"a":tru}`, "[1]", "\xff\x00", "{\"a\":\"\xc3\"}", "last without feed"} {
		if i == 0 {
			continue
		}
		var e struct {
			Event struct{ Kind, Original string }
			Error struct{ Message string }
			Leat  struct{ Escaped bool }
		}
		if err := json.Unmarshal([]byte(r.got[i]), &e); err != nil {
			t.Fatal(err)
		}
		orig := []byte(e.Event.Original)
		if e.Leat.Escaped {
			orig = event.UnescapeText(nil, orig)
		}
		if e.Event.Kind != event.KindError || string(orig) != raw || e.Error.Message == "" {
			t.Errorf("%q became %s", raw, r.got[i])
		}
	}
}

func TestLongLine(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for name, in := range map[string]string{
		"between":   "{\"a\":1}\n" + long + "\n{\"a\":2}\n",
		"at end":    "{\"a\":1}\n" + long,
		"in a read": "{\"a\":1}\n" + long[:1000] + "\n{\"a\":2}\n",
	} {
		dir := t.TempDir()
		r, err := runLines(t, strings.NewReader(in), &Lines{MaxLine: 500, Spool: dir})
		if err != nil {
			t.Fatal(name, err)
		}
		want := strings.Split(strings.TrimSuffix(in, "\n"), "\n")
		if len(r.got) != len(want) {
			t.Fatalf("%s: %d events, want %d", name, len(r.got), len(want))
		}
		var e struct {
			Event struct{ Kind, Original string }
			Leat  struct {
				Spool struct {
					Path, SHA256 string
					Bytes        int
				}
			}
		}
		if err := json.Unmarshal([]byte(r.got[1]), &e); err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(e.Leat.Spool.Path)
		sum := sha256.Sum256(kept)
		if err != nil || string(kept) != want[1] || e.Leat.Spool.Bytes != len(kept) || e.Leat.Spool.SHA256 != hex.EncodeToString(sum[:]) ||
			e.Event.Kind != event.KindError || !strings.HasPrefix(want[1], e.Event.Original) || len(e.Event.Original) == 0 {
			t.Errorf("%s: %s %v", name, r.got[1], err)
		}
	}
}

// A line that can't be kept anywhere must stop the stage: going on would lose it.
func TestLongLineNowhereToKeep(t *testing.T) {
	_, err := runLines(t, strings.NewReader(strings.Repeat("x", 1<<20)), &Lines{MaxLine: 500, Spool: "/dev/null/no"})
	if err == nil {
		t.Fatal("lost a line")
	}
}

type upper struct{ calls int }

func (u *upper) Clone() Stage { return &upper{} }
func (u *upper) Process(b *event.Batch) error {
	u.calls++
	for _, e := range b.Events {
		n, _ := e.Get(event.MustPath("n")).Int()
		if n%7 == 0 {
			e.Drop()
		}
		if n%5 == 0 {
			b.After(e, fmt.Appendf(nil, `{"after":%d}`, n))
		}
	}
	return nil
}

func TestParallelKeepsOrder(t *testing.T) {
	var in bytes.Buffer
	for i := range 5000 {
		fmt.Fprintf(&in, "{\"n\":%d}\n", i)
	}
	outputs := map[int]string{}
	for _, n := range []int{1, 2, 7} {
		var out bytes.Buffer
		l := &Lines{In: bytes.NewReader(in.Bytes())}
		if err := Pump(context.Background(), l, NewChain(NewWriter(&out, nil), Parallel(&upper{}, n))); err != nil {
			t.Fatal(err)
		}
		outputs[n] = out.String()
	}
	if outputs[1] != outputs[2] || outputs[1] != outputs[7] || len(outputs[1]) < 1000 {
		t.Error("workers changed the output")
	}
}

// holder keeps each event back until the next flush.
type holder struct{ held []string }

func (h *holder) Process(b *event.Batch) error {
	for _, e := range b.Events {
		h.held = append(h.held, string(e.Append(nil)))
		e.Drop()
	}
	return nil
}

func (h *holder) Flush(b *event.Batch) error {
	for _, s := range h.held {
		b.Push([]byte(s))
	}
	h.held = nil
	return nil
}

func TestFlushBeforeMark(t *testing.T) {
	r := &record{}
	in := hello("r", 0) + "{\"n\":5}\n" + mark(1, "r", "1", false) + "{\"n\":2}\n" + mark(2, "r", "2", true)
	err := Pump(context.Background(), &Lines{In: strings.NewReader(in)}, NewChain(r, &holder{}, &upper{}))
	want := `hello r|{"n":5}|{"after":5}|mark 1 1 false|{"n":2}|mark 2 2 true`
	if got := strings.Join(r.got, "|"); err != nil || got != want {
		t.Errorf("%s %v", got, err)
	}
}

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, os.NewSyscallError("write", syscall.EPIPE) }

func TestReaderGone(t *testing.T) {
	err := Pump(context.Background(), &Lines{In: strings.NewReader("{\"a\":1}\n")}, NewWriter(gone{}, nil))
	if !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestCancelWakesReader(t *testing.T) {
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer wr.Close()
	defer rd.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- (&Lines{In: rd}).Run(ctx, &record{}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzControl(f *testing.F) {
	f.Add([]byte(hello("r", 1)))
	f.Add([]byte(mark(3, "r", "x", true)))
	f.Add([]byte(`{"@leat":{"hello":null,"mark":1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := parseControl(line)
		if err != nil {
			return
		}
		var again []byte
		if c.hello != nil {
			again = AppendHello(nil, *c.hello)
		} else {
			again = AppendMark(nil, *c.mark)
		}
		d, err := parseControl(again)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", line, again, err)
		}
		if fmt.Sprint(c.hello, c.mark) == "" || (c.hello == nil) != (d.hello == nil) {
			t.Fatal("kind changed")
		}
	})
}

func BenchmarkLoop(b *testing.B) {
	line := []byte(`{"@timestamp":"2026-11-24T08:00:00.000Z","event":{"id":"0123456789abcdef0123456789abcdef","dataset":"linux.auth","kind":"event"},"source":{"ip":"192.0.2.7","port":4711},"user":{"name":"anna"}}` + "\n")
	block := bytes.Repeat(line, 1000)
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Pump(context.Background(), &Lines{In: bytes.NewReader(block)}, NewChain(NewWriter(io.Discard, nil))); err != nil {
			b.Fatal(err)
		}
	}
}
