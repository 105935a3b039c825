package normalize

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseAgent(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", `"Chrome" "120.0.0.0" "Windows" "10.0" "windows" `},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:93.0) Gecko/20100101 Firefox/93.0", `"Firefox" "93.0" "Mac OS X" "10.15" "macos" `},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2 Mobile/15E148 Safari/604.1", `"Safari" "26.2" "iOS" "18.7" "ios" "iPhone"`},
		{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:93.0) Gecko/20100101 Firefox/93.0", `"Firefox" "93.0" "Ubuntu"  "linux" `},
		{"curl/8.5.0", `"curl" "8.5.0"    `},
		{"aws-cli/2.15.0 Python/3.11.6 Linux/5.10.205 source/x86_64.amzn.2", `"aws-cli" "2.15.0" "Linux" "5.10.205" "linux" `},
		{"python-requests/2.32.5", `"Python Requests" "2.32.5"    `},
		{"Mozilla/4.08 [en] (Win98; I ;Nav)", `     `},
		{"() { :;}; /bin/bash -c 'id'", `     `},
		{"-", `"-"     `},
		{"", `     `},
	} {
		a := parseAgent([]byte(c.header))
		if got := fmt.Sprintf("%s %s %s %s %s %s", a.name, a.version, a.osName, a.osVersion, a.osType, a.device); got != c.want {
			t.Errorf("%s\n gives %s\n not   %s", c.header, got, c.want)
		}
	}
}

func TestSplitDomain(t *testing.T) {
	for _, c := range []struct{ name, registered, suffix, sub string }{
		{"www.example.co.uk", "example.co.uk", "co.uk", "www"},
		{"Example.ORG", "Example.ORG", "ORG", ""},
		{"_ldap._tcp.dc.example.org.", "example.org", "org", "_ldap._tcp.dc"},
		{"bucket.s3.amazonaws.com", "amazonaws.com", "com", "bucket.s3"},
		{"d1.cloudfront.net", "cloudfront.net", "net", "d1"},
		{"com", "", "", ""},
		{"co.uk", "", "", ""},
		{"host.corp", "", "", ""},
		{"192.0.2.1", "", "", ""},
		{"2001:db8::1", "", "", ""},
		{".com", "", "", ""},
		{"a..com", "", "", ""},
		{"bücher.example.de", "", "", ""},
		{"a b.com", "", "", ""},
		{"", "", "", ""},
	} {
		var r runner
		reg, suffix, sub := r.domain([]byte(c.name))
		if string(reg) != c.registered || string(suffix) != c.suffix || string(sub) != c.sub {
			t.Errorf("%s: %q %q %q, not %q %q %q", c.name, reg, suffix, sub, c.registered, c.suffix, c.sub)
		}
	}
}

// FuzzSplitDomain: the parts put together are the name.
func FuzzSplitDomain(f *testing.F) {
	f.Add("www.example.co.uk.")
	f.Add("..co.uk")
	f.Add(".0.uA")
	f.Fuzz(func(t *testing.T, name string) {
		var r runner
		reg, suffix, sub := r.domain([]byte(name))
		if len(reg) == 0 {
			return
		}
		whole := strings.TrimSuffix(name, ".")
		if len(sub) > 0 {
			reg = append(append(append([]byte(nil), sub...), '.'), reg...)
		}
		if string(reg) != whole || !strings.HasSuffix(whole, "."+string(suffix)) {
			t.Errorf("%q: %q %q %q", name, reg, suffix, sub)
		}
	})
}

// FuzzParseAgent: whatever a client sends, what comes out are short JSON strings.
func FuzzParseAgent(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64) Chrome/1.0")
	f.Add("Mozilla/5.0 (((;;;)")
	f.Fuzz(func(t *testing.T, header string) {
		a := parseAgent([]byte(header))
		for _, p := range agentParts {
			if v := a.part(p); v != nil && (len(v) < 3 || len(v) > 140 || v[0] != '"' || v[len(v)-1] != '"') {
				t.Errorf("%s of %q: %s", p, header, v)
			}
		}
	})
}

func TestRecentIsBoundedAndKeepsWhatIsAskedFor(t *testing.T) {
	var c recent[int]
	made := map[string]int{}
	get := func(key string) int {
		return c.get([]byte(key), func(k []byte) int { made[string(k)]++; return len(k) })
	}
	for i := range 20 * maxRecent {
		get(fmt.Sprintf("key %d", i))
		if get("always") != 6 {
			t.Fatal("a wrong answer")
		}
	}
	if n := len(c.now) + len(c.old); n > 2*maxRecent {
		t.Errorf("%d answers are held", n)
	}
	if made["always"] != 1 {
		t.Errorf("what is asked for all the time was computed %d times", made["always"])
	}
	long := strings.Repeat("x", maxRecentKey+1)
	get(long)
	get(long)
	if made[long] != 2 {
		t.Error("a long key was kept")
	}
}

func TestURLAndMailParts(t *testing.T) {
	u := []byte("https://ann:pw@[2001:db8::1]:8443/a/b.php?x=1&y=2#top")
	for part, want := range map[string]string{"scheme": "https", "user": "ann", "host": "2001:db8::1", "port": "8443", "path": "/a/b.php", "query": "x=1&y=2", "fragment": "top"} {
		if got := string(urlPart(u, part)); got != want {
			t.Errorf("%s: %q, not %q", part, got, want)
		}
	}
	if got := string(urlPart([]byte("/only/path?q"), "path")); got != "/only/path" {
		t.Errorf("path of a target: %q", got)
	}
	for _, c := range [][3]string{
		{`"Lee, Ann" <ann@example.org>`, "address", "ann@example.org"}, {`"Lee, Ann" <ann@example.org>`, "name", "Lee, Ann"}, {"ann@example.org", "local", "ann"},
		{"<ann@example.org>", "domain", "example.org"}, {"ann@example.org", "name", ""}, {"no mail", "address", ""}, {"@x", "domain", ""},
	} {
		if got := string(mailPart([]byte(c[0]), c[1])); got != c[2] {
			t.Errorf("%s of %s: %q, not %q", c[1], c[0], got, c[2])
		}
	}
}

func TestPartFunctions(t *testing.T) {
	const mapping = `
name: acme.parts
when: {keys: {acmeUrl: '*'}}
parse: json
fields:
  user_agent.original: agent
  url.original: acmeUrl
  user.name: acmeUrl | parameter login
  user.email: from | email address
  source.registered_domain: host | registered_domain
  source.subdomain: host | subdomain
tests:
  - in: '{"acmeUrl":"https://www.example.co.uk/x?login=ann%20b+c","agent":"curl/8.5.0","from":"Ann <ann@example.org>","host":"a.b.example.org"}'
    out: {user.name: ann b c, user.email: ann@example.org, source.registered_domain: example.org, source.subdomain: a.b, user_agent.name: curl,
      user_agent.version: 8.5.0, url.registered_domain: example.co.uk, url.top_level_domain: co.uk, url.subdomain: www}
`
	p, err := compileMapping("acme.yaml", []byte(mapping), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &Mappings{index: newIndex([]*plan{p}), plans: []*plan{p}}
	n, faults := m.Test()
	if n != 1 || len(faults) > 0 {
		t.Errorf("%d tests, faults: %v", n, faults)
	}
	if _, err := compileMapping("acme.yaml", []byte(strings.Replace(mapping, "email address", "email adress", 1)), nil); err == nil || !strings.Contains(err.Error(), "wants one of address, name, local, domain") {
		t.Errorf("a wrong part is no fault: %v", err)
	}
}

// `derive: false` leaves out what would follow from a user agent and a domain.
func TestDeriveCanBeLeftOut(t *testing.T) {
	for text, want := range map[string]bool{"": true, "derive: true\n": true, "derive: false\n": false} {
		m, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte(
			"name: x\nwhen: {keys: {ua: '*'}}\nparse: json\n" + text + "fields: {user_agent.original: ua, url.domain: host}\n")})
		if err != nil {
			t.Fatal(err)
		}
		got := normal(t, New(Config{Mappings: m}), `{"ua":"curl/8.1","host":"www.example.co.uk"}`)
		if has := strings.Contains(got, `"registered_domain":"example.co.uk"`) && strings.Contains(got, `"name":"curl"`); has != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	if _, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nderive: maybe\n")}); err == nil {
		t.Error("derive: maybe was taken")
	}
}
