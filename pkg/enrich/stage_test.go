package enrich

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

func TestJoin(t *testing.T) {
	s := open(t, put(t, "", "users.csv", people, "enrich.yaml", peopleYAML), Options{})
	for _, c := range []struct{ name, in, want string }{
		{"by one alias", `{"user":{"name":"jkovacs"}}`,
			`{"user":{"name":"jkovacs","full_name":"József Kovács","email":"j.kovacs@corp.example","office":{"city":"Budapest"}},"leat":{"enrich":{"users":"hit"}}}`},
		{"a number is a key as well", `{"user":{"id":7}}`,
			`{"user":{"id":7,"full_name":"József Kovács","email":"j.kovacs@corp.example","office":{"city":"Budapest"}},"leat":{"enrich":{"users":"hit"}}}`},
		{"case and space don't count", `{"user":{"name":" JKovacs\t"}}`,
			`{"user":{"name":" JKovacs\t","full_name":"József Kovács","email":"j.kovacs@corp.example","office":{"city":"Budapest"}},"leat":{"enrich":{"users":"hit"}}}`},
		{"escapes are decoded", `{"user":{"name":"\u006akov\u0061cs"}}`,
			`{"user":{"name":"\u006akov\u0061cs","full_name":"József Kovács","email":"j.kovacs@corp.example","office":{"city":"Budapest"}},"leat":{"enrich":{"users":"hit"}}}`},
		{"an empty cell sets nothing", `{"user":{"name":"nbyrne"}}`,
			`{"user":{"name":"nbyrne","full_name":"Niamh Byrne","email":"n.byrne@corp.example"},"leat":{"enrich":{"users":"hit"}}}`},
		{"the second field where the first is unknown", `{"user":{"id":"S-1-5-18","name":"nbyrne"}}`,
			`{"user":{"id":"S-1-5-18","name":"nbyrne","full_name":"Niamh Byrne","email":"n.byrne@corp.example"},"leat":{"enrich":{"users":"hit"}}}`},
		{"what the event says stays", `{"user":{"name":"nbyrne","email":"me@home.example","full_name":null}}`,
			`{"user":{"name":"nbyrne","email":"me@home.example","full_name":"Niamh Byrne"},"leat":{"enrich":{"users":"hit"}}}`},
		{"an array has several keys", `{"user":{"name":["root","nbyrne"]}}`,
			`{"user":{"name":["root","nbyrne"],"full_name":"Niamh Byrne","email":"n.byrne@corp.example"},"leat":{"enrich":{"users":"hit"}}}`},
		{"miss", `{"user":{"name":"root"}}`, `{"user":{"name":"root"},"leat":{"enrich":{"users":"miss"}}}`},
		{"no key, no status", `{"host":{"name":"a"}}`, `{"host":{"name":"a"}}`},
		{"an empty key is none", `{"user":{"name":" ","id":null}}`, `{"user":{"name":" ","id":null}}`},
		{"a text in the way stays", `{"user":{"name":"nbyrne","office":"x"},"leat":1}`,
			`{"user":{"name":"nbyrne","office":"x","full_name":"Niamh Byrne","email":"n.byrne@corp.example"},"leat":1}`},
		{"an error passes", `{"event":{"kind":"pipeline_error"},"user":{"name":"nbyrne"}}`,
			`{"event":{"kind":"pipeline_error"},"user":{"name":"nbyrne"}}`},
		{"untouched bytes stay as they are", `{ "n" : 1.50e+2, "host":{"b":true} }`, `{ "n" : 1.50e+2, "host":{"b":true} }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := one(t, s, c.in); got != c.want {
				t.Errorf("\n in   %s\n got  %s\n want %s", c.in, got, c.want)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	const head = "dimensions:\n  users: {file: users.csv, key: sam, max_age: 1h}\n  gone: {file: gone.csv, key: id, optional: true}\nrules:\n" +
		"  - {field: user.name, status: true, set: {user.email: email}, "
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(people)))
	fresh, old := time.Now(), time.Now().Add(2*time.Hour)
	const miss, hit = `{"user":{"name":"x"}}`, `{"user":{"name":"nbyrne"}}`
	for _, c := range []struct {
		name, rule string
		now        time.Time
		in         string
		want       map[string]string
	}{
		{"miss passes", "dimension: users}", fresh, miss, map[string]string{"leat.enrich.users": "miss", "user.email": ""}},
		{"miss with defaults", "dimension: users, on_miss: default, default: {user.email: none, user.risk: 5, tags: [unknown]}}", fresh, miss,
			map[string]string{"leat.enrich.users": "miss", "user.email": "none", "user.risk": "5", "tags": `["unknown"]`}},
		{"miss is an error", "dimension: users, on_miss: error}", fresh, miss,
			map[string]string{"event.kind": "pipeline_error", "error.type": "enrich_miss", "leat.stage": "enrich", "user.name": "x"}},
		{"stale is used", "dimension: users}", old, hit, map[string]string{"leat.enrich.users": "stale", "user.email": "n.byrne@corp.example"}},
		{"stale gives defaults", "dimension: users, on_stale: default, default: {user.email: none}}", old, hit,
			map[string]string{"leat.enrich.users": "stale", "user.email": "none"}},
		{"stale is an error", "dimension: users, on_stale: error}", old, hit,
			map[string]string{"event.kind": "pipeline_error", "error.type": "enrich_stale", "user.email": ""}},
		{"an absent dimension passes", "dimension: gone}", fresh, hit, map[string]string{"leat.enrich.gone": "error", "user.email": ""}},
		{"an absent dimension is an error", "dimension: gone, on_error: error}", fresh, hit,
			map[string]string{"event.kind": "pipeline_error", "error.type": "enrich_error"}},
		{"a name of its own and the version", "dimension: users, name: people, version: true}", fresh, hit,
			map[string]string{"leat.enrich.people": "hit", "leat.enrich.users": "", "leat.enrich_version.people": sum[:16]}},
		{"overwrite", "dimension: users, overwrite: true}", fresh, `{"user":{"name":"nbyrne","email":"x@home.example"}}`,
			map[string]string{"user.email": "n.byrne@corp.example"}},
		{"unless", "dimension: users, unless: user.roles}", fresh, `{"user":{"name":"nbyrne","roles":[]}}`,
			map[string]string{"user.email": "", "leat.enrich.users": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := put(t, "", "users.csv", people, "enrich.yaml", head+c.rule+"\n")
			got := one(t, open(t, dir, Options{Now: func() time.Time { return c.now }}), c.in)
			for name, want := range c.want {
				if v := field(t, got, name); v != want {
					t.Errorf("%s is %q, want %q: %s", name, v, want, got)
				}
			}
		})
	}
}

func TestSeveralFieldsMakeOneKey(t *testing.T) {
	dir := put(t, "", "users.csv", "dom,sam,mail\nCORP,ann,a@x\nLAB,ann,b@x\nLAB,,c@x\n", "enrich.yaml", `
dimensions:
  users: {file: users.csv, key: '{dom}\{sam}', fold: true}
rules:
  - {field: '{user.domain}\{user.name}', dimension: users, set: {user.email: mail}}
`)
	s := open(t, dir, Options{})
	for in, want := range map[string]string{
		`{"user":{"domain":"lab","name":"Ann"}}`:       "b@x",
		`{"user":{"domain":"CORP","name":"\u0061nn"}}`: "a@x",
		`{"user":{"domain":"LAB"}}`:                    "",
		`{"user":{"domain":"LAB","name":{}}}`:          "",
		`{"user":{"domain":"LAB","name":"bob"}}`:       "",
	} {
		if got := field(t, one(t, s, in), "user.email"); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestLaterRuleUsesEarlier: what one rule wrote is a key for the next.
func TestLaterRuleUsesEarlier(t *testing.T) {
	dir := put(t, "", "users.csv", people, "offices.json", `[{"city":"budapest","site":{"code":"BUD-1","floors":6,"tags":["hq"]}}]`, "enrich.yaml", `
dimensions:
  users: {file: users.csv, key: sam}
  offices: {file: offices.json, key: city, fold: true}
rules:
  - {field: user.name, dimension: users, set: {user.office.city: office}}
  - {field: user.office.city, dimension: offices, set: {user.office.name: site.code, x.floors: site.floors, x.tags: site.tags}}
`)
	got := one(t, open(t, dir, Options{}), `{"user":{"name":"jkovacs"}}`)
	want := `{"user":{"name":"jkovacs","office":{"city":"Budapest","name":"BUD-1"}},"x":{"floors":6,"tags":["hq"]}}`
	if got != want {
		t.Errorf("\n got  %s\n want %s", got, want)
	}
}

// TestClones: side by side or alone, the same lines in the same order come out.
func TestClones(t *testing.T) {
	dir := put(t, "", "users.csv", people, "enrich.yaml", peopleYAML)
	var in strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&in, `{"n":%d,"user":{"name":"%s"}}`+"\n", i, []string{"jkovacs", "NBYRNE", "root"}[i%3])
	}
	alone := lines(t, open(t, dir, Options{}), in.String())
	beside := lines(t, stage.Parallel(open(t, dir, Options{}), 4), in.String())
	if strings.Join(alone, "\n") != strings.Join(beside, "\n") || len(alone) != 2000 {
		t.Errorf("%d and %d lines differ", len(alone), len(beside))
	}
}

func TestNoAllocation(t *testing.T) {
	dir := put(t, "", "users.csv", people, "nets.csv", "cidr,site\n10.0.0.0/8,a\nfd00::/8,b\n", "enrich.yaml", peopleYAML+
		"  - {field: source.ip, dimension: nets, status: true, set: {source.geo.name: site}}\n")
	yaml := strings.Replace(peopleYAML, "rules:", "  nets: {file: nets.csv, key: cidr, join: cidr}\nrules:", 1) +
		"  - {field: source.ip, dimension: nets, status: true, set: {source.geo.name: site}}\n"
	s := open(t, put(t, dir, "enrich.yaml", yaml), Options{Fixed: true})
	var b event.Batch
	in := [][]byte{
		[]byte(`{"user":{"name":"JKov\u0061cs"},"source":{"ip":"10.1.2.3"}}`),
		[]byte(`{"user":{"name":"nobody"},"source":{"ip":"fd00::1:2"}}`),
		[]byte(`{"user":{"name":["a","nbyrne"]},"source":{"ip":"no address"}}`),
	}
	out := make([]byte, 0, 4096)
	work := func() {
		b.Reset()
		for _, l := range in {
			b.Push(l)
		}
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		out = b.AppendLines(out[:0])
	}
	work()
	if !strings.Contains(string(out), `"name":"b"`) {
		t.Fatalf("not enriched: %s", out)
	}
	// Process itself names its counters once per batch; what is bounded is the cost per event.
	many := testing.AllocsPerRun(100, func() {
		work()
		for range 20 {
			s.event(&b, b.Events[0], time.Time{})
		}
	})
	few := testing.AllocsPerRun(100, work)
	// An allocation for each event would be 20; the race detector lets pools forget now and then.
	if many-few >= 10 {
		t.Errorf("20 events more allocate %.1f times", many-few)
	}
}
