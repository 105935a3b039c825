package parse

import (
	"errors"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct{ pattern, line, want string }{
		{"a {x} b", "a 1 b", "x=1"},
		{"a {x} b", "a  b", ""},
		{"{x} from {y}", "u from v", "x=u; y=v"},
		// A name that imitates the rest of the line does not win: the whole line must fit.
		{"for {user} from {peer:word} port {port:int}[ ssh2]", "for u from 1.1.1.1 port 2 ssh2 from 6.6.6.6 port 3 ssh2", "user=u from 1.1.1.1 port 2 ssh2; peer=6.6.6.6; port=3"},
		{"for {user}[@{domain}] from {peer}", "for a@b from c", "user=a; domain=b; peer=c"},
		{"for {user}[@{domain}] from {peer}", "for a from c", "user=a; peer=c"},
		{"{_k:in|out} {x:word} end", "out w end", "x=w"},
		{"{n:int}:{r:any}", "12:", "n=12"},
		{"{n:int}x", "x", ""},
		{"from {ip:ip}: {m}", "from 10.0.0.1: hi", "ip=10.0.0.1; m=hi"},
		{"from {ip:ip}:{p:int}", "from 10.0.0.1:80", "ip=10.0.0.1; p=80"},
		{"from {ip:ip}", "from 2001:db8::1", "ip=2001:db8::1"},
		{"from {ip:ip}", "from nobody", ""},
		{`\[{t}\] {m}`, "[now] x", "t=now; m=x"},
		{"{x:/[a-c]+/}{y}", "abcd", "x=abc; y=d"},
		{`{t:/\d{2}:\d{2}/} {m}`, "08:15 go", "t=08:15; m=go"},
		{"a[ b[ c]] d", "a b c d", "ok"},
		{"a[ b[ c]] d", "a b d", "ok"},
		{"a[ b[ c]] d", "a c d", ""},
		{"{} tail", "anything at all tail", "ok"},
		{"x", "x \r\n", "ok"},
		{"{h:name}:{p:int} x", "a-b.c_1:80 x", "h=a-b.c_1; p=80"},
		{"{h:name} x", "a/b x", ""},
	} {
		p, err := CompilePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		var r Record
		r.Reset()
		var m Matcher
		ok := m.Match(p, &r, 0, []byte(c.line))
		want := c.want
		if want == "ok" {
			want = ""
		}
		if ok != (c.want != "") || ok && show(&r, 0) != want {
			t.Errorf("%s on %q: %v %s, want %s", c.pattern, c.line, ok, show(&r, 0), c.want)
		}
	}
}

func TestPatternFaults(t *testing.T) {
	for pattern, at := range map[string]int{
		"a [b": 2, "a ]": 2, "a {b": 2, "{b:nosuch}": 3, "{b c}": 1, "{x:/(/}": 1, strings.Repeat("[", 9) + "x" + strings.Repeat("]", 9): 8,
	} {
		_, err := CompilePattern(pattern)
		var pe *PatternError
		if !errors.As(err, &pe) || pe.Offset != at {
			t.Errorf("%s: %v, want a fault at %d", pattern, err, at)
		}
	}
}

// A line made to make the matcher go back and forth must end soon.
func TestPatternIsBounded(t *testing.T) {
	p, err := CompilePattern("{a} {b} {c} {d} {e} {f} {g} {h}!")
	if err != nil {
		t.Fatal(err)
	}
	var r Record
	r.Reset()
	var m Matcher
	if m.Match(p, &r, 0, []byte(strings.Repeat("x ", 5000))) {
		t.Error("it does not fit")
	}
	if m.steps > 2*maxSteps {
		t.Errorf("%d steps", m.steps)
	}
}

func TestPatternLiteral(t *testing.T) {
	p, _ := CompilePattern("ab {x}[ optional words] defg {y}")
	if got := p.Literal(); got != " defg " {
		t.Errorf("got %q", got)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p, _ := CompilePattern("Failed {method} for[ {_q:invalid user|illegal user}] {user:any} from {peer:ip} port {port:int}[ ssh2]")
	var r Record
	var m Matcher
	line := []byte("Failed password for invalid user bob from 2001:db8::7 port 4711 ssh2")
	n := testing.AllocsPerRun(100, func() {
		r.Reset()
		if !m.Match(p, &r, 0, line) {
			t.Fatal("no match")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for a line", n)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("a {x}[ b {y:int}] c", "a 1 b 2 c")
	f.Add("{t:/[0-9]+/} {_:a|b}", "12 a")
	f.Add(`\[{x}\]`, "[y]")
	f.Fuzz(func(t *testing.T, pattern, line string) {
		p, err := CompilePattern(pattern)
		if err != nil {
			var pe *PatternError
			if !errors.As(err, &pe) || pe.Offset < 0 || pe.Offset > len(pattern) {
				t.Fatalf("%v", err)
			}
			return
		}
		var r Record
		r.Reset()
		var m Matcher
		if m.Match(p, &r, 0, []byte(line)) && !strings.Contains(line, p.Literal()) {
			t.Fatalf("%q matches %q without %q", line, pattern, p.Literal())
		}
		for _, c := range r.Cells[1:] {
			if !strings.Contains(line, string(c.Val)) {
				t.Fatalf("%q is not in the line", c.Val)
			}
		}
	})
}
