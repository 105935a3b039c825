package parse

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
)

// show prints a record's cells as key=value, objects in braces.
func show(r *Record, n int32) string {
	var out []string
	for i := r.Child(n); i >= 0; i = r.Cells[i].Next {
		c := r.Cells[i]
		if r.Child(i) >= 0 {
			out = append(out, fmt.Sprintf("%s={%s}", c.Key, show(r, i)))
		} else {
			out = append(out, fmt.Sprintf("%s=%s", c.Key, r.Text(i)))
		}
	}
	return strings.Join(out, "; ")
}

func TestCEF(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<14>host CEF:0|Ven\|dor|Prod|1.0|100|A name|7|src=10.0.0.1 msg=two words here suser=bob cs1Label=Rule cs1=a\=b\\c`,
			`cef_version=0; vendor=Ven|dor; product=Prod; version=1.0; class_id=100; name=A name; severity=7; src=10.0.0.1; msg=two words here; suser=bob; cs1Label=Rule; cs1=a=b\c`},
		{`CEF:0|V|P|1|2|N|High|`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=High`},
		{`CEF:0|V|P|1|2|N|3|msg=line\nbreak act=`, "cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; msg=line\nbreak"},
		{`0|V|P|1|2|N|3|a=b`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; a=b`},
		{`CEF:0|V|P`, ""},
		{`no cef`, ""},
	} {
		var r Record
		r.Reset()
		ok := CEF(&r, 0, []byte(c.in))
		if ok != (c.want != "") || ok && show(&r, 0) != c.want {
			t.Errorf("%s\n got %v %s\nwant %s", c.in, ok, show(&r, 0), c.want)
		}
	}
}

func TestLEEF(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"LEEF:1.0|V|P|1.0|id|src=10.0.0.1\tusrName=a b\tx", "leef_version=1.0; vendor=V; product=P; version=1.0; event_id=id; src=10.0.0.1; usrName=a b"},
		{"h LEEF:2.0|V|P|1|id|^|a=1^b=2", "leef_version=2.0; vendor=V; product=P; version=1; event_id=id; a=1; b=2"},
		{"LEEF:2.0|V|P|1|id|0x7c|a=1|b=2", "leef_version=2.0; vendor=V; product=P; version=1; event_id=id; a=1; b=2"},
		{"LEEF:1.0|V", ""},
	} {
		var r Record
		r.Reset()
		ok := LEEF(&r, 0, []byte(c.in))
		if ok != (c.want != "") || ok && show(&r, 0) != c.want {
			t.Errorf("%q\n got %v %s\nwant %s", c.in, ok, show(&r, 0), c.want)
		}
	}
}

func TestWinlogShapes(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"evtx": {`{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":1,"Channel":"C","Computer":"h","TimeCreated":{"#attributes":{"SystemTime":"T"}}},"EventData":{"Image":"a\\b","N":null}}}`,
			`provider_name=P; event_id=1; channel=C; computer_name=h; time=T; event_data={Image=a\b; N=}`},
		"winlogbeat": {`{"@timestamp":"T","winlog":{"channel":"C","event_id":"1","event_data":{"Image":"x"}},"message":"m"}`,
			`channel=C; event_id=1; event_data={Image=x}; time=T; message=m`},
		"flat": {`{"EventID":1,"Channel":"C","Hostname":"h","Image":"x","O":{"p":1},"Message":"m"}`,
			`event_id=1; channel=C; computer_name=h; event_data={Image=x; O={p=1}}; message=m`},
		"none": {`{"a":1}`, ""},
	} {
		var r Record
		r.Reset()
		var e event.Event
		e.Reset([]byte(c.in))
		ok := Winlog(&r, 0, &e)
		if ok != (c.want != "") || show(&r, 0) != c.want {
			t.Errorf("%s: %v %s\nwant %s", name, ok, show(&r, 0), c.want)
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add([]byte(`CEF:0|V|P|1|2|N|3|a=b c=d\=e`))
	f.Add([]byte("LEEF:2.0|V|P|1|id|x7c|a=1|b=2"))
	f.Add([]byte(`{"Event":{"System":{"EventID":{"#text":1}},"EventData":[]}}`))
	f.Add([]byte(`a=1 b="x \" y" c='z' "`))
	f.Add([]byte(`<13>1 2026-11-24T08:00:00Z h p - - [a b="c"] m`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r Record
		for _, parse := range []func() bool{
			func() bool { return CEF(&r, 0, in) },
			func() bool { return LEEF(&r, 0, in) },
			func() bool { return KV{}.Parse(&r, 0, in) },
			func() bool { return CSV{}.Parse(&r, 0, in) },
			func() bool { var e event.Event; e.Reset(in); return Winlog(&r, 0, &e) },
			func() bool { _, ok := ParseHeader(in); return ok },
			func() bool { _, ok := Clock{}.Time(in); return ok },
		} {
			r.Reset()
			parse()
			for i := range r.Cells {
				if n := r.Cells[i].Next; n != None && int(n) >= len(r.Cells) {
					t.Fatal("a link leads out of the record")
				}
			}
		}
	})
}
