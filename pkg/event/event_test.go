package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

func parse(t testing.TB, line string) *Event {
	t.Helper()
	e := &Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("Parse(%s): %v", line, err)
	}
	return e
}

func TestGet(t *testing.T) {
	e := parse(t, ` {"a":1, "b":{"c":"x\ty","d":[1,{"e":2}], "e":null},"a":2,"f.g":true,"\u0068":-0.5e+7,"n":12345678901234567890}`)
	for name, want := range map[string]string{
		"a": "1", "b.c": `"x\ty"`, "b.d": `[1,{"e":2}]`, "b.e": "null", `f\.g`: "true", "h": "-0.5e+7",
		"n": "12345678901234567890", "b.x": "", "a.b": "", "f.g": "", "b.d.e": "",
	} {
		if got := string(e.Get(MustPath(name)).Raw); got != want {
			t.Errorf("Get(%s) = %s, want %s", name, got, want)
		}
	}
	if got := e.Get(MustPath("b.c")).String(); got != "x\ty" {
		t.Errorf("text %q", got)
	}
	f := MustFields("b.e", "a", "b.c", "zz", "b.c")
	dst := make([]Value, f.Len())
	f.Read(e, dst)
	got := fmt.Sprintf("%s %s %s %s %s", dst[0].Raw, dst[1].Raw, dst[2].Raw, dst[3].Raw, dst[4].Raw)
	if want := `null 1 "x\ty"  "x\ty"`; got != want {
		t.Errorf("Read: %s, want %s", got, want)
	}
}

func TestSyntax(t *testing.T) {
	for _, c := range []struct {
		line   string
		offset int
	}{
		{``, 0}, {`[]`, 0}, {`{`, 1}, {`{"a"`, 4}, {`{"a":}`, 5}, {`{"a":1,}`, 7}, {`{"a":1}x`, 7}, {`{"a":01}`, 5},
		{`{"a":"` + "\x01" + `"}`, 6}, {`{"a":"\q"}`, 6}, {"{\"a\":\"abc\xff\"}", 9}, {`{"a":tru}`, 5}, {`{"a":1.}`, 7},
		{`{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, 260},
	} {
		e := &Event{}
		e.Reset([]byte(c.line))
		var se *SyntaxError
		err := e.Parse()
		if err == nil {
			t.Errorf("%.40s parsed", c.line)
		} else if se = err.(*SyntaxError); se.Offset != c.offset {
			t.Errorf("%.40s: %v, want offset %d", c.line, err, c.offset)
		}
	}
}

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		do             func(e *Event) error
	}{
		{"set new nested", `{"a":1}`, `{"a":1,"b":{"c":{"d":"x"}}}`, func(e *Event) error { return e.SetString(MustPath("b.c.d"), "x") }},
		{"set in object", `{"b":{"x":1}, "a":1}`, `{"b":{"x":1,"c":2},"a":1}`, func(e *Event) error { return e.SetInt(MustPath("b.c"), 2) }},
		{"replace", `{"a":1,"b":"é","c":3}`, `{"a":1,"b":[2],"c":3}`, func(e *Event) error { return e.Set(MustPath("b"), []byte("[2]")) }},
		{"replace object", `{"a":{"x":1}}`, `{"a":{"y":{"z":2}},"q":1}`, func(e *Event) error {
			_ = e.Set(MustPath("a"), []byte(`{"y":{"z":1}}`))
			_ = e.SetInt(MustPath("a.y.z"), 2)
			return e.SetInt(MustPath("q"), 1)
		}},
		{"null is absent", `{"a":null}`, `{"a":{"b":1}}`, func(e *Event) error { return e.SetInt(MustPath("a.b"), 1) }},
		{"conflict", `{"a":"s"}`, `{"a":"s"}`, func(e *Event) error {
			if err := e.SetInt(MustPath("a.b"), 1); err == nil {
				return fmt.Errorf("no conflict")
			}
			return nil
		}},
		{"delete", `{"a":1,"b":{"c":1,"d":2},"e":3}`, `{"b":{"d":2},"e":3}`, func(e *Event) error { e.Delete(MustPath("a")); e.Delete(MustPath("b.c")); return nil }},
		{"rename into itself", `{"user":"bob","x":1}`, `{"x":1,"user":{"name":"bob"}}`, func(e *Event) error { _, err := e.Rename(MustPath("user"), MustPath("user.name")); return err }},
		{"rename edited object", `{"a":{"b":1}}`, `{"z":{"y":{"b":1,"c":2}}}`, func(e *Event) error {
			_ = e.SetInt(MustPath("a.c"), 2)
			_, err := e.Rename(MustPath("a"), MustPath("z.y"))
			return err
		}},
		{"rename object then edit", `{"a":{"b":1,"c":3}}`, `{"z":{"b":2,"c":3}}`, func(e *Event) error {
			if _, err := e.Rename(MustPath("a"), MustPath("z")); err != nil {
				return err
			}
			return e.SetInt(MustPath("z.b"), 2)
		}},
		{"quote in key", `{}`, `{"a\"b":"c\\"}`, func(e *Event) error { return e.SetString(MustPath(`a"b`), `c\`) }},
	} {
		e := parse(t, c.in)
		if err := c.do(e); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := string(e.Append(nil)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestEditModel compares random edits with the same edits on a decoded map.
func TestEditModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "a.b", "a.c", "b.c.d", "b.c", "c", "c.d.e"}
	for range 20000 {
		in := `{"a":{"b":1,"c":"x"},"b":{"c":{"d":[1]}},"c":"s"}`
		e := parse(t, in)
		var model map[string]any
		_ = json.Unmarshal([]byte(in), &model)
		var log []string
		for range 1 + r.IntN(6) {
			p := MustPath(names[r.IntN(len(names))])
			switch op := r.IntN(4); op {
			case 0, 1:
				raw := []string{`1`, `"é\n"`, `{"d":1,"b":{"c":2}}`, `null`}[r.IntN(4)]
				log = append(log, "set "+p.String()+" "+raw)
				if (e.Set(p, []byte(raw)) == nil) != modelSet(model, p.Keys(), raw) {
					t.Fatalf("%v: conflict differs", log)
				}
			case 2:
				log = append(log, "delete "+p.String())
				modelDelete(model, p.Keys())
				e.Delete(p)
			case 3:
				q := MustPath(names[r.IntN(len(names))])
				log = append(log, "rename "+p.String()+" "+q.String())
				v := modelGet(model, p.Keys())
				found, err := e.Rename(p, q)
				if found != (v != nil || e.Get(p).Exists() || err == nil && found) {
					t.Fatalf("%v: found %v", log, found)
				}
				if found && err == nil && p.String() != q.String() {
					raw, _ := json.Marshal(v)
					modelDelete(model, p.Keys())
					modelSet(model, q.Keys(), string(raw))
				}
			}
			out := e.Append(nil)
			var got map[string]any
			if err := json.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(got, model) {
				want, _ := json.Marshal(model)
				t.Fatalf("%v: %s, want %s (%v)", log, out, want, err)
			}
		}
	}
}

func modelSet(m map[string]any, keys []string, raw string) bool {
	for _, k := range keys[:len(keys)-1] {
		switch v := m[k].(type) {
		case nil:
			n := map[string]any{}
			m[k] = n
			m = n
		case map[string]any:
			m = v
		default:
			return false
		}
	}
	var v any
	_ = json.Unmarshal([]byte(raw), &v)
	m[keys[len(keys)-1]] = v
	return true
}

func modelGet(m map[string]any, keys []string) any {
	var v any = m
	for _, k := range keys {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[k]
	}
	return v
}

func modelDelete(m map[string]any, keys []string) {
	for _, k := range keys[:len(keys)-1] {
		o, ok := m[k].(map[string]any)
		if !ok {
			return
		}
		m = o
	}
	delete(m, keys[len(keys)-1])
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"b":[1,2,{"c":"\ud800\udc00"}]},"é":null}`, `{"a":1e5,"a":-0}`, `{"a":"\u0000"} `, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e := &Event{}
		e.Reset(line)
		err := e.Parse()
		trimmed := bytes.TrimLeft(line, " \t\r\n")
		want := json.Valid(line) && len(trimmed) > 0 && trimmed[0] == '{' && utf8.Valid(line)
		if err == nil != want {
			if se, ok := err.(*SyntaxError); ok && se.Reason == "too deep" {
				return
			}
			t.Fatalf("%q: %v, encoding/json says %v", line, err, want)
		}
		if err != nil {
			return
		}
		if got := e.Append(nil); !bytes.Equal(got, line) {
			t.Fatalf("copied %q as %q", line, got)
		}
		// What the tape reads is what gjson reads, and writing every member anew keeps the values.
		gjson.ParseBytes(line).ForEach(func(k, v gjson.Result) bool {
			first := gjson.Result{}
			gjson.ParseBytes(line).ForEach(func(k2, v2 gjson.Result) bool {
				if k2.String() == k.String() {
					first = v2
					return false
				}
				return true
			})
			n := e.Find(e.Root(), string(AppendUnquoted(nil, []byte(k.Raw[1:len(k.Raw)-1]))))
			if n == None || string(e.ValueAt(n).Raw) != first.Raw {
				t.Fatalf("%q: key %q: tape has no %s", line, k.Raw, first.Raw)
			}
			if v.Type == gjson.String && !strings.Contains(v.Raw, `\u`) && v.String() != string(ValueOf([]byte(v.Raw)).Text(nil)) {
				t.Fatalf("text of %s", v.Raw)
			}
			return true
		})
		if err := e.SetString(KeyPath("added", "by.fuzz"), "x"); err == nil {
			if out := e.Append(nil); !json.Valid(out) {
				t.Fatalf("after an edit: %q", out)
			}
		}
	})
}

func FuzzEscapeText(f *testing.F) {
	f.Add([]byte("a\\b\x00\xff\\x41é"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		esc := EscapeText(nil, raw)
		if !utf8.Valid(esc) || bytes.IndexByte(esc, 0) >= 0 {
			t.Fatalf("%q escaped as %q", raw, esc)
		}
		if back := UnescapeText(nil, esc); !bytes.Equal(back, raw) {
			t.Fatalf("%q came back as %q", raw, back)
		}
		quoted := AppendString(nil, esc)
		var s string
		if err := json.Unmarshal(quoted, &s); err != nil || s != string(esc) {
			t.Fatalf("AppendString(%q) = %s: %v", esc, quoted, err)
		}
	})
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-24T08:17:44Z":                "2026-11-24T08:17:44.000Z",
		"2026-11-24 08:17:44.123456789+01:00": "2026-11-24T07:17:44.123456789Z",
		"2024-02-29T23:59:60Z":                "2024-03-01T00:00:00.000Z",
		"1969-12-31T23:59:59.5-0030":          "1970-01-01T00:29:59.500Z",
	} {
		ns, ok := ParseTime([]byte(in))
		if got := string(AppendTime(nil, ns)); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "2026-11-24", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-24T08:17:44", "2026-11-24T08:17:44.Z", "9999-01-01T00:00:00Z"} {
		if _, ok := ParseTime([]byte(in)); ok {
			t.Errorf("%q was read", in)
		}
	}
}

func TestBatch(t *testing.T) {
	var b Batch
	for range 3 {
		b.Reset()
		e := b.Push([]byte(`{"a":1}`))
		b.Push([]byte(`{"a":2}`)).Drop()
		b.Push([]byte("garbage \xff\x00"))
		x := b.After(e, b.End(append(b.Begin(10), `{"b":1}`...)))
		b.After(x, []byte(`{"b":2}`))
		b.Compact()
		b.Fail(b.Events[3], "test", "json", "no")
		want := `{"a":1}` + "\n" + `{"b":1}` + "\n" + `{"b":2}` + "\n" +
			`{"event":{"kind":"pipeline_error","original":"garbage \\xff\\x00"},"error":{"type":"json","message":"no"},"leat":{"stage":"test","escaped":true}}` + "\n"
		if got := string(b.AppendLines(nil)); got != want {
			t.Errorf("got %s want %s", got, want)
		}
	}
}

const audit = `{"ts":1763856000.000,"Id":"2f2b1c3d-1a2b-4123-a456-1234567890ab","RecordType":15,"Operation":"UserLoggedIn","OrganizationId":"5f1e0b4c-8a0b-4a7e-9d0b-1f0d6a1c2b3e","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","UserId":"u012345","userIP":"10.12.13.14","userPort":51234,"ResultStatus":"Success","hostName":"ws-01234.corp.example","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36","requestParameters":{"bucketName":"payroll-12","key":"hr\/2026\/01234.xlsx","roleArn":"arn:aws:iam::123456789012:role\/svc-7","durationSeconds":3600},"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"RequestType","Value":"OAuth2:Authorize"}],"Target":[{"ID":"00000002-0000-0000-c000-000000000000","Type":0}],"ErrorNumber":"0","InterSystemsId":"2f2b1c3d-1a2b-4123-a456-1234567890ab","IsCompliant":true}`

func BenchmarkParse(b *testing.B) {
	line := []byte(audit)
	e := &Event{}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(line)
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadEditWrite(b *testing.B) {
	line := []byte(audit)
	e := &Event{}
	f := MustFields("ts", "Operation", "UserId", "userIP", "userPort", "ResultStatus", "hostName", "UserAgent", "requestParameters.key", "Target")
	dst := make([]Value, f.Len())
	dep, office := MustPath("user.department"), MustPath("user.office.city")
	var out []byte
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(line)
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
		f.Read(e, dst)
		_ = e.SetString(dep, "Payroll")
		_ = e.SetString(office, "Budapest")
		out = e.Append(out[:0])
	}
}

func TestSetNew(t *testing.T) {
	for _, c := range []struct {
		in, path, out string
		set, fails    bool
	}{
		{`{"a":1}`, "a", `{"a":1}`, false, false},
		{`{"a":null}`, "a", `{"a":"x"}`, true, false},
		{`{"a":{"b":false}}`, "a.b", `{"a":{"b":false}}`, false, false},
		{`{"a":{"b":{}}}`, "a.b", `{"a":{"b":{}}}`, false, false},
		{`{"a":{ "c":1}}`, "a.b", `{"a":{"c":1,"b":"x"}}`, true, false},
		{`{"a": null}`, "a.b.c", `{"a":{"b":{"c":"x"}}}`, true, false},
		{`{ "a": 7}`, "a.b", `{ "a": 7}`, false, true},
		{`{}`, "a.b.c.d.e.f.g.h.i.j", `{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"j":"x"}}}}}}}}}}`, true, false},
		{`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"k":1}}}}}}}}}}`, "a.b.c.d.e.f.g.h.i.j", `{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"k":1,"j":"x"}}}}}}}}}}`, true, false},
		{`no json`, "a", `no json`, false, true},
	} {
		var e Event
		e.Reset([]byte(c.in))
		set, err := e.SetNew(MustPath(c.path), []byte(`"x"`))
		if out := string(e.Append(nil)); set != c.set || err != nil != c.fails || out != c.out {
			t.Errorf("%s of %s: %v, %v, %s; want %v, %s", c.path, c.in, set, err, out, c.set, c.out)
		}
	}
}
