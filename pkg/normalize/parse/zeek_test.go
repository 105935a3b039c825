package parse

import (
	"encoding/json"
	"strings"
	"testing"

	"leat/pkg/event"
)

func zeekOf(columns string) *ZeekTSV {
	z := &ZeekTSV{}
	for c := range strings.FieldsSeq(columns) {
		name, kind, _ := strings.Cut(c, ":")
		z.Names = append(z.Names, []byte(name))
		z.Types = append(z.Types, ParseZeekType([]byte(kind)))
	}
	return z
}

// typed shows the cells with their JSON.
func typed(r *Record) string {
	var out []string
	for i := r.Child(0); i >= 0; i = r.Cells[i].Next {
		c := &r.Cells[i]
		v := string(c.Val)
		if !c.JSON {
			v = string(event.AppendString(nil, c.Val))
		}
		out = append(out, string(c.Key)+"="+v)
	}
	return strings.Join(out, " ")
}

func TestZeekRows(t *testing.T) {
	const cols = "ts:time uid:string n:count ok:bool names:set[string] nums:vector[interval] flags:set[bool]"
	for _, c := range []struct{ in, want string }{
		{"1.5\tC1\t3\tT\ta,b\t0.5,7\tT,F", `ts=1.5 uid="C1" n=3 ok=true names=["a","b"] nums=[0.5,7] flags=[true,false]`},
		{"-\tC1\t-\tF\t(empty)\t-\t(empty)", `uid="C1" ok=false names=[] flags=[]`},
		{"1.5\ta\\x09b\\xffc\t007\tmaybe\ta\\x2cb\tx\tT", `ts=1.5 uid="a\tb\\xffc" n="007" ok="maybe" names=["a,b"] nums=["x"] flags=[true]`},
		{"1.5\t(empty)", `ts=1.5 uid=""`},
		{"1.5\tC1\t3\tT\ta\t1\tT\tmore", ``},
		{"only", ``},
	} {
		var r Record
		r.Reset()
		ok := zeekOf(cols).Parse(&r, 0, []byte(c.in))
		if got := typed(&r); ok != (c.want != "") || got != c.want {
			t.Errorf("%q: got %v %s, want %s", c.in, ok, got, c.want)
		}
	}
	z := zeekOf("a:string b:set[string]")
	z.Separator, z.ListSeparator, z.Unset, z.Empty = '|', ';', []byte("none"), []byte("nil")
	var r Record
	r.Reset()
	if ok := z.Parse(&r, 0, []byte("none|x;y")); !ok || typed(&r) != `b=["x","y"]` {
		t.Errorf("other separators: %v %s", ok, typed(&r))
	}
}

// TestColumnsTwice has header lines that name a column twice: neither value hides the other.
func TestColumnsTwice(t *testing.T) {
	var r Record
	r.Reset()
	zeekOf("a:count a:count").Parse(&r, 0, []byte("1\t2"))
	if got := typed(&r); got != "a=1 a_2=2" {
		t.Errorf("Zeek: %s", got)
	}
	r.Reset()
	(&W3C{Names: [][]byte{[]byte("a"), []byte("a")}}).Parse(&r, 0, []byte("1 2"))
	if got := namesOf(&r); got != "a=1 a_2=2" {
		t.Errorf("W3C: %s", got)
	}
}

func FuzzZeekRow(f *testing.F) {
	f.Add("1.5\tC1\t3\tT\ta,b\t0.5,7\tT,F")
	f.Add("-1e5\t\\x5c\\x7\t01\tT\t,,\t-\t(empty)")
	f.Fuzz(func(t *testing.T, in string) {
		var r Record
		r.Reset()
		zeekOf("ts:time uid:string n:count ok:bool names:set[string] nums:vector[interval] flags:set[bool]").Parse(&r, 0, []byte(in))
		for i := r.Child(0); i >= 0; i = r.Cells[i].Next {
			if c := &r.Cells[i]; c.JSON && !json.Valid(c.Val) {
				t.Fatalf("%q: %s is %q", in, c.Key, c.Val)
			}
		}
	})
}

func TestW3CRows(t *testing.T) {
	for _, c := range []struct {
		in, want string
		commas   bool
	}{
		{`a - "b c" d`, `x=a z=b c u=d`, false},
		{"a\tb c\t-\td", `x=a y=b c u=d`, false},
		{`a,"b,c",,d`, `x=a y=b,c u=d`, true},
		{`a "b c d`, `x=a y="b z=c u=d`, false},
		{"a b c d \r", `x=a y=b z=c u=d`, false},
		{`a b c d e`, ``, false},
		{`a`, ``, false},
	} {
		w := W3C{Names: [][]byte{[]byte("x"), []byte("y"), []byte("z"), []byte("u")}, Commas: c.commas}
		var r Record
		r.Reset()
		ok := w.Parse(&r, 0, []byte(c.in))
		if got := namesOf(&r); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q: got %v %q, want %q", c.in, ok, got, c.want)
		}
		if ok && w.Columns([]byte(c.in)) != 4 {
			t.Errorf("%q has %d columns", c.in, w.Columns([]byte(c.in)))
		}
	}
}

func FuzzW3CRow(f *testing.F) {
	f.Add(`a "b c" d -`, false)
	f.Add(`a,"b,c",,d`, true)
	f.Fuzz(func(t *testing.T, in string, commas bool) {
		w := W3C{Names: [][]byte{[]byte("x"), []byte("y"), []byte("z"), []byte("u")}, Commas: commas}
		var r Record
		r.Reset()
		if ok := w.Parse(&r, 0, []byte(in)); ok && w.Columns([]byte(in)) > 4 {
			t.Errorf("%q was taken with %d columns", in, w.Columns([]byte(in)))
		}
	})
}

// TestZeekGuessed refuses a row whose values can't be of the columns that were guessed; what a header line told is not doubted.
func TestZeekGuessed(t *testing.T) {
	for row, want := range map[string]bool{
		"1.5\tC1\tT\t7":                true,
		"1.5\tC1\t-\t-":                true,
		"1.5\tC1\tF":                   true, // of a version with fewer columns
		"1.5\tC1\t7\tT":                false,
		"C1\t1.5\tT\t7":                false,
		"1.5\tC1\tT\t(empty)":          false, // only lists are empty
		"1795507200.500000\t\tT\t1e-3": true,
	} {
		z := zeekOf("ts:time uid:string ok:bool n:count")
		z.Guessed = true
		var r Record
		r.Reset()
		if got := z.Parse(&r, 0, []byte(row)); got != want {
			t.Errorf("%q: %v", row, got)
		}
		z.Guessed = false
		r.Reset()
		if !z.Parse(&r, 0, []byte(row)) {
			t.Errorf("%q: a header line's word was doubted", row)
		}
	}
}
