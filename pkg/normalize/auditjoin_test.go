package normalize

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// collect is a stage that notes what it is given.
type collect struct{ lines []string }

func (c *collect) Process(b *event.Batch) error {
	for _, e := range b.Events {
		c.lines = append(c.lines, string(e.Append(nil)))
	}
	return nil
}

// joinLinesOf runs lines through a join in batches of the given sizes, and flushes it at the end.
func joinLinesOf(t *testing.T, lines []string, batch func() int) []string {
	t.Helper()
	c := &collect{}
	j := NewAuditJoin(c)
	for len(lines) > 0 {
		n := min(max(batch(), 1), len(lines))
		var b event.Batch
		for _, l := range lines[:n] {
			b.Push([]byte(l))
		}
		if err := j.Process(&b); err != nil {
			t.Fatal(err)
		}
		lines = lines[n:]
	}
	var b event.Batch
	if err := j.Flush(&b); err != nil {
		t.Fatal(err)
	}
	return c.lines
}

func wrapAudit(id int, file, text string) string {
	return fmt.Sprintf(`{"event":{"id":"id%d","original":%s},"log":{"file":{"path":%q}}}`, id, event.AppendString(nil, text), file)
}

func TestAuditJoin(t *testing.T) {
	rec := func(kind, serial string) string {
		return "type=" + kind + " msg=audit(1764000000.100:" + serial + "): a=b"
	}
	in := []string{
		wrapAudit(1, "a", rec("SYSCALL", "7")),
		wrapAudit(2, "a", rec("USER_LOGIN", "8")),
		wrapAudit(3, "b", rec("SYSCALL", "7")), // another machine's
		wrapAudit(4, "a", rec("CWD", "7")),
		wrapAudit(5, "a", "Nov 24 08:00:00 h sshd[1]: something else"),
		wrapAudit(6, "a", rec("EOE", "7")),
		wrapAudit(7, "a", rec("EOE", "9")), // of nothing
		wrapAudit(8, "a", "type=PATH msg=audit(1764000009.100:10): x=y"),
	}
	var got []string
	for _, l := range joinLinesOf(t, in, func() int { return 100 }) {
		got = append(got, fmt.Sprintf("%v %d", get(t, l, "event.id"), strings.Count(get(t, l, "event.original").(string), "\n")+1))
	}
	want := []string{"id2 1", "id5 1", "id1 3", "id7 1", "id3 1", "id8 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAuditJoinOfRawLines(t *testing.T) {
	got := joinLinesOf(t, []string{"type=SYSCALL msg=audit(1764000000.1:7): a=\"b\"", "type=CWD msg=audit(1764000000.1:7): cwd=\"/\"", "type=PATH msg=audit(1764000000.1:8): x=y"}, func() int { return 1 })
	want := []string{`{"event":{"original":"type=SYSCALL msg=audit(1764000000.1:7): a=\"b\"\ntype=CWD msg=audit(1764000000.1:7): cwd=\"/\""}}`, "type=PATH msg=audit(1764000000.1:8): x=y"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Whatever comes, in whatever batches, each record goes on once, what is no part of an event in its order, and where the
// batches end makes no difference.
func TestAuditJoinLosesAndDoublesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		var in, single []string
		for i := range 2000 {
			text := fmt.Sprintf("type=%s msg=audit(%d.%03d:%d): n=%d", []string{"SYSCALL", "PATH", "EOE", "USER_CMD", "CWD"}[rng.IntN(5)], 1764000000+i/200, rng.IntN(2), rng.IntN(1+i/3), i)
			if rng.IntN(20) == 0 {
				text = fmt.Sprintf("n=%d some other line, audit( too", i)
				single = append(single, text)
			}
			in = append(in, wrapAudit(i, []string{"a", "b"}[rng.IntN(2)], text))
		}
		one := joinLinesOf(t, in, func() int { return len(in) })
		if many := joinLinesOf(t, in, func() int { return rng.IntN(40) }); !slices.Equal(one, many) {
			t.Fatal("batches of other sizes give other events")
		}
		seen := map[string]int{}
		var others []string
		for _, l := range one {
			original := get(t, l, "event.original").(string)
			for _, r := range strings.Split(original, "\n") {
				seen[r[strings.LastIndex(r, "n=")+2:]]++
			}
			if strings.Contains(original, "some other line") {
				others = append(others, original)
			}
		}
		for r, n := range seen {
			if n != 1 && !strings.Contains(r, "some") {
				t.Fatalf("record %q came %d times", r, n)
			}
		}
		if !slices.Equal(single, others) {
			t.Fatal("other events lost their order")
		}
	}
}

func TestAuditJoinBounds(t *testing.T) {
	c := &collect{}
	j := NewAuditJoin(c)
	push := func(lines ...string) {
		var b event.Batch
		for _, l := range lines {
			b.Push([]byte(l))
		}
		if err := j.Process(&b); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 * joinGroups {
		push(fmt.Sprintf("type=SYSCALL msg=audit(1764000000.1:%d): a=b", i))
	}
	if len(j.groups) > joinGroups || len(j.groups) > joinLines {
		t.Errorf("%d events held", len(j.groups))
	}
	push(slices.Repeat([]string{"x"}, joinLines+1)...)
	if len(j.groups) != 0 || j.bytes != 0 {
		t.Errorf("%d events, %d bytes held behind as many other lines", len(j.groups), j.bytes)
	}
	c.lines = nil
	push(slices.Repeat([]string{"type=PATH msg=audit(1764000000.1:1): a=" + strings.Repeat("b", 10000)}, 100)...)
	var longest int
	for _, l := range c.lines {
		longest = max(longest, len(l))
	}
	if len(c.lines) == 0 || longest > joinText+joinText/8 {
		t.Errorf("%d events, the longest of %d bytes", len(c.lines), longest)
	}
}

func TestAuditJoinGivesAtMarksAndWhenIdle(t *testing.T) {
	for _, marked := range []bool{false, true} {
		c := &collect{}
		j := NewAuditJoin(c)
		if marked {
			if err := j.Hello(stage.Hello{}); err != nil {
				t.Fatal(err)
			}
		}
		var b, empty event.Batch
		b.Push([]byte("type=SYSCALL msg=audit(1764000000.1:7): a=b"))
		if err := j.Process(&b); err != nil {
			t.Fatal(err)
		}
		for _, f := range []func() error{
			func() error { return j.Tick(time.Time{}) }, func() error { return j.Release(&empty) },
			func() error { return j.Tick(time.Time{}) }, func() error { return j.Release(&empty) },
		} {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
		if held := len(j.groups) == 1; held != marked {
			t.Errorf("marked %v: held %v after an idle second", marked, held)
		}
		empty.Reset()
		if err := j.Flush(&empty); err != nil {
			t.Fatal(err)
		}
		if len(c.lines) != 1 || len(j.groups) != 0 {
			t.Errorf("marked %v: %q", marked, c.lines)
		}
	}
}

func TestAuditJoinMapped(t *testing.T) {
	j := NewAuditJoin(builtinStage(t, Config{}))
	var b event.Batch
	for i, text := range []string{
		`type=SYSCALL msg=audit(1764000000.1:7): arch=c000003e syscall=59 success=yes pid=42 comm="ls" exe="/bin/ls" auid=1000 uid=0`,
		`type=EXECVE msg=audit(1764000000.1:7): argc=2 a0="ls" a1="-l"`, `type=CWD msg=audit(1764000000.1:7): cwd="/root"`, `type=EOE msg=audit(1764000000.1:7): `,
	} {
		b.Push([]byte(wrapAudit(i, "/var/log/audit/audit.log", text)))
	}
	if err := j.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	if len(b.Events) != 1 {
		t.Fatalf("%d events", len(b.Events))
	}
	line := string(b.Events[0].Append(nil))
	for name, want := range map[string]any{"event.id": "id0", "event.action": "executed", "process.pid": 42.0, "process.working_directory": "/root", "process.args": []any{"ls", "-l"}, "log.file.path": "/var/log/audit/audit.log"} {
		if got := get(t, line, name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if !json.Valid([]byte(line)) {
		t.Error(line)
	}
}

// In one process ingest hands on records beside their envelopes, unquoted.
func TestAuditJoinOfRecordsInOneProcess(t *testing.T) {
	c := &collect{}
	j := NewAuditJoin(c)
	var b event.Batch
	for i, raw := range []string{"type=SYSCALL msg=audit(1764000000.1:7): exe=\"/bin/ls\"", "another line", "type=EOE msg=audit(1764000000.1:7): "} {
		envelope := append(b.Begin(256), fmt.Sprintf(`{"event":{"id":"id%d"},"log":{"file":{"path":"/a"}}}`, i)...)
		b.PushRecord(envelope, strings.IndexByte(string(envelope), '}'), []byte(raw))
	}
	if err := j.Process(&b); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"event":{"id":"id1","original":"another line"},"log":{"file":{"path":"/a"}}}`,
		`{"event":{"id":"id0","original":"type=SYSCALL msg=audit(1764000000.1:7): exe=\"/bin/ls\"\ntype=EOE msg=audit(1764000000.1:7): "},"log":{"file":{"path":"/a"}}}`,
	}
	if !slices.Equal(c.lines, want) {
		t.Errorf("got %q", c.lines)
	}
}
