package redact

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"leat/pkg/event"
)

const testKey = "0123456789abcdef0123456789abcdef"

func getenv(name string) string {
	if name == "KEY" {
		return testKey
	}
	return ""
}

func stageOf(t testing.TB, rules string) *Stage {
	t.Helper()
	cfg, err := Parse("redact.yaml", []byte(rules), getenv)
	if err != nil {
		t.Fatal(err)
	}
	return New(cfg)
}

func redacted(t testing.TB, s *Stage, line string) string {
	t.Helper()
	var b event.Batch
	b.Push([]byte(line))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	out := string(b.Events[0].Append(nil))
	if !json.Valid([]byte(out)) {
		t.Fatalf("no JSON: %s", out)
	}
	return out
}

const logon = `{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"kind":"event","dataset":"d","id":"e1","original":"login of Ann.Lee from 192.0.2.10"},` +
	`"user":{"name":"ann.lee","email":"ann.lee@example.org","id":"1000"},"source":{"ip":"192.0.2.10","port":1000},"related":{"user":["ann.lee"],"ip":["192.0.2.10","198.51.100.1"]},` +
	`"message":"ANN.LEE came from 192.0.2.10, not 192.0.2.101","network":{"community_id":"1:x"},"d":{"home":"/home/ann.lee","ann.lee":{"uid":1000}}}`

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, rules, in string
		want            []string // parts of the result
		gone            []string // no parts of it, in small letters
	}{
		{"hash", "key: {env: KEY}\nfields: {user.name: hash}", logon,
			[]string{`"user":{"name":"`, `"source":{"ip":"192.0.2.10","port":1000}`, `"redacted":["event.original","user.name"]`, `"id":"e1"`}, []string{"ann.lee"}},
		{"remove", "fields: {user.*: remove}", logon, []string{`"user":{}`, `"related":{"ip":[`, "[removed] came from", `"d":{"home":"/home/[removed]","[removed]":{"uid":"[removed]"}}`, `"port":1000`}, []string{"ann.lee"}},
		{"mask", "fields: {user.name: {mask: 3}}\noriginal: rewrite", logon, []string{`"name":"****lee"`, `"original":"login of ****lee from 192.0.2.10"`, `****lee@example.org`}, []string{"ann.lee"}},
		{"replace", "fields: {user.name: {replace: someone}}", logon, []string{`"name":"someone"`, `"message":"someone came`, `"someone":{"uid":1000}`}, []string{"ann.lee"}},
		{"address", "key: {env: KEY}\nfields: {source.ip: address}\noriginal: rewrite", logon, []string{`192.0.2.101"`, `"198.51.100.1"`, `"network":{}`, "ann.lee"}, []string{`192.0.2.10"`, "192.0.2.10,", `"1:x"`}},
		{"pattern of addresses", "key: {env: KEY}\npatterns: {ipv4: address}", logon, []string{"ann.lee"}, []string{"192.0.2.10", "198.51.100.1", `"1:x"`, `"original":`}},
		{"an address in a field of that type is removed where a hash can't stand", "key: {env: KEY}\npatterns: {ipv4: hash}", logon, []string{`"source":{"port":1000}`}, []string{"192.0.2.10"}},
		{"own pattern", `patterns: {employee: {match: 'EMP-[0-9]+', with: EMP-, do: {replace: EMP}}}`, `{"@timestamp":"2026-11-24T08:17:44Z","message":"by EMP-7 and EMP-88"}`, []string{`"by EMP and EMP"`, `"redacted":["employee"]`}, []string{"emp-7"}},
		{"secrets of the text", "patterns: {email: remove, card: {mask: 4}, bearer: remove, aws_key: remove}", `{"@timestamp":"2026-11-24T08:17:44Z","message":"a@b.example 4111111111111111 Bearer abcdefghi AKIAIOSFODNN7EXAMPLE"}`,
			[]string{`"[removed] ************1111 Bearer [removed] [removed]"`}, nil},
		{"forms", "key: {env: KEY}\nfields: {user.name: hash}\noriginal: rewrite", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"original":"{\"u\":\"CORP\\\\Jo Doe\"}"},"user":{"name":"CORP\\Jo Doe"},"url":{"query":"u=CORP%5CJo+Doe&v=CORP%5CJo%20Doe"}}`,
			[]string{`"redacted":["user.name"]`}, []string{"jo doe", "jo+doe", "jo%20doe"}},
		{"forms within forms", "fields: {user.name: remove}", `{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":"CORP\\jérôme"},"message":"JÉRÔME is not CORP\\JÉRÔME","d":{"j":"{\"k\":\"{\\\"u\\\":\\\"CORP\\\\\\\\jérôme\\\"}\"}","a":"CORP\\\\j\\u00e9r\\u00f4me"}}`,
			[]string{`"message":"JÉRÔME is not [removed]"`}, []string{`corp`, "u00e9"}},
		{"the dataset's own object keeps its name", "fields: {user.name: {replace: x}}", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"dataset":"acme.gate"},"user":{"name":"acme"},"acme":{"gate":{"acme":1}}}`, []string{`"acme":{"gate":{"x":1}}`}, nil},
		{"nothing to do", "fields: {user.full_name: remove}", logon, []string{logon}, nil},
		{"names of hosts", "key: {env: KEY}\nfields: {source.ip: address}", `{"@timestamp":"2026-11-24T08:17:44Z","source":{"ip":"192.0.2.10","domain":"ec2-192-0-2-10.example.com"},"message":"::ffff:192.0.2.10"}`, nil, []string{"192-0-2-10", "192.0.2.10"}},
		{"unread", "patterns: {email: remove}", `{"event":{"kind":"pipeline_error","original":"ann"},"error":{"type":"parse","message":"bad ann"},"leat":{"value":"ann"}}`, []string{`"type":"parse"`, `"redacted":["event.original"]`}, []string{"ann"}},
		{"unread, by patterns", "patterns: {email: remove}\nunread: patterns\noriginal: rewrite", `{"event":{"kind":"event","original":"mail a@b.example now"}}`, []string{`"original":"mail [removed] now"`}, []string{"a@b"}},
		{"two originals", "fields: {user.name: remove}", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"original":"ann a","x":1,"original":"ann b"},"event":{"original":"ann c"},"user":{"name":"annabel"}}`, []string{`"event":{"x":1},"event":{}`}, []string{"ann"}},
		{"lists of objects", "fields: {d.list.name: remove}", `{"@timestamp":"2026-11-24T08:17:44Z","d":{"list":[{"name":"x-ray","n":1},{"name":"zulu"}]},"message":"x-ray zulu"}`, []string{`"list":[{"n":1},{}]`, `"[removed] [removed]"`}, nil},
		{"what is kept", "fields: {user.name: remove}", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["authentication"]},"user":{"name":"authentication"}}`, []string{`"category":["authentication"]`, `"user":{}`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := redacted(t, stageOf(t, c.rules), c.in)
			for _, w := range c.want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not in it", w)
				}
			}
			for _, g := range c.gone {
				if strings.Contains(strings.ToLower(out), g) {
					t.Errorf("%q is still in it", g)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestJoinsStillWork: one key gives one pseudonym, in every field, stage and run; another key another one.
func TestJoinsStillWork(t *testing.T) {
	rules := "key: {env: KEY}\nfields: {'*.user.name': hash, user.name: hash}\npatterns: {ipv4: address}"
	name := func(out string) string {
		var m struct {
			User   struct{ Name string }
			Source struct {
				IP   string
				User struct{ Name string }
			}
		}
		if err := json.Unmarshal([]byte(out), &m); err != nil {
			t.Fatal(err)
		}
		return m.User.Name + m.Source.User.Name + " " + m.Source.IP
	}
	a := name(redacted(t, stageOf(t, rules), `{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":"ann"},"source":{"ip":"192.0.2.10"}}`))
	b := name(redacted(t, stageOf(t, rules), `{"@timestamp":"2026-11-25T08:17:44Z","source":{"user":{"name":"ann"},"ip":"192.0.2.10"},"message":"other"}`))
	if a != b || len(a) < hashDigits {
		t.Errorf("%q and %q", a, b)
	}
	cfg, err := Parse("redact.yaml", []byte(rules), func(string) string { return strings.Repeat("z", 32) })
	if err != nil {
		t.Fatal(err)
	}
	if other := name(redacted(t, New(cfg), `{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":"ann"},"source":{"ip":"192.0.2.10"}}`)); other == a {
		t.Error("another key gives the same pseudonyms")
	}
}

// TestNothingIsLeft builds events in which secrets stand in any place and spelling, and looks for them in the whole line.
func TestNothingIsLeft(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := stageOf(t, "key: {env: KEY}\nfields: {user.name: hash, user.email: remove, client.ip: address, d.secret: {replace: X}}")
	letters := []rune("bcdghqvwyzQZ \\\"/%é+-_")
	word := func() string {
		var b strings.Builder
		b.WriteString("qz")
		for range 4 + r.IntN(8) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String() + "zq"
	}
	for range 500 {
		name, secret := word(), word()
		ip := fmt.Sprintf("203.0.%d.%d", r.IntN(256), r.IntN(256))
		quoted, _ := json.Marshal(name)
		doc := map[string]any{
			"@timestamp": "2026-11-24T08:17:44Z", "event": map[string]any{"kind": "event", "original": "raw " + name + ip},
			"user": map[string]any{"name": name, "email": word() + "@example.org"}, "client": map[string]any{"ip": ip},
			"d":       map[string]any{"secret": secret, "x": map[string]any{"pre" + name + "post": []any{asciiUpper(secret), map[string]any{"deep": "in " + ip + "; " + name}}}, "json": string(quoted)},
			"message": name + secret + " " + ip + ":80 " + name, "related": map[string]any{"user": []string{name, "other"}},
		}
		line, _ := json.Marshal(doc)
		out := redacted(t, s, string(line))
		var m any
		if err := json.Unmarshal([]byte(out), &m); err != nil {
			t.Fatal(err)
		}
		plain := strings.ToLower(fmt.Sprint(m)) + strings.ToLower(out)
		for _, gone := range []string{name, secret, ip, strings.Trim(string(quoted), `"`)} {
			if strings.Contains(plain, strings.ToLower(gone)) {
				t.Fatalf("%q is left in\n%s\nof\n%s", gone, out, line)
			}
		}
	}
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
}

func TestTooManySecrets(t *testing.T) {
	var list []string
	for i := range 2 * maxSecrets {
		list = append(list, fmt.Sprintf(`"person%06d"`, i))
	}
	out := redacted(t, stageOf(t, "fields: {user.name: remove}"), `{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":[`+strings.Join(list, ",")+`]},"message":"person000500","event":{"kind":"event"}}`)
	if strings.Contains(out, "person") || !strings.Contains(out, `"message":"[removed]"`) || !strings.Contains(out, `"kind":"event"`) {
		t.Error(out)
	}
}

// FuzzStage: any line stays one JSON object, and a secret in a field does not stand in it any more.
func FuzzStage(f *testing.F) {
	f.Add(logon)
	f.Add(`{"user":{"name":["a\u0000b",{"name":"zzzz"}]},"a":{"zzzz":1e5,"b":[[["zzzz"]]]},"leat":7}`)
	cfg, err := Parse("r", []byte("key: {env: KEY}\nfields: {user.name: {replace: '#'}, '*.ip': address}\npatterns: {email: hash, ipv6: address, card: remove}\nunread: patterns\noriginal: rewrite"), getenv)
	if err != nil {
		f.Fatal(err)
	}
	s := New(cfg)
	f.Fuzz(func(t *testing.T, line string) {
		var e event.Event
		e.Reset([]byte(line))
		if e.Parse() != nil {
			return
		}
		name := e.Get(event.MustPath("user.name"))
		out := redacted(t, s, line)
		if text := name.String(); name.Kind == event.String && len(text) >= 6 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == "" && !strings.Contains("redacted user name timestamp", text) {
			var again event.Event
			again.Reset([]byte(out))
			if strings.Contains(again.Get(event.MustPath("message")).String(), text) {
				t.Errorf("%q is left in %s", text, out)
			}
		}
	})
}

func BenchmarkStage(b *testing.B) {
	for name, rules := range map[string]string{
		"fields":    "key: {env: KEY}\nfields: {user.*: hash, source.ip: address}",
		"patterns":  "key: {env: KEY}\npatterns: {email: hash, ipv4: address, card: {mask: 4}, bearer: remove, jwt: remove, aws_key: remove}",
		"unchanged": "fields: {user.full_name: remove}",
	} {
		b.Run(name, func(b *testing.B) {
			s := stageOf(b, rules)
			in := []byte(logon)
			var batch event.Batch
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Push(in)
				if err := s.Process(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
