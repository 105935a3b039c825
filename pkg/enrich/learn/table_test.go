package learn

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
	"leat/pkg/state"
)

// say teaches an action of story at a second.
func say(t *Table, action, key string, second int, more string) {
	tell(t, told{at: sec(second), line: fmt.Appendf(nil, `{"event":{"dataset":"t","action":%q},"k":%q%s}`, action, key, more)})
}

func sec(n int) int64 { return start + int64(n)*int64(time.Second) }

func TestFutureAndPast(t *testing.T) {
	cfg := story()
	now := time.Unix(0, start)
	tab, err := New(cfg, Options{Name: "t", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	say(tab, "lease", "10.0.0.1", 301, `,"mac":"m"`)
	if s := tab.Stats(); s.Future != 1 || s.Keys != 0 || tab.stream == sec(301) {
		t.Errorf("taught from the future: %+v", s)
	}
	say(tab, "lease", "10.0.0.1", 299, `,"mac":"m"`)
	// A single event of 2099 moves nothing: the next one is not late.
	say(tab, "lease", "10.0.0.2", 70*365*86400, `,"mac":"m"`)
	say(tab, "lease", "10.0.0.2", 300, `,"mac":"m"`)
	if s := tab.Stats(); s.Future != 2 || s.Keys != 2 || s.Late != 0 {
		t.Errorf("%+v", s)
	}
	now = now.Add(time.Hour)
	say(tab, "lease", "10.0.0.3", 3600, `,"mac":"m"`)
	say(tab, "logon", "10.0.0.3", 600, `,"user":"u","secs":60`)
	say(tab, "lease", "10.0.0.3", -80*3600, `,"mac":"n"`)
	if s := tab.Stats(); s.Late != 1 || s.Old != 1 {
		t.Errorf("%+v", s)
	}
	if got := found(tab, "10.0.0.3", sec(620)); got["user.name"] != `"u"` {
		t.Errorf("a late fact is not in its place: %v", got)
	}
	tell(tab, told{at: minTime - 1, line: lease("10.0.0.9", 0, "m").line})
	tell(tab, told{at: maxTime + 1, line: lease("10.0.0.9", 0, "m").line})
	if tab.Stats().Keys != 3 {
		t.Error("taught at a time that can't be")
	}
}

// What is over for longer than Keep is not answered, and its place is given back.
func TestKeep(t *testing.T) {
	tab := mustNew(t, story())
	say(tab, "lease", "10.0.0.1", 0, `,"mac":"m"`)
	say(tab, "lease", "10.0.0.2", 53*3600, `,"mac":"m"`)
	if len(found(tab, "10.0.0.1", sec(10))) == 0 {
		t.Error("forgotten too early")
	}
	say(tab, "lease", "10.0.0.2", 54*3600, `,"mac":"m"`)
	if got := found(tab, "10.0.0.1", sec(10)); len(got) > 0 {
		t.Errorf("remembered too long: %v", got)
	}
	say(tab, "lease", "10.0.0.3", 54*3600, `,"mac":"m"`)
	if s := tab.Stats(); s.Keys != 2 || s.EvictedKeys != 0 {
		t.Errorf("%+v", s)
	}
}

func TestRefused(t *testing.T) {
	tab := mustNew(t, story())
	for _, key := range []string{"127.0.0.1", "::1", "0.0.0.0", "-", " ", strings.Repeat("k", 256)} {
		say(tab, "lease", key, 0, `,"mac":"m"`)
	}
	say(tab, "lease", "10.0.0.1", 0, `,"mac":null,"name":""`)
	say(tab, "lease", "10.0.0.1", 0, `,"mac":{"a":1}`)
	say(tab, "lease", "10.0.0.1", 0, `,"mac":"`+strings.Repeat("m", maxCell)+`"`)
	if s := tab.Stats(); s.Keys != 0 || s.Refused != 6 {
		t.Errorf("%+v", s)
	}
	say(tab, "lease", "10.0.0.1", 0, `,"mac":"`+strings.Repeat("m", maxCell)+`","name":"pc1"`)
	if got := found(tab, "10.0.0.1", sec(1)); got["host.name"] != `"pc1"` || got["host.mac"] != "" {
		t.Errorf("%v", got)
	}
	tell(tab, told{at: sec(2), line: []byte(`{"event":{"dataset":"t","action":"lease"},"k":["10.0.0.2",5,null,["10.0.0.3"],"10.0.0.4"],"mac":["m","n"]}`)})
	if len(found(tab, "10.0.0.2", sec(3))) == 0 || found(tab, "10.0.0.4", sec(3))["host.mac"] != `"m"` || len(found(tab, "10.0.0.3", sec(3))) > 0 {
		t.Error("an array of keys")
	}
}

func TestShared(t *testing.T) {
	for _, c := range []struct {
		name   string
		shared SharedConfig
		want   string
	}{
		{"shared", SharedConfig{Over: 2}, "map[host.name:\"nat\" shared:true]"},
		{"answered", SharedConfig{Over: 2, Answer: true}, "map[host.name:\"nat\" shared:true user.name:\"u2\"]"},
		{"off", SharedConfig{Over: -1}, "map[host.name:\"nat\" user.name:\"u2\"]"},
		{"more allowed", SharedConfig{Over: 3}, "map[host.name:\"nat\" user.name:\"u2\"]"},
		{"long ago", SharedConfig{Over: 2, Within: 30 * time.Second}, "map[host.name:\"nat\" user.name:\"u2\"]"},
		{"no such column", SharedConfig{Column: "user.email"}, "map[host.name:\"nat\" user.name:\"u2\"]"},
	} {
		cfg := story()
		cfg.Shared = c.shared
		tab := mustNew(t, cfg)
		for i, user := range []string{"u0", "U1", "u1", "u2"} { // case does not make a user
			say(tab, "logon", "10.0.0.1", 20*i, fmt.Sprintf(`,"user":%q,"secs":3600`, user))
		}
		say(tab, "guess", "10.0.0.1", 60, `,"name":"nat"`)
		if got := fmt.Sprint(found(tab, "10.0.0.1", sec(61))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFirstAndLastSeen(t *testing.T) {
	tab := mustNew(t, story())
	for _, at := range []int{100, 1600, 3100, 4600} {
		say(tab, "ticket", "10.0.0.1", at, `,"user":"u"`)
	}
	row := tab.Find([]byte("10.0.0.1"), sec(3200))
	first, last := string(tab.Cell(row, tab.Column("first_seen"))), string(tab.Cell(row, tab.Column("last_seen")))
	if want := `"` + string(event.AppendTime(nil, sec(100))) + `"`; first != want {
		t.Errorf("first seen %s, want %s", first, want)
	}
	if want := `"` + string(event.AppendTime(nil, sec(3100))) + `"`; last != want {
		t.Errorf("last seen %s, want %s", last, want)
	}
	if tab.Cell(-1, 0) != nil {
		t.Error("a cell of no row")
	}
}

// Facts that are repeated are kept as one run, so a week fits.
func TestRunsAreJoined(t *testing.T) {
	cfg := &Config{Preset: Names{"dhcp", "kerberos"}}
	tab := mustNew(t, cfg)
	for minute := 0; minute < 7*24*60; minute += 5 {
		for kind := range 2 {
			if kind == 0 && minute%240 > 0 {
				continue
			}
			var e event.Event
			e.Reset(line(1, kind))
			tab.Learn(&e, sec(minute*60))
		}
	}
	if s := tab.Stats(); s.Facts > 16 || s.EvictedFacts > 0 {
		t.Errorf("%+v\n%s", s, tab.AppendIntervals(nil, []byte("10.0.0.1")))
	}
	got := tab.Intervals([]byte("10.0.0.1"))
	if len(got) != 2 || got[0].From != sec(0) {
		t.Errorf("%s", tab.AppendIntervals(nil, []byte("10.0.0.1")))
	}
}

// Intervals are what Find answers.
func TestIntervals(t *testing.T) {
	tab := mustNew(t, story())
	say(tab, "lease", "10.0.0.1", 0, `,"mac":"m","name":"pc1"`)
	say(tab, "logon", "10.0.0.1", 100, `,"user":"u","secs":3600`)
	say(tab, "logoff", "10.0.0.1", 200, `,"user":"u"`)
	say(tab, "release", "10.0.0.1", 300, `,"mac":"other"`)
	say(tab, "release", "10.0.0.1", 400, `,"mac":"m"`)
	s := func(n int) string { return string(event.AppendTime(nil, sec(n))) }
	want := `{"from":"` + s(0) + `","to":"` + s(100) + `","row":{"host.mac":"m","host.name":"pc1"}}
{"from":"` + s(100) + `","to":"` + s(200) + `","row":{"host.mac":"m","host.name":"pc1","user.name":"u"}}
{"from":"` + s(200) + `","to":"` + s(400) + `","row":{"host.mac":"m","host.name":"pc1"}}
`
	if got := string(tab.AppendIntervals(nil, []byte("10.0.0.1"))); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if tab.AppendIntervals(nil, []byte("10.0.0.2")) != nil {
		t.Error("intervals of an unknown key")
	}
}

// What an event taught is known to the next, and costs no memory when it says nothing new.
func TestNoAllocation(t *testing.T) {
	tab := leases(t)
	events := [][]byte{line(1, 0), line(1, 1), []byte(`{"event":{"dataset":"zeek.conn"},"source":{"ip":"10.0.0.1"}}`)}
	var e event.Event
	at, key := start, []byte("10.0.0.1")
	if n := testing.AllocsPerRun(200, func() {
		for _, l := range events {
			e.Reset(l)
			at += int64(time.Second)
			tab.Learn(&e, at)
			if row := tab.Find(key, at); row < 0 || len(tab.Cell(row, tab.Column("host.name"))) == 0 || len(tab.Cell(row, tab.Column("first_seen"))) == 0 {
				t.Fatal("not known")
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReport(t *testing.T) {
	set := metrics.NewSet()
	tab, err := New(story(), Options{Name: "leases", Metrics: set})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		say(tab, "lease", fmt.Sprintf("10.0.0.%d", i), i-10_000, `,"mac":"m"`)
	}
	tab.Report()
	say(tab, "lease", "127.0.0.1", 0, `,"mac":"m"`)
	tab.Changes(nil)
	var out bytes.Buffer
	set.WritePrometheus(&out)
	for _, want := range []string{`leat_enrich_learned_keys{dimension="leases"} 3`, `leat_enrich_learned_facts_total{dimension="leases"} 4`, `leat_enrich_learned_refused_keys_total{dimension="leases"} 1`} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	for range reportEvery {
		say(tab, "lease", "10.0.0.1", 1, `,"mac":"m"`)
	}
	out.Reset()
	set.WritePrometheus(&out)
	if !strings.Contains(out.String(), `leat_enrich_learned_facts_total{dimension="leases"} 10`) {
		t.Errorf("not told now and then:\n%s", out.String())
	}
	mustNew(t, story()).Report() // without metrics
}

// With pkg/state on a disk, a run that is killed at a mark goes on as if it had not been.
func TestKilledAndRestored(t *testing.T) {
	dir := t.TempDir()
	whole, tab := mustNew(t, story()), mustNew(t, story())
	store := resume(t, dir, tab, 0)
	for i := range 200 {
		x := lease(fmt.Sprintf("10.0.0.%d", i%40), i*37, fmt.Sprintf("m%d", i%3))
		tell(whole, x)
		tell(tab, x)
		if i%10 != 9 {
			continue
		}
		mark := int64(i/10 + 1)
		if err := store.Save(state.Mark{N: mark, Run: "r", Since: mark - 1}, tab.Changes(nil), tab.Base); err != nil {
			t.Fatal(err)
		}
		if i%30 == 29 {
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			tab = mustNew(t, story())
			store = resume(t, dir, tab, mark)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tab.Base(nil), whole.Base(nil)) {
		t.Error("not as if it had not been killed")
	}
}

func resume(t *testing.T, dir string, tab *Table, mark int64) *state.Store {
	t.Helper()
	store, err := state.Open(dir, "enrich", "default")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := store.Resume(state.Point{Lake: "l", Mark: mark, Run: "r"}, false)
	if err == nil {
		err = tab.Restore(snap.Base, snap.Changes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// One address in two networks is two keys.
func TestScope(t *testing.T) {
	cfg := story()
	cfg.Scope = "site"
	tab := mustNew(t, cfg)
	for site, mac := range map[string]string{"Berlin": "m1", "2001:DB8:0::1": "m2", "": "m3", strings.Repeat("s", 250): "m4"} {
		say(tab, "lease", "::ffff:10.0.0.1", 0, fmt.Sprintf(`,"mac":%q,"site":%q`, mac, site))
	}
	for key, want := range map[string]string{"berlin/10.0.0.1": `"m1"`, "Berlin/::ffff:10.0.0.1": `"m1"`, "2001:DB8:0::1/10.0.0.1": `"m2"`, "10.0.0.1": `"m3"`, "paris/10.0.0.1": ""} {
		if got := found(tab, key, sec(1))["host.mac"]; got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if s := tab.Stats(); s.Keys != 3 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	again := mustNew(t, cfg)
	if err := again.Restore(tab.Base(nil), nil); err != nil {
		t.Error(err)
	}
	say(tab, "lease", "127.0.0.1", 0, `,"mac":"m","site":"Berlin"`)
	if tab.Stats().Refused != 2 {
		t.Error("a scope makes loopback a key")
	}
}

func TestUnless(t *testing.T) {
	cfg := &Config{From: []FactConfig{{
		When: map[string]Names{"event.action": {"log*"}}, Unless: map[string]Names{"event.outcome": {"failure", "unk*"}, "tags": {"test"}},
		Key: "k", Set: map[string]string{"user.name": "user"},
	}}}
	tab := mustNew(t, cfg)
	for i, more := range []string{`"event":{"action":"logon"}`, `"event":{"action":"logon","outcome":"failure"}`, `"event":{"action":"logon","outcome":"unknown"}`,
		`"event":{"action":"logon"},"tags":["a","test"]`, `"event":{"action":"xlogon"}`, `"event":{"action":["x","login"],"outcome":"success"},"tags":"a"`, `"event":{}`} {
		tell(tab, told{at: sec(0), line: fmt.Appendf(nil, `{"k":"10.0.0.%d","user":"u",%s}`, i, more)})
	}
	var got []string
	for key := range tab.Keys {
		got = append(got, key)
	}
	if fmt.Sprint(got) != "[10.0.0.0 10.0.0.5]" {
		t.Errorf("%v", got)
	}
}

// The events of one batch or of many teach the same, in their order.
func TestEachEventSeesTheOneBefore(t *testing.T) {
	tab := mustNew(t, story())
	for i := range 20 {
		say(tab, "lease", "10.0.0.1", i, fmt.Sprintf(`,"mac":"m%d"`, i))
		if got := found(tab, "10.0.0.1", sec(i))["host.mac"]; got != fmt.Sprintf(`"m%d"`, i) {
			t.Fatalf("after lease %d: %s", i, got)
		}
		if got := found(tab, "10.0.0.1", sec(i)-1)["host.mac"]; i > 0 && got != fmt.Sprintf(`"m%d"`, i-1) {
			t.Fatalf("before lease %d: %s", i, got)
		}
	}
}
