package parse

import (
	"fmt"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

func (h Header) text() string {
	return fmt.Sprintf("%d|%s|%s|%s|%s|%s|%s|%s", h.Priority, h.Time, h.Host, h.Program, h.PID, h.MessageID, h.Data, h.Message)
}

func TestParseHeader(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "34|Oct 11 22:14:15|mymachine|su||||'su root' failed"},
		{"Nov  4 08:00:00 h sshd[12]: hello", "-1|Nov  4 08:00:00|h|sshd|12|||hello"},
		{"Nov 24 2026 08:00:00 fw : %ASA-6-302013: Built", "-1|Nov 24 2026 08:00:00|fw|||||%ASA-6-302013: Built"},
		{"<166>Nov 24 08:00:00 fw: %ASA-6-302013: Built", "166|Nov 24 08:00:00|fw|||||%ASA-6-302013: Built"},
		{"2026-11-24T08:00:00.1+01:00 h p[1]: m", "-1|2026-11-24T08:00:00.1+01:00|h|p|1|||m"},
		{"<13>1 2026-11-24T08:00:00Z h app 7 ID1 [a b=\"c]\\\"\"][d] msg", `13|2026-11-24T08:00:00Z|h|app|7|ID1|[a b="c]\""][d]|msg`},
		{"<13>1 - - - - - -", "13|||||||"},
		{"<13>1 2026-11-24T08:00:00Z h app - - - \xEF\xBB\xBFtext", "13|2026-11-24T08:00:00Z|h|app||||text"},
		{"<14>CEF:0|V|P|1|2|N|3|", "14|||||||CEF:0|V|P|1|2|N|3|"},
		{"<14>Nov 24 08:00:00 h CEF:0|V|P|1|2|N|3|", "14|Nov 24 08:00:00|h|||||CEF:0|V|P|1|2|N|3|"},
		{"<189>date=2026-11-24 time=08:00:00", "189|||||||date=2026-11-24 time=08:00:00"},
		{"2026-11-24T08:00:00+01:00 h app 77 - - [A B] c=d", "-1|2026-11-24T08:00:00+01:00|h|app|77|||[A B] c=d"},
		{"2026-11-24T08:00:00+01:00 h app - ID1 [a b=\"c\"] m", `-1|2026-11-24T08:00:00+01:00|h|app||ID1|[a b="c"]|m`},
		{"2026-11-24T08:00:00Z h app of x - y", ""},
		{"<14> Nov 24 08:00:00 192.0.2.1 auth:  User", "14|Nov 24 08:00:00|192.0.2.1|auth|||| User"},
		{"app[77]: m", "-1|||app|77|||m"},
		{"app: m", ""},
		{"app[x]: m", ""},
		{"just words", ""},
		{"2026-11-24T08:00:00Z some words of a program", ""},
		{`2026-11-24T08:00:00Z 192.0.2.1  {"a":1}`, `-1|2026-11-24T08:00:00Z|192.0.2.1|||||{"a":1}`},
		{"<999>x", ""},
		{"", ""},
	} {
		h, ok := ParseHeader([]byte(c.in))
		if ok != (c.want != "") || ok && h.text() != c.want {
			t.Errorf("%q\n got %v %s\nwant %s", c.in, ok, h.text(), c.want)
		}
		if !ok && string(h.Message) != c.in {
			t.Errorf("%q: what is no header must stay the message, got %q", c.in, h.Message)
		}
	}
}

// RFC 5424 messages are split as another implementation splits them.
func TestHeaderAgainstOracle(t *testing.T) {
	m := rfc5424.NewParser()
	for _, in := range []string{
		"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed for lonvick on /dev/pts/8",
		"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
		`<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] An application event`,
		`<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [a@1 x="1"][b@2 y="2"]`,
	} {
		want, err := m.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		w := want.(*rfc5424.SyslogMessage)
		h, ok := ParseHeader([]byte(in))
		if !ok || h.Priority != int(*w.Priority) || string(h.Host) != *w.Hostname || string(h.Program) != *w.Appname ||
			string(h.PID) != deref(w.ProcID) || string(h.MessageID) != deref(w.MsgID) || string(h.Message) != deref(w.Message) {
			t.Errorf("%s: got %s", in, h.text())
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestKVAndCSV(t *testing.T) {
	for _, c := range []struct {
		kv       KV
		in, want string
	}{
		{KV{}, `a=1 b="two words" c='x' d="q\"q" e=`, `a=1; b=two words; c=x; d=q"q; e=`},
		{KV{}, `path="C:\dir\x" n=1`, `path=C:\dir\x; n=1`},
		{KV{Pair: ',', Value: ':'}, `a:1, b: 2`, `a=1; b=2`},
		{KV{}, `free a=1 text`, `text=free; a=1; text_2=text`},
		{KV{}, `a="unclosed b=2`, `a="unclosed; b=2`},
	} {
		var r Record
		r.Reset()
		c.kv.Parse(&r, 0, []byte(c.in))
		if got := show(&r, 0); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
	for _, c := range []struct{ in, want string }{
		{`1,"a ""b"", c",,x,y`, `one=1; two=a "b", c; four=x; column_5=y`},
		{`"open,b`, `one="open; two=b`},
	} {
		var r Record
		r.Reset()
		CSV{Columns: [][]byte{[]byte("one"), []byte("two"), []byte("three"), []byte("four")}}.Parse(&r, 0, []byte(c.in))
		if got := show(&r, 0); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}
