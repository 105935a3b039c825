package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"leat/pkg/event"
	"leat/pkg/sigma"
)

// lockedBuffer is a log that a goroutine may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func explainer(t testing.TB, rules ...*sigma.Rule) *Explainer {
	t.Helper()
	x, err := NewExplainer(rules, builtinFields(t))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func parsed(t testing.TB, line string) *event.Event {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

func source(s string) sigma.LogSource {
	p := strings.Split(s, "/")
	return sigma.LogSource{Product: p[0], Category: p[1], Service: p[2]}
}

func TestRoutes(t *testing.T) {
	x := explainer(t)
	sysmon := `"Channel":"Microsoft-Windows-Sysmon/Operational"`
	for _, c := range []struct {
		line    string
		yes, no []string
	}{
		{`{` + sysmon + `,"EventID":1}`, []string{"windows/process_creation/", "windows//sysmon", "windows//", "/process_creation/", "//"},
			[]string{"windows/file_event/", "linux/process_creation/", "windows//security"}},
		{`{` + sysmon + `,"EventID":"13"}`, []string{"windows/registry_set/", "windows/registry_event/"}, []string{"windows/registry_add/"}},
		{`{` + sysmon + `,"EventID":12}`, []string{"windows/registry_add/", "windows/registry_delete/", "windows/registry_event/"}, []string{"windows/registry_set/"}},
		{`{` + sysmon + `,"EventID":14}`, []string{"windows/registry_event/", "windows/registry_rename/"}, []string{"windows/registry_set/"}},
		{`{` + sysmon + `,"EventID":26}`, []string{"windows/file_delete/"}, nil},
		{`{` + sysmon + `,"EventID":999}`, []string{"windows//sysmon"}, []string{"windows/process_creation/"}},
		{`{"winlog":{"channel":"Security","event_id":4688},"event":{"dataset":"windows.other"}}`, []string{"windows/process_creation/", "windows//security"}, []string{"windows//system"}},
		{`{"Event":{"System":{"Channel":"Security","EventID":{"#text":4688}}}}`, []string{"windows/process_creation/"}, nil},
		{`{"event":{"dataset":"windows.sysmon","code":"3"}}`, []string{"windows/network_connection/"}, []string{"/firewall/"}},
		{`{"Provider_Name":"Microsoft-Windows-Sysmon","EventID":7}`, []string{"windows/image_load/"}, []string{"windows/driver_load/"}},
		{`{"Channel":"Microsoft-Windows-AppLocker\/EXE and DLL"}`, []string{"windows//applocker"}, []string{"windows//system"}},
		{`{"Channel":"Something New/Operational","EventID":1}`, []string{"windows//", "windows//whatever"}, []string{"windows/process_creation/", "linux//"}},
		{`{"event":{"dataset":"linux.auth"},"process":{"name":"sshd"}}`, []string{"linux//sshd", "linux//auth", "linux//"}, []string{"linux//sudo", "/webserver/"}},
		{`{"event":{"dataset":"linux.auth"},"process":{"name":"x"}}`, []string{"linux//auth"}, []string{"linux//sshd"}},
		{`{"event":{"dataset":"nginx.access"}}`, []string{"/webserver/", "//nginx"}, []string{"//apache", "/proxy/", "linux//"}},
		{`{"event":{"dataset":"apache.whatever"}}`, []string{"/webserver/", "//apache"}, []string{"//nginx"}},
		{`{"event":{"dataset":"acme.firewall"}}`, []string{"/firewall/"}, []string{"/dns/"}},
		{`{"event":{"dataset":"zeek.conn"}}`, []string{"zeek//conn", "/firewall/"}, []string{"zeek//dns"}},
		{`{"event":{"dataset":"zeek.weird"}}`, []string{"zeek//"}, []string{"zeek//conn"}},
		{`{"event":{"dataset":"aws.cloudtrail"}}`, []string{"aws//cloudtrail"}, []string{"azure//activitylogs"}},
		{`{"event":{"dataset":"acme.x","category":["web","process"]}}`, []string{"/webserver/", "linux/process_creation/", "any//service"}, []string{"/file_event/"}},
		{`{"event":{"category":"authentication"}}`, []string{"/authentication/"}, []string{"/webserver/"}},
		{`{"event":{"dataset":"acme.x","category":["unheard of"]}}`, []string{"/webserver/", "windows/process_creation/"}, nil},
		{`{"a":1}`, []string{"/webserver/", "windows/process_creation/", "x/y/z"}, nil},
	} {
		class := x.class(parsed(t, c.line))
		for _, s := range c.yes {
			if !class.admits(source(s)) {
				t.Errorf("%s is not for rules of %s", c.line, s)
			}
		}
		for _, s := range c.no {
			if class.admits(source(s)) {
				t.Errorf("%s is for rules of %s", c.line, s)
			}
		}
		if x.Sources(parsed(t, c.line)) == "" {
			t.Error("no description")
		}
	}
}

// Every log source of the starter rules, and of nearly all of SigmaHQ's, is one that events can have.
func TestRoutesReachRules(t *testing.T) {
	x := explainer(t)
	l, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range l.Rules {
		if !x.Reached(r.LogSource) {
			t.Errorf("no event is of %s, which %s is for", r.LogSource, r.File)
		}
	}
	if l, err = Load(Sources{Rules: sigmaHQ(t)}); err != nil {
		t.Fatal(err)
	}
	missed := map[string]int{}
	total := 0
	for _, r := range l.Rules {
		if !x.Reached(r.LogSource) {
			missed[r.LogSource.String()]++
			total++
		}
	}
	t.Logf("%d of %d rules see only events of unknown source: %v", total, len(l.Rules), missed)
	if total > len(l.Rules)/20 {
		t.Errorf("%d rules are out of reach", total)
	}
}

// Mixtures of categories that only a hostile sender makes cost no memory without end.
func TestHostileCategories(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": fmt.Sprintf(ruleText, "T", "00000000-0000-4000-8000-000000000001", "evil")})
	s := newStage(t, Config{Rules: []string{dir}, Routing: true})
	names := s.set.router.categories
	for mask := 1; mask < 1<<12; mask++ {
		var list []string
		for bit := range 12 {
			if mask&(1<<bit) != 0 {
				list = append(list, `"`+names[bit]+`"`)
			}
		}
		process(t, s, `{"event":{"category":[`+strings.Join(list, ",")+`]},"CommandLine":"x"}`)
	}
	if len(s.set.byClass) > maxSubsets+1 || len(s.matchers[0].by) > 2*maxSubsets {
		t.Errorf("%d subsets, %d workers", len(s.set.byClass), len(s.matchers[0].by))
	}
	if out := process(t, s, `{"event":{"category":["process"]},"CommandLine":"evil"}`); len(out) != 2 {
		t.Error("the rule has gone")
	}
}

func TestTaxonomy(t *testing.T) {
	tax, err := ReadTaxonomy(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ source, field, want string }{
		{"windows/process_creation/", "Image", "Image winlog.event_data.Image Event.EventData.Image winlog.user_data.Image Event.UserData.*.Image Event.System.Image NewProcessName winlog.event_data.NewProcessName Event.EventData.NewProcessName winlog.user_data.NewProcessName Event.UserData.*.NewProcessName Event.System.NewProcessName process.executable"},
		{"windows/image_load/", "Image", "Image winlog.event_data.Image Event.EventData.Image winlog.user_data.Image Event.UserData.*.Image Event.System.Image process.executable"},
		{"windows//security", "EventID", "EventID winlog.event_data.EventID Event.EventData.EventID winlog.user_data.EventID Event.UserData.*.EventID Event.System.EventID winlog.event_id event.code Event.System.EventID.#text"},
		{"/webserver/", "c-uri", "c-uri url.original url.full url.path"},
		{"/webserver/", "user.department", "user.department user.department"},
		{"//", "host.office.country", "host.office.country host.office.country"},
		{"aws//cloudtrail", "userIdentity.type", "userIdentity.type userIdentity.type aws.cloudtrail.userIdentity.type aws.cloudtrail.userIdentity.type aws.cloudtrail.user_identity.type"},
		{"zeek//conn", "id.orig_h", "id.orig_h id.orig_h zeek.conn.id.orig_h zeek.conn.id.orig_h source.ip"},
		{"/firewall/", "src_ip", "src_ip source.ip id.orig_h"},
		{"linux//auditd", "a0", "a0 linux.a0 auditd.data.a0 auditd.log.a0 linux.audit.execve.a0 linux.auditd.execve.a0 linux.audit.a0 linux.auditd.a0"},
	} {
		var got []string
		paths := tax.Paths(source(c.source), c.field)
		for _, p := range paths {
			got = append(got, strings.Join(p, "."))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s: %s, want %s", c.field, c.source, strings.Join(got, " "), c.want)
		}
		for i, p := range paths {
			if slices.ContainsFunc(paths[:i], func(q []string) bool { return slices.Equal(p, q) }) {
				t.Errorf("%v is there twice", p)
			}
		}
	}
}

func TestExplanation(t *testing.T) {
	l, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	rules := slices.DeleteFunc(l.Rules, func(r *sigma.Rule) bool { return !strings.Contains(r.File, "rdp_from_internet") })
	x := explainer(t, rules...)
	found, err := x.Explain(parsed(t, `{"event":{"dataset":"nginx.access"},"source":{"ip":"203.0.113.9"},"destination":{"port":3389}}`))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if f := &found[0]; !f.Matched || f.Routed || f.Raises(true) || !f.Raises(false) {
		t.Errorf("%+v", f)
	}
	var b strings.Builder
	found[0].Write(&b, true)
	for _, want := range []string{
		"would match, but its log source -/firewall/- is not the event's", `yes  port: dst_port: "3389"; event: "3389"`,
		`no   inside: src_ip|cidr: "10.0.0.0/8"; event: "203.0.113.9" (negated)`, `action|contains: "deny"; event: not there (negated)`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestGlobbed: what a goroutine remembers of names is of one router, is what the patterns say, and is bounded.
func TestGlobbed(t *testing.T) {
	r, err := newRouter()
	if err != nil {
		t.Fatal(err)
	}
	bare := *r
	bare.patterns = nil
	name := func(p pattern) []byte { return []byte(strings.ReplaceAll(p.glob, "*", "x")) }
	v := &view{}
	found := 0
	for range 2 {
		for _, p := range r.patterns {
			if got, want := r.lookup(v, nil, name(p), p.channel), r.glob(string(name(p)), p.channel); got != want || got == nil {
				t.Errorf("%s: %v, want %v", p.glob, got, want)
			}
			if got := bare.lookup(v, nil, name(p), p.channel); got != nil {
				t.Errorf("%s: a router without patterns has %v", p.glob, got)
			}
			found++
		}
	}
	if found == 0 {
		t.Fatal("the taxonomy has no pattern: the test shows nothing")
	}
	for i := range 3 * maxGlobbed {
		r.lookup(v, nil, fmt.Appendf(nil, "made-up-%d", i), i%2 == 0)
	}
	if n := len(v.globbed.routes) + len(v.globbed.channels); n > maxGlobbed {
		t.Errorf("%d names are remembered", n)
	}
}
