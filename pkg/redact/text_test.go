package redact

import (
	"strings"
	"testing"
)

// runOf is what a stage works with, with values that a rule has redacted.
func runOf(t *testing.T, rules string, values map[string]action) *run {
	t.Helper()
	r := &stageOf(t, rules).run
	r.secrets.reset()
	for v, a := range values {
		r.secrets.add([]byte(v), &a, r.keyed)
	}
	return r
}

func TestTextsWithValuesInThem(t *testing.T) {
	x, y := action{verb: replace, text: "X"}, action{verb: replace, text: "Y"}
	for _, c := range []struct {
		name, rules, text, want string
		values                  map[string]action
	}{
		{"nothing", "fields: {user.name: remove}", "no name here", "no name here", map[string]action{"annabel": x}},
		{"in a word", "fields: {user.name: remove}", "preannabelpost ANNABEL", "preXpost X", map[string]action{"annabel": x}},
		{"a short one as a word", "fields: {user.name: remove}", "ann, annabel and joann: ANN", "X, annabel and joann: X", map[string]action{"ann": x}},
		{"digits as a word", "fields: {user.name: remove}", "1000 11000 1000a uid=1000", "X 11000 1000a uid=X", map[string]action{"1000": x}},
		{"a sign is no value", "fields: {user.name: remove}", "a - b", "a - b", map[string]action{"-": x, "": x}},
		{"the longer first", "fields: {user.name: remove}", "annabel.lee annabel", "Y X", map[string]action{"annabel": x, "annabel.lee": y}},
		{"one over the other's end", "fields: {user.name: remove}", "annabellee", "XY", map[string]action{"annabel": x, "bellee": y}},
		{"an address in all its spellings", "fields: {user.name: remove}", "192.0.2.1:80 ::ffff:192.0.2.1 ip-192-0-2-1.x 192.0.2.10", "X:80 X ip-X.x 192.0.2.10", map[string]action{"192.0.2.1": x}},
		{"one of IPv6 too", "fields: {user.name: remove}", "[2001:DB8:0:0::1]:443", "[X]:443", map[string]action{"2001:db8::1": x}},
		{"a pattern does not see what was put in", "key: {env: KEY}\npatterns: {email: {replace: E}}", "annabel x@y.example", "m@n.example E", map[string]action{"annabel": {verb: replace, text: "m@n.example"}}},
		{"a value within a pattern's match", "patterns: {email: {replace: E}}", "annabel@y.example", "E", map[string]action{"annabel": x}},
		{"many", "patterns: {email: {replace: E}}", strings.Repeat("a@b.example ", 50), strings.Repeat("E ", 50), nil},
		{"in JSON and in a URL", "fields: {user.name: remove}", `{"u":"a\\b c"} a%5Cb+c a%5Cb%20c`, `{"u":"X"} X X`, map[string]action{`a\b c`: x}},
	} {
		r := runOf(t, c.rules, c.values)
		got, changed := r.redactText(nil, []byte(c.text))
		if !changed {
			got = []byte(c.text)
		}
		if string(got) != c.want || changed != (c.text != c.want) {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestActions(t *testing.T) {
	k := newKeyed([]byte(testKey))
	for _, c := range []struct {
		act      action
		in, want string
	}{
		{action{verb: mask, n: 4}, "4111111111111111", "************1111"},
		{action{verb: mask, n: 4}, "12345678", "********"},
		{action{verb: mask}, "ann", "***"},
		{action{verb: mask, n: 2}, "Jérôme", "****me"},
		{action{verb: replace, text: "X"}, "ann", "X"},
		{action{verb: remove}, "ann", removedText},
	} {
		if got := string(c.act.append(nil, []byte(c.in), k)); got != c.want {
			t.Errorf("%v of %s: %s, not %s", c.act, c.in, got, c.want)
		}
	}
	hash := func(n int, s string) string { return string((&action{verb: hashed, n: n}).append(nil, []byte(s), k)) }
	if a, b := hash(16, "ann"), hash(64, "ann"); len(a) != 16 || len(b) != 64 || !strings.HasPrefix(b, a) || a == hash(16, "Ann") {
		t.Errorf("hashes: %s, %s", a, b)
	}
	if host := string((&action{verb: address}).append(nil, []byte("web1"), k)); host != hash(hashDigits, "web1") {
		t.Errorf("what is no address becomes %s", host)
	}
	if newKeyed(nil) != nil {
		t.Error("no secret makes pseudonyms")
	}
}

func TestVerdicts(t *testing.T) {
	s := stageOf(t, "key: {env: KEY}\nfields: {user: hash, '*.token': remove, source.*: hash}")
	v := &s.run.rules
	for path, want := range map[string]string{
		"user.name": "user", "user.target.name": "user", "user_agent.original": "", "acme.deep.token": "*.token", "source.address": "source.*", "source.ip": "source.*",
	} {
		if got := v.of([]byte(path)); got.rule != want || (got.act != nil) != (want != "") {
			t.Errorf("%s: rule %q, not %q", path, got.rule, want)
		}
	}
	if d := v.of([]byte("source.ip")); d.act.verb != remove {
		t.Error("a field of addresses would hold a hash")
	}
	for path, want := range map[string]bool{"user": true, "source": true, "acme": true, "": true} {
		if got := v.below([]byte(path)); got != want {
			t.Errorf("below %q: %v", path, got)
		}
	}
	if only := stageOf(t, "fields: {user.name: remove}"); only.run.rules.below([]byte("aws")) || !only.run.rules.below([]byte("user")) {
		t.Error("where to look is not known")
	}
	for i := range 3 * maxVerdicts {
		v.of([]byte("a." + strings.Repeat("x", i%200) + string(rune('a'+i%26)) + strings.Repeat("y", i/200)))
	}
	if len(v.seen) > maxVerdicts {
		t.Errorf("%d names are remembered", len(v.seen))
	}
}
