package ocsf

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

// TestValues: each kind of attribute takes what is of its type, as a whole or not, and nothing else.
func TestValues(t *testing.T) {
	p, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, err := published()
	if err != nil {
		t.Fatal(err)
	}
	find := func(object, name string) *attribute {
		o := s.objects[object]
		if o == nil {
			o = s.classes[object]
		}
		if o == nil || o.byName[name] == nil {
			t.Fatalf("no %s.%s", object, name)
		}
		return o.byName[name]
	}
	outcome := &valueTable{exact: map[string][]byte{"ok": []byte("Success")}, globs: []globValue{{"fail*", []byte("Failure")}}}
	for _, c := range []struct {
		object, name string
		src          source
		in, want     string
		how          result
	}{
		{"user", "name", source{}, `"ann"`, `"ann"`, exact},
		{"user", "name", source{}, `17`, `"17"`, exact},
		{"user", "name", source{}, `true`, `"true"`, exact},
		{"user", "name", source{}, `""`, ``, misfit},
		{"user", "name", source{}, `null`, ``, misfit},
		{"user", "name", source{}, `{"a":1}`, ``, misfit},
		{"user", "email_addr", source{}, `"ann@example.org"`, `"ann@example.org"`, exact},
		{"user", "email_addr", source{}, `"ann@host"`, ``, misfit},
		{"user", "email_addr", source{}, `"ann@"`, ``, misfit},
		{"user", "email_addr", source{}, `"@"`, ``, misfit},
		{"process", "pid", source{}, `4711`, `4711`, exact},
		{"process", "pid", source{}, `"4711"`, `4711`, exact},
		{"process", "pid", source{}, `1.5`, ``, misfit},
		{"process", "pid", source{}, `99999999999999999999`, ``, misfit},
		{"network_endpoint", "port", source{}, `65535`, `65535`, exact},
		{"network_endpoint", "port", source{}, `65536`, ``, misfit},
		{"network_endpoint", "port", source{}, `-1`, ``, misfit},
		{"network_endpoint", "ip", source{}, `"2001:db8::1"`, `"2001:db8::1"`, exact},
		{"network_endpoint", "ip", source{}, `"12.000.22.33"`, ``, misfit},
		{"network_endpoint", "mac", source{}, `"00-1A-2B-3C-4D-5E"`, `"00-1A-2B-3C-4D-5E"`, exact},
		{"network_endpoint", "mac", source{}, `"001A2B3C4D5E"`, ``, misfit},
		{"location", "lat", source{}, `-12.5`, `-12.5`, exact},
		{"location", "lat", source{}, `"12.50"`, `12.5`, exact},
		{"location", "lat", source{}, `"NaN"`, ``, misfit},
		{"session", "is_mfa", source{}, `"true"`, `true`, exact},
		{"session", "is_mfa", source{}, `"yes"`, ``, misfit},
		{"session", "uuid", source{}, `"8311ce18-5d58-40f1-a4b3-a757df7cbe47"`, `"8311ce18-5d58-40f1-a4b3-a757df7cbe47"`, exact},
		{"session", "uuid", source{}, `"{8311ce18}"`, ``, misfit},
		{"base_event", "time", source{}, `"2026-11-24T08:17:44.123Z"`, `1795508264123`, exact},
		{"base_event", "time", source{}, `"2026-11-24T08:17:44.123456Z"`, `1795508264123`, rough},
		{"base_event", "time", source{}, `"1969-12-31T23:59:59.9995Z"`, `-1`, rough},
		{"base_event", "time", source{}, `"yesterday"`, ``, misfit},
		{"base_event", "duration", source{fn: "ms"}, `2000000`, `2`, exact},
		{"base_event", "duration", source{fn: "ms"}, `2500000`, `2`, rough},
		{"base_event", "duration", source{fn: "ms"}, `"x"`, ``, misfit},
		{"base_event", "status_id", source{fn: "map", table: outcome}, `"OK"`, `1,"status":"Success"`, exact},
		{"base_event", "status_id", source{fn: "map", table: outcome}, `"failed login"`, `2,"status":"Failure"`, exact},
		{"base_event", "status_id", source{fn: "map", table: outcome}, `"odd"`, ``, misfit},
		{"base_event", "status_id", source{}, `"success"`, `1,"status":"Success"`, exact},
		{"base_event", "status_id", source{}, `"Odd \"one\""`, `99,"status":"Odd \"one\""`, exact},
		{"http_request", "http_method", source{fn: "upper"}, `"get"`, `"GET"`, exact},
		{"http_request", "http_method", source{fn: "upper"}, `"propfind"`, ``, misfit},
		{"file", "name", source{fn: "basename"}, `"C:\\tmp\\a.exe"`, `"a.exe"`, rough},
		{"file", "name", source{fn: "basename"}, `"/tmp/"`, ``, misfit},
		{"network_connection_info", "protocol_ver_id", source{fn: "version"}, `"::ffff:192.0.2.1"`, `4,"protocol_ver":"Internet Protocol version 4 (IPv4)"`, rough},
		{"request", "data", source{}, `{"a":[1, 2]}`, `{"a":[1, 2]}`, exact},
	} {
		a := find(c.object, c.name)
		l := &leaf{kind: kindOf(s, a), attr: a}
		if a.sibling != "" {
			l.sibling = append(event.AppendString(nil, a.sibling), ':')
		}
		r := newRun(p, nil)
		got, how := r.value(nil, l, &c.src, event.ValueOf([]byte(c.in)))
		if how == misfit {
			got = nil
		}
		if string(got) != c.want || how != c.how {
			t.Errorf("%s.%s of %s: %s (%d), not %s (%d)", c.object, c.name, c.in, got, how, c.want, c.how)
		}
	}
}

// TestLists: a list is taken whole, in part, or not at all, and what is not taken stays.
func TestLists(t *testing.T) {
	const base = `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["network"]},"source":{"ip":"192.0.2.1"},"dns":{"question":{"name":"n"},%s}}`
	for _, c := range []struct {
		name, dns string
		want      map[string]any
	}{
		{"all is read", `"answers":[{"data":"a","ttl":1},{"data":"b"}]`, map[string]any{"answers.0.rdata": "a", "answers.0.ttl": "1", "answers.1.rdata": "b", "unmapped.dns": nil}},
		{"a member that no row reads", `"answers":[{"data":"a","extra":1}]`, map[string]any{"answers.0.rdata": "a", "unmapped.dns.answers.0.extra": "1"}},
		{"a value that does not fit", `"answers":[{"data":"a","ttl":"long"}]`, map[string]any{"answers.0.rdata": "a", "unmapped.dns.answers.0.ttl": "long"}},
		{"an element that lacks what it must have", `"answers":[{"ttl":1},{"data":"b"}]`, map[string]any{"answers.0.rdata": "b", "unmapped.dns.answers.0.ttl": "1"}},
		{"no objects", `"answers":["a","b"]`, map[string]any{"answers": nil, "unmapped.dns.answers.1": "b"}},
		{"one where a list is expected", `"answers":{"data":"a"}`, map[string]any{"answers.0.rdata": "a"}},
		{"too many", `"answers":[` + strings.TrimSuffix(strings.Repeat(`{"data":"a"},`, maxEach+1), ",") + `]`, map[string]any{"answers": nil, "unmapped.dns.answers.1000.data": "a"}},
	} {
		line := turn(t, strings.Replace(base, "%s", c.dns, 1))[0]
		m := tree(t, line)
		for path, want := range c.want {
			got := at(m, path)
			if n, ok := got.(interface{ String() string }); ok {
				got = n.String()
			}
			if got != want {
				t.Errorf("%s: %s is %v, not %v in %.400s", c.name, path, got, want, line)
			}
		}
		for _, f := range newChecker(t).event([]byte(line)) {
			t.Errorf("%s: %s", c.name, f)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*logout*", "User-LOGOUT-ok", true}, {"logon", "Logon", true}, {"logon", "logons", false}, {"a*b*c", "aXXbYYc", true}, {"a*b", "aXbX", false}, {"*", "", true}, {"", "", true}, {"", "x", false},
	} {
		if glob(c.pattern, []byte(c.text)) != c.want {
			t.Errorf("%q and %q: not %v", c.pattern, c.text, c.want)
		}
	}
}
