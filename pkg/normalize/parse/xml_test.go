package parse

import (
	"fmt"
	"strings"
	"testing"
)

// tree writes the cells below n as text.
func tree(r *Record, n int32) string {
	var parts []string
	for i := r.Child(n); i >= 0; i = r.Cells[i].Next {
		c := &r.Cells[i]
		if c.Val == nil && r.Child(i) >= 0 {
			parts = append(parts, fmt.Sprintf("%s{%s}", c.Key, tree(r, i)))
		} else {
			parts = append(parts, fmt.Sprintf("%s=%s", c.Key, c.Val))
		}
	}
	return strings.Join(parts, " ")
}

func TestXML(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<a>x</a>`, "a=x"},
		{`<?xml version="1.0"?><!-- c --><a b='1' c="2 &gt; 1"><d/>t<e f="g">h</e></a> `, "a{b=1 c=2 > 1 d= #text=t e{f=g #text=h}}"},
		{`<n:a xmlns:n="u" xmlns="v"><n:b>&#65;&#x42;&amp;lt;&unknown;&#0;</n:b></n:a>`, "a{b=AB&lt;&unknown;&#0;}"},
		{`<a><b>1</b><b>2</b><b x="y"/></a>`, "a{b=1 b_2=2 b_3{x=y}}"},
		{`<a><![CDATA[<x>&amp;]]></a>`, "a=<x>&amp;"},
		{"<a\n b = 'c>d' />", "a{b=c>d}"},
		{`<a><b>1</b></a`, "bad"},
		{`<a><b>1</a></b>`, "bad"},
		{`<a>1</a><b/>`, "bad"},
		{`<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, "bad"},
		{`<a b=c/>`, "bad"},
		{`<a b="c/>`, "bad"},
		{`plain`, "bad"},
		{`<>`, "bad"},
		{strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50), "bad"},
		{"<a>" + strings.Repeat("<b/>", 5000) + "</a>", "bad"},
	} {
		var r Record
		r.Reset()
		got := "bad"
		if XML(&r, 0, []byte(c.in)) {
			got = tree(&r, 0)
		}
		if got != c.want {
			t.Errorf("%.80s: %s, want %s", c.in, got, c.want)
		}
	}
}

const xmlEvent = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{g}'/>` +
	`<EventID Qualifiers='0'>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords>` +
	`<TimeCreated SystemTime='2026-11-24T08:00:00.1234567Z'/><EventRecordID>17</EventRecordID><Correlation ActivityID='{a}'/><Execution ProcessID='740' ThreadID='1408'/>` +
	`<Channel>Security</Channel><Computer>dc1.example.org</Computer><Security UserID='S-1-5-18'/></System>` +
	`<EventData><Data Name='TargetUserName'>ann &amp; bob</Data><Data Name='IpAddress'>192.0.2.1</Data><Data/></EventData></Event>`

func TestWinlogXML(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"an event", xmlEvent, "provider_name=Microsoft-Windows-Security-Auditing provider_guid={g} event_id=4624 version=2 level=0 task=12544 opcode=0 " +
			"keywords=0x8020000000000000 time=2026-11-24T08:00:00.1234567Z record_id=17 activity_id={a} process_id=740 thread_id=1408 channel=Security " +
			"computer_name=dc1.example.org user_id=S-1-5-18 event_data{TargetUserName=ann & bob IpAddress=192.0.2.1 param3=}"},
		{"data without names", `<Event><System><EventID>1</EventID></System><EventData><Data>x</Data><Data>y</Data><Binary>00</Binary></EventData></Event>`,
			"event_id=1 event_data{param1=x param2=y Binary=00}"},
		{"user data", `<Event><System><EventID>1102</EventID></System><UserData><LogFileCleared xmlns='u'><SubjectUserName>ann</SubjectUserName></LogFileCleared></UserData></Event>`,
			"event_id=1102 event_data{SubjectUserName=ann}"},
		{"rendered", `<Event><System><EventID>1</EventID></System><RenderingInfo Culture='en-US'><Message>Hello</Message><Level>Information</Level></RenderingInfo></Event>`,
			"event_id=1 rendering{Message=Hello Level=Information} message=Hello"},
		{"two names alike", `<Event><System/><System><EventID>1</EventID></System><EventData><Data Name='a'>1</Data><Data Name='a'>2</Data></EventData></Event>`,
			"event_id=1 event_data{a=1 a_2=2}"},
		{"as the event viewer shows it", "- <Event xmlns='u'>\n- <System>\n  <EventID>1</EventID>\n</System>\n- <EventData>\n  <Data Name='a'>b</Data>\n</EventData>\n</Event>", "event_id=1 event_data{a=b}"},
		{"no system", `<Event><EventData/></Event>`, "bad"},
		{"two events", `<Event><System/></Event><Event><System/></Event>`, "bad"},
		{"another root", `<Events><Event><System/></Event></Events>`, "bad"},
		{"cut off", xmlEvent[:len(xmlEvent)-30], "bad"},
		{"text between", `<Event>x<System/></Event>`, "bad"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "b">]>` + xmlEvent, "bad"},
		{"a bomb", `<Event><System/><EventData>` + strings.Repeat(`<Data>x</Data>`, 4000) + `</EventData></Event>`, "bad"},
	} {
		var r Record
		r.Reset()
		got := "bad"
		if WinlogXML(&r, 0, []byte(c.in)) {
			got = tree(&r, 0)
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(xmlEvent))
	f.Add([]byte(`<a b="c">&#x41;<![CDATA[x]]><!-- --><d/></a>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, parse := range []func(*Record, int32, []byte) bool{XML, WinlogXML} {
			var r Record
			r.Reset()
			parse(&r, 0, in)
			for i := range r.Cells {
				if n := r.Cells[i].Next; n != None && n <= int32(i) {
					t.Fatalf("cell %d is followed by %d", i, n)
				}
			}
		}
	})
}

func BenchmarkWinlogXML(b *testing.B) {
	in := []byte(xmlEvent)
	var r Record
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if !WinlogXML(&r, 0, in) {
			b.Fatal("not read")
		}
	}
}
