package tui

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

// rowOf makes a row of a line as the intake does.
func rowOf(t testing.TB, line string) *row {
	t.Helper()
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, clip(line, 200))
	}
	v := make([]event.Value, rowFields.Len())
	rowFields.Read(&e, v)
	return newRow(v, []byte(line))
}

const filterAlert = `{"@timestamp":"2026-11-24T09:00:01.5Z","event":{"kind":"alert","id":"a1","severity":99,"code":"4625"},"rule":{"id":"r-1","name":"SSH brute force"},
"leat":{"alert":{"level":"high"}},"user":{"name":"Anna.Kovács","department":"Dev"},"host":{"name":"pay01"},"source":{"ip":"10.1.2.3","port":2222},
"tags":["attack.initial-access","x"],"message":"Anna logged on to pay01","process":{"command_line":"cmd /c \"dir | more\""}}`

func TestFilter(t *testing.T) {
	r := rowOf(t, filterAlert)
	for _, c := range []struct {
		text string
		want bool
	}{
		{"", true},
		{"brute", true},
		{"BRUTE", true},
		{"kovács", true},
		{"nothing", false},
		{"-nothing", true},
		{"!brute", false},
		{`"logged on"`, true},
		{`-"logged on"`, false},
		{"attack.initial-access", true}, // a word found in the line only
		{"severity=high", true},
		{"severity>=high", true},
		{"severity>high", false},
		{"sev>=medium sev<critical", true},
		{"level!=high", false},
		{"severity=h*", true},
		{"severity~^hi", true},
		{"user=anna*", true},
		{"user=anna", false},
		{"user!=anna*", false},
		{"-user=anna*", false},
		{"user=bob|anna*", true},
		{`user="anna.kovács"`, true},
		{"host=pay0?", true},
		{"rule=r-1", true},
		{`rule="ssh brute force"`, true},
		{"rule~brute.*force", true},
		{"source=10.0.0.0/8", true},
		{"src=10.0.0.0/16", false},
		{"source.ip=10.1.2.3", true},
		{"source.port>1024", true},
		{"source.port>=2222 source.port<=2222", true},
		{"source.port<1000", false},
		{"event.code=4625", true},
		{"event.code>5000", false},
		{"user.department=dev", true},
		{"tags=x", true},
		{"tags=y", false},
		{"no.such=*", false},
		{"-no.such=*", true},
		{"time>2026-11-24T08", true},
		{"time<2026-11-24T08", false},
		{"message~^anna", true},
		{`process.command_line~"dir | more"`, true},
		{`process.command_line="*|*"`, true},
		{"user=anna* host=db2", false},
		{"  user=anna*   host=pay01  ", true},
		{"ANNA -db2", true},
	} {
		f, err := parseFilter(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := f.match(r); got != c.want {
			t.Errorf("%s: %v", c.text, got)
		}
	}
}

func TestFilterFaults(t *testing.T) {
	for text, want := range map[string]string{
		`user="x`:        "at 6: a quote without its end",
		"user=>x":        `at 5: "=>" is no comparison`,
		"severity>=hihg": `at 11: "hihg" is no level`,
		"rule~[":         "at 6: missing closing ]",
		"ok -":           "at 5: nothing to look for",
		"a..b=x":         "empty part",
		`ok "": x`:       "nothing to look for",
	} {
		_, err := parseFilter(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestFilterRaw(t *testing.T) {
	// What the table does not show is found in the line, escapes and all.
	r := rowOf(t, `{"event":{"kind":"alert"},"x":{"y":"tab\there"},"rule":{}}`)
	f, _ := parseFilter(`x.y="tab	here"`)
	if !f.match(r) {
		t.Error("a field with an escape is not found by its value")
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"plain", "two words", `a"b`, `back\slash`, "a|b", "ünïcode", `"`, `CORP\adm "x"`, ""} {
		if s == "" {
			continue
		}
		f, err := parseFilter("user=" + quote(s))
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if !f.match(&row{user: s}) || f.match(&row{user: s + "x"}) {
			t.Errorf("%q is not found by %s", s, f.text)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"severity>=high user=anna*", `-rule="a b"|c x~y`, "!", "a.b!=1|2", `"`} {
		f.Add(s)
	}
	r := rowOf(f, filterAlert)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseFilter(s)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("empty message")
			}
			return
		}
		got := p.match(r)
		again, err := parseFilter(p.text)
		if err != nil || again.match(r) != got {
			t.Fatalf("%q is another filter when read again: %v", p.text, err)
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	r := rowOf(b, filterAlert)
	for name, text := range map[string]string{"columns": "severity>=high user=anna*", "field": "user.department=dev", "word": "notfound"} {
		f, err := parseFilter(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(r.raw)))
			for b.Loop() {
				f.match(r)
			}
		})
	}
}
