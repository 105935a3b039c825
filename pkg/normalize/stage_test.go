package normalize

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

var _ stage.Cloner = (*Stage)(nil)

// mapping compiles one mapping beside the built-in ones.
func mapping(t testing.TB, yaml string) *Mappings {
	t.Helper()
	m, err := compileAll([]string{"test.yaml"}, map[string][]byte{"test.yaml": []byte(yaml)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func process(t testing.TB, s *Stage, lines ...string) []string {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	var out []string
	for _, e := range b.Events {
		out = append(out, string(e.Append(nil)))
	}
	return out
}

func get(t testing.TB, line, name string) any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return flatGet(m, name)
}

func builtinStage(t testing.TB, cfg Config) *Stage {
	t.Helper()
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Mappings = m
	return New(cfg)
}

const sshLine = `<38>Nov 24 08:17:44 web1 sshd[4711]: Failed password for bob from 192.0.2.7 port 4711 ssh2`

func TestUnwrapsWhatIngestWraps(t *testing.T) {
	s := builtinStage(t, Config{})
	in := `{"event":{"id":"0123","original":` + string(event.AppendString(nil, sshLine)) + `},"log":{"file":{"path":"/var/log/auth.log"},"offset":17},"host":{"name":"collector","id":"h1"},"labels":{"site":"bud"}}`
	out := process(t, s, in)[0]
	for name, want := range map[string]any{
		"event.id": "0123", "event.original": sshLine, "event.dataset": "linux.auth", "event.outcome": "failure",
		"log.file.path": "/var/log/auth.log", "log.offset": 17.0, "host.id": "h1", "host.name": "web1", "labels.site": "bud",
		"source.ip": "192.0.2.7", "source.port": 4711.0, "process.pid": 4711.0, "log.syslog.priority": 38.0,
	} {
		if got := get(t, out, name); got != want {
			t.Errorf("%s: got %v, want %v in %s", name, got, want, out)
		}
	}
}

func TestEscapedOriginalIsReadAndKept(t *testing.T) {
	s := builtinStage(t, Config{})
	raw := "Failed password for b\x00b\xff\\x from 192.0.2.7 port 4711 ssh2"
	rec, escaped := event.AppendRecord(nil, []byte(raw))
	if !escaped {
		t.Fatal("must be escaped")
	}
	out := process(t, s, `{"event":{"id":"1",`+string(rec)+`},"leat":{"escaped":true}}`)[0]
	if got := get(t, out, "source.ip"); got != "192.0.2.7" {
		t.Errorf("not parsed: %s", out)
	}
	if back := event.UnescapeText(nil, []byte(get(t, out, "event.original").(string))); string(back) != raw {
		t.Errorf("the original has changed: %q", back)
	}
	// A raw line with such bytes is escaped here, and says so.
	out = process(t, s, raw)[0]
	if get(t, out, "leat.escaped") != true {
		t.Errorf("no leat.escaped: %s", out)
	}
}

func TestWhatPasses(t *testing.T) {
	s := builtinStage(t, Config{})
	for _, in := range []string{
		`{"@timestamp":"2026-11-24T08:00:00Z","event":{"kind":"event","dataset":"linux.auth"},"user":{"name":"x"}}`,
		`{"@timestamp":"2026-11-24T08:00:00Z","event":{"kind":"alert"},"rule":{"id":"r"}}`,
		`{"event":{"kind":"pipeline_error","original":"` + `Failed password for bob from 192.0.2.7 port 4711 ssh2` + `"}}`,
	} {
		if out := process(t, s, in)[0]; out != in {
			t.Errorf("changed: %s\n     to: %s", in, out)
		}
	}
	once := process(t, s, sshLine)[0]
	if again := process(t, s, once)[0]; again != once {
		t.Errorf("normalising twice changes an event:\n%s\n%s", once, again)
	}
}

func TestUnrecognised(t *testing.T) {
	s := builtinStage(t, Config{})
	for in, want := range map[string]string{
		"some words": `{"event":{"kind":"event","original":"some words"}}`,
		`{"event":{"id":"1","original":"some words"},"log":{"offset":3}}`: `{"event":{"id":"1","original":"some words","kind":"event"},"log":{"offset":3}}`,
		`{"a":1`: `{"event":{"kind":"event","original":"{\"a\":1"}}`,
	} {
		if out := process(t, s, in)[0]; out != want {
			t.Errorf("%s\n got %s\nwant %s", in, out, want)
		}
	}
}

const strict = `
name: demo.strict
when: {keys: {addr: '*'}}
parse: json
keep: demo.strict
fields:
  source.ip: addr
  source.port?: port
  user.name: [u1, u2]
`

func TestWrongTypeIsAnErrorThatSaysWhy(t *testing.T) {
	s := New(Config{Mappings: mapping(t, strict)})
	out := process(t, s, `{"addr":"not an address","x":1}`)[0]
	for name, want := range map[string]any{
		"event.kind": "pipeline_error", "leat.mapping": "demo.strict", "leat.field": "source.ip", "leat.want": "ip",
		"leat.value": "not an address", "event.original": `{"addr":"not an address","x":1}`,
	} {
		if got := get(t, out, name); got != want {
			t.Errorf("%s: got %v, want %v in %s", name, got, want, out)
		}
	}
}

func TestKeepIsWhatWasNotUsed(t *testing.T) {
	s := New(Config{Mappings: mapping(t, strict)})
	out := process(t, s, `{"addr":"192.0.2.1","port":"x","u1":"a","u2":"b","n":9007199254740993,"null":null,"deep":{"k":[1, 2]}}`)[0]
	if !strings.Contains(out, `"n":9007199254740993`) {
		t.Errorf("digits are lost: %s", out)
	}
	for name, want := range map[string]any{
		"demo.strict.u2": "b", "demo.strict.u1": nil, "demo.strict.port": "x", "source.port": nil, "demo.strict.null": nil, "user.name": "a",
		"demo.strict.addr": nil,
	} {
		if got := get(t, out, name); got != want {
			t.Errorf("%s: got %v, want %v in %s", name, got, want, out)
		}
	}
	if get(t, out, "demo.strict.deep.k") == nil {
		t.Errorf("deep is lost: %s", out)
	}
}

func TestOriginal(t *testing.T) {
	for choice, want := range map[Original]any{KeepOriginal: sshLine, DropOriginal: nil, ErrorsOriginal: nil} {
		s := builtinStage(t, Config{Original: choice})
		wrapped := `{"event":{"id":"1","original":` + string(event.AppendString(nil, sshLine)) + `}}`
		for _, in := range []string{sshLine, wrapped} {
			if got := get(t, process(t, s, in)[0], "event.original"); got != want {
				t.Errorf("%s: got %v", choice, got)
			}
		}
	}
}

func TestHintChooses(t *testing.T) {
	s := builtinStage(t, Config{})
	line := string(event.AppendString(nil, `203.0.113.5 - - [24/Nov/2026:08:12:03 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8"`))
	for hint, want := range map[string]string{"": "nginx.access", "apache.access": "apache.access", "apache": "apache.access"} {
		out := process(t, s, `{"event":{"id":"1","dataset":"`+hint+`","original":`+line+`}}`)[0]
		if got := get(t, out, "event.dataset"); got != want {
			t.Errorf("%q: got %v, want %v", hint, got, want)
		}
	}
}

func TestZoneAndYear(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	now := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)
	s := builtinStage(t, Config{Zone: zone, Now: func() time.Time { return now }})
	out := process(t, s, `Dec 31 23:59:59 h sshd[1]: Failed password for bob from 192.0.2.7 port 4711 ssh2`)[0]
	if got := get(t, out, "@timestamp"); got != "2025-12-31T21:59:59.000Z" {
		t.Errorf("got %v", got)
	}
}

func TestZeekHeadersByStream(t *testing.T) {
	s := builtinStage(t, Config{})
	wrap := func(file, line string) string {
		return `{"event":{"id":"1","original":` + string(event.AppendString(nil, line)) + `},"log":{"file":{"path":"` + file + `"}}}`
	}
	row := "1795506001.104512\tCAbc1\t192.0.2.1\t50\t198.51.100.2\t443\ttcp\tssl\t0.25\t10\t20\tREJ\tT\tF\t0\tShAD\t3\t100\t2\t80\t-"
	cols := "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\tresp_pkts\tresp_ip_bytes\torig_pkts\torig_ip_bytes\ttunnel_parents"
	out := process(t, s, wrap("a", cols), wrap("a", row), wrap("b", row))
	if a, b := get(t, out[0], "source.packets"), get(t, out[1], "source.packets"); a != 2.0 || b != 3.0 {
		t.Errorf("the header of one stream must not hold for another: %v %v", a, b)
	}
}

func TestCommunityID(t *testing.T) {
	s := builtinStage(t, Config{})
	// The published example of the specification's baseline.
	out := process(t, s, `{"ts":1,"uid":"C1","id.orig_h":"128.232.110.120","id.orig_p":34855,"id.resp_h":"66.35.250.204","id.resp_p":80,"proto":"tcp","conn_state":"SF"}`)[0]
	if got := get(t, out, "network.community_id"); got != "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" {
		t.Errorf("got %v", got)
	}
}

func TestManyFromOneRecord(t *testing.T) {
	s := builtinStage(t, Config{})
	rec := `{"Records":[{"eventTime":"2026-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"e"},{"eventTime":"2026-01-02T03:04:06Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"e"}]}`
	in := `{"event":{"id":"abc","original":` + string(event.AppendString(nil, rec)) + `},"log":{"offset":1}}`
	out := process(t, s, in)
	if len(out) != 2 || get(t, out[0], "event.action") != "GetObject" || get(t, out[1], "event.action") != "PutObject" {
		t.Fatalf("got %v", out)
	}
	a, b := get(t, out[0], "event.id"), get(t, out[1], "event.id")
	if a == b || a == "abc" || a == nil {
		t.Errorf("ids %v and %v", a, b)
	}
	if again := process(t, s, in); again[1] != out[1] {
		t.Error("the same record must give the same events")
	}
	if get(t, out[0], "log.offset") != 1.0 {
		t.Errorf("what ingest wrote is lost: %s", out[0])
	}
}

func TestSeedsTwoApplications(t *testing.T) {
	s := builtinStage(t, Config{})
	for _, in := range []string{
		`{"time":"2026-11-24T09:00:00Z","userIP":"192.0.2.10","login":"ann","action":"open","result":"ok"}`,
		`{"timestamp":"2026-11-24T09:00:00Z","source IP":"192.0.2.10","account":"ann","event":"login","status":"success"}`,
	} {
		out := process(t, s, in)[0]
		if get(t, out, "source.ip") != "192.0.2.10" || get(t, out, "user.name") != "ann" {
			t.Errorf("%s", out)
		}
	}
}

// Whatever comes in, one line of JSON goes out for each event, and it is not lost.
func FuzzStage(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"event":{"id":"1","original":"x\ny"},"log":7}`))
	f.Add([]byte(`{"winlog":{"event_id":1,"channel":"Security","event_data":{"a":[1,{"b":2}]}},"host":[]}`))
	s := builtinStage(f, Config{})
	f.Fuzz(func(t *testing.T, in []byte) {
		if strings.ContainsAny(string(in), "\n") {
			return
		}
		for _, out := range process(t, s, string(in)) {
			if !json.Valid([]byte(out)) && !json.Valid(in) || strings.ContainsAny(out, "\n\r") {
				t.Fatalf("%q became %q", in, out)
			}
		}
	})
}
