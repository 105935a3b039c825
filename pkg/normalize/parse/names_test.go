package parse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// pairParsers are those that use Names, in different configurations.
var pairParsers = map[string]func(r *Record, s []byte) bool{
	"kv":        func(r *Record, s []byte) bool { return KV{}.Parse(r, 0, s) },
	"kv commas": func(r *Record, s []byte) bool { return KV{Pair: ',', Value: ':'}.Parse(r, 0, s) },
	"kv bars":   func(r *Record, s []byte) bool { return KV{Pair: '|'}.Parse(r, 0, s) },
	"cef":       func(r *Record, s []byte) bool { return CEF(r, 0, s) },
}

// told is the record in words, and a complaint where the number of a name is not its own.
func told(r *Record, n *Names) string {
	var b strings.Builder
	for i := r.Child(0); i != None; i = r.Cells[i].Next {
		c := &r.Cells[i]
		fmt.Fprintf(&b, "%q=%q\n", c.Key, c.Val)
		if c.Name > 0 && !bytes.Equal(n.Text(c.Name), c.Key) {
			fmt.Fprintf(&b, "number %d is %q\n", c.Name, n.Text(c.Name))
		}
	}
	return b.String()
}

// checkNames parses lines one after the other with and without what came before.
func checkNames(t *testing.T, lines []string) {
	t.Helper()
	for what, parse := range pairParsers {
		var known, plain Record
		var n Names
		for i, line := range lines {
			plain.Reset()
			wantOK := parse(&plain, []byte(line))
			known.Reset()
			n.Begin()
			known.Know(&n)
			gotOK := parse(&known, []byte(line))
			if want, got := told(&plain, &n), told(&known, &n); want != got || wantOK != gotOK {
				t.Fatalf("%s, line %d, %q:\n%s%v\nwant\n%s%v", what, i, line, got, gotOK, want, wantOK)
			}
		}
	}
}

var pairLines = []string{
	`date=2026-11-24 time=08:00:00 devname="FG1" msg="a \"b\" c" x=1`,
	`date=2026-11-24 time=08:00:01 devname="FG2" msg="plain" x=2`,
	`date=2026-11-24 devname=FG2 x=2 x=3 date=4`,
	`some words date=1 more words x= y=2`,
	`text=1 some words text=2`,
	`a=1|b=2|c d=3|e`, `a=1|b=2|c d=3|e`, `a:1,b:2,c d:"3,4"`, `a:1,b:2,c d:"3,4"`,
	`a b=1 =2 c=`, `a b=1 =2 c=`, `x=1 x_2=2 x=3`, `x=1 x_2=2 x=3`,
	`CEF:0|V|P|1|7|a name|5|src=192.0.2.1 spt=5 msg=some words act=drop`,
	`CEF:0|V|P|1|7|a name|5|src=192.0.2.2 spt=6 msg=a=b act=x act=drop`,
	`CEF:0|V|P|1|7|a name|5|src=192.0.2.2 spt= msg=a\ act=x act=drop`,
	`CEF:0|V|P|1|7|a name|5|src=192.0.2.2 spt=6 msg=a\\ act=x\=y act=drop`,
	`CEF:0|V\|W|P|1|7|a name|5|spt=6 src=192.0.2.2 act=xact=y  msg= name=7`,
	"CEF:0|V|P|1|7|a name|5|src=192.0.2.2\tspt=6 msg=\u00a0x\u00a0 act=drop",
}

// Each sequence of three of the lines, so that every one follows on every other.
func TestNamesDoNotShow(t *testing.T) {
	for _, a := range pairLines {
		for _, b := range pairLines {
			checkNames(t, []string{a, b, a, b, b})
		}
	}
	checkNames(t, pairLines)
}

func FuzzNames(f *testing.F) {
	f.Add(strings.Join(pairLines, "\n"))
	f.Add("a=1 b=2\na=1 b=2 a=3\nb=1\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		checkNames(t, append(lines, lines...))
	})
}

// What fills the table is forgotten after a while, and names are known again.
func TestNamesAreForgotten(t *testing.T) {
	var r Record
	var n Names
	parse := func(line string) {
		r.Reset()
		n.Begin()
		r.Know(&n)
		KV{}.Parse(&r, 0, []byte(line))
	}
	forgot := false
	for i := 0; i < 2*maxLost && !forgot; i++ {
		parse(fmt.Sprintf("k%d=1", i))
		if n.Len() > maxNames {
			t.Fatalf("%d names are known", n.Len())
		}
		forgot = n.Begin()
	}
	if !forgot {
		t.Fatal("names that fill the table are never forgotten")
	}
	parse("a=1 b=2")
	if c := &r.Cells[2]; c.Name == 0 || string(n.Text(c.Name)) != "b" {
		t.Fatalf("b has the number %d", c.Name)
	}
	if parse(strings.Repeat("x", maxName+1) + "=1"); r.Cells[1].Name != 0 {
		t.Fatal("a name of any length is kept")
	}
}
