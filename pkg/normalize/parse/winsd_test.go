package parse

import "testing"

func TestWinlogData(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`[NXLOG@14506 EventType="AUDIT_FAILURE" EventID="4625" SourceName="Microsoft-Windows-Security-Auditing" Channel="Security" TargetUserName="a\"b\\c\]d" Empty=""]`,
			`event_type=AUDIT_FAILURE event_id=4625 provider_name=Microsoft-Windows-Security-Auditing channel=Security event_data{TargetUserName=a"b\c]d}`},
		{`[origin x="y"][NXLOG@14506 EventID="1"]`, `event_data{x=y} event_id=1`},
		{`[NXLOG@14506 EventID="1" Broken=]`, `event_id=1`},
		{`[NXLOG@14506 EventID="1`, `bad`},
		{`[x@1 a="b"]`, `bad`},
		{`-`, `bad`},
	} {
		var r Record
		r.Reset()
		got := "bad"
		if WinlogData(&r, 0, []byte(c.in)) {
			got = tree(&r, 0)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func FuzzWinlogData(f *testing.F) {
	f.Add([]byte(`[NXLOG@14506 EventID="1" a="b\"c"]`))
	f.Fuzz(func(_ *testing.T, in []byte) {
		var r Record
		r.Reset()
		WinlogData(&r, 0, in)
	})
}
