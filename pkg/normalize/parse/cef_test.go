package parse

import "testing"

// TestCEFEdges holds what real senders get wrong or what the format leaves open.
func TestCEFEdges(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"no extension, no last bar":        {`CEF:0|V|P|1|2|N`, ""},
		"label keys stay":                  {`CEF:0|V|P|1|2|N|3|cs2Label=Zone cs2=in side`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; cs2Label=Zone; cs2=in side`},
		"an address with a query":          {`CEF:0|V|P|1|2|N|3|request=/a?b=c&d=e f act=x y`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; request=/a?b=c&d=e f; act=x y`},
		"a quoted pair":                    {`CEF:0|V|P|1|2|N|3|msg="k=v" a=b`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; msg="k=v"; a=b`},
		"empty values":                     {`CEF:0|V|P|1|2|N|3|a= b= c=d==`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; c=d==`},
		"an empty field before the vendor": {`CEF:0||V|P|1|2|N|3|a=b|c`, `cef_version=0; vendor=V; product=P; version=1; class_id=2; name=N; severity=3; a=b|c`},
		"no vendor":                        {`CEF:0||P|1|2|N|3|a=b|c`, `cef_version=0; vendor=; product=P; version=1; class_id=2; name=N; severity=3; a=b|c`},
		"escaped backslash":                {`CEF:0|V\\|P|1|2|N|3|a=b`, `cef_version=0; vendor=V\; product=P; version=1; class_id=2; name=N; severity=3; a=b`},
	} {
		var r Record
		r.Reset()
		ok := CEF(&r, 0, []byte(c.in))
		if got := show(&r, 0); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: got %v %s, want %s", name, ok, got, c.want)
		}
	}
}

func FuzzCEF(f *testing.F) {
	f.Add([]byte(`<14>h CEF:0|Ven\|dor|P|1|2|N|3|a=b c d\=e f=g\n`))
	f.Add([]byte(`CEF:0|V|P|1|2|N|3|= =\`))
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := string(in)
		var r Record
		r.Reset()
		if CEF(&r, 0, in) && r.Find(0, "severity") == None && r.Find(0, "cef_version") == None {
			t.Error("taken as CEF, but without its header")
		}
		// Cells point into the line: a parser that wrote to it would change other cells and event.original.
		if string(in) != kept {
			t.Error("the line was changed")
		}
	})
}
