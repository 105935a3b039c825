package learn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
)

// story is a configuration with every kind of fact, over few keys and names, so that they meet.
func story() *Config {
	when := func(action string) map[string]Names {
		return map[string]Names{"event.dataset": {"t"}, "event.action": {action}}
	}
	return &Config{
		From: []FactConfig{
			{Name: "lease", When: when("lease"), Key: "k", Set: map[string]string{"host.mac": "mac", "host.name": "name"}, For: "6h", Binds: "host.mac"},
			{Name: "short", When: when("short"), Key: "k", Set: map[string]string{"host.mac": "mac"}, For: "secs", Binds: "host.mac"},
			{Name: "release", When: when("release"), Key: "k", Set: map[string]string{"host.mac": "mac"}, Binds: "host.mac", Ends: true},
			{Name: "ticket", When: when("ticket"), Key: "k", Set: map[string]string{"user.name": "user", "user.id": "id"}, For: "2h"},
			{Name: "logon", When: when("logon"), Key: "k", Set: map[string]string{"user.name": "user"}, For: "secs"},
			{Name: "guess", When: when("guess"), Key: "k", Set: map[string]string{"user.name": "user", "host.name": "name"}, For: "3h", Weak: true},
			{Name: "logoff", When: when("logoff"), Key: "k", Set: map[string]string{"user.name": "user"}, Ends: true},
			{Name: "wipe", When: when("wipe"), Key: "k", Ends: true},
		},
		PerKey: 256, Keep: 48 * time.Hour, Late: 40 * time.Minute, Shared: SharedConfig{Over: 2, Within: time.Hour},
	}
}

// told is a fact as the reference sees it.
type told struct {
	fact  int
	key   string
	at    int64
	to    int64
	cells map[string]string
	line  []byte
}

func randomStory(r *rand.Rand, n int) []told {
	cfg := story()
	var out []told
	at := int64(1_790_000_000_000_000_000)
	kinds := r.Perm(len(cfg.From))[:1+r.IntN(len(cfg.From))] // few kinds and names: runs that are joined
	often, names := r.IntN(len(cfg.From)), 1+r.IntN(4)
	for range n {
		at += r.Int64N([]int64{1, int64(time.Second), int64(5 * time.Minute), int64(2 * time.Hour)}[r.IntN(4)])
		at -= at % []int64{1, int64(time.Minute)}[r.IntN(2)]
		i := kinds[r.IntN(len(kinds))]
		if r.IntN(3) == 0 {
			i = often
		}
		f := cfg.From[i]
		secs := 60 * (1 + r.IntN(200))
		values := map[string]string{
			"mac": fmt.Sprintf(`"m%d"`, r.IntN(min(names, 2))), "name": fmt.Sprintf(`"h%d"`, r.IntN(min(names, 2))), "user": fmt.Sprintf(`"u%d"`, r.IntN(names)), "id": fmt.Sprint(r.IntN(2)),
		}
		if r.IntN(4) == 0 {
			delete(values, []string{"name", "id", "user", "mac"}[r.IntN(4)])
		}
		x := told{fact: i, key: fmt.Sprintf("192.0.2.%d", r.IntN(2)), at: at, cells: map[string]string{}}
		var line strings.Builder
		fmt.Fprintf(&line, `{"event":{"dataset":"t","action":%q},"k":%q,"secs":%d`, strings.Fields(f.Name)[0], x.key, secs)
		for _, name := range []string{"mac", "name", "user", "id"} {
			if v, ok := values[name]; ok {
				fmt.Fprintf(&line, `,%q:%s`, name, v)
			}
		}
		x.line = []byte(line.String() + "}")
		some := false
		for col, from := range f.Set {
			x.cells[col] = values[from]
			some = some || values[from] != ""
		}
		if !some && !f.Ends {
			continue
		}
		lasts := map[string]time.Duration{"lease": 6 * time.Hour, "ticket": 2 * time.Hour, "logon": time.Duration(secs) * time.Second, "guess": 3 * time.Hour, "short": time.Duration(secs) * time.Second}[f.Name]
		if lasts == 0 {
			lasts = 24 * time.Hour
		}
		x.to = at + int64(lasts)
		out = append(out, x)
	}
	return out
}

// span is the reference's run: like facts of one slot, from the first to the last.
type span struct {
	told
	last int64
}

// reference answers from all facts at once, as docs/design/learned.md says it.
type reference struct {
	cfg   *Config
	spans map[string][]span
}

func newReference(cfg *Config, facts []told) *reference {
	ref := &reference{cfg: cfg, spans: map[string][]span{}}
	stream, slot := int64(0), int64(cfg.Late/2)
	byName := map[string]*span{}
	var order []string
	for _, x := range facts {
		stream = max(stream, x.at)
		name := fmt.Sprint(x.key, x.fact, x.cells, x.at/slot)
		s := byName[name]
		if s == nil {
			order = append(order, name)
			byName[name] = &span{x, x.at}
			continue
		}
		s.at = min(s.at, x.at)
		if x.at > s.last || x.at == s.last && x.to > s.to {
			s.last, s.to = x.at, x.to
		}
	}
	for _, name := range order {
		if s := byName[name]; s.to > stream-int64(cfg.Keep) {
			ref.spans[s.key] = append(ref.spans[s.key], *s)
		}
	}
	return ref
}

// floor is the last time up to at when the key was bound to another, or let go.
func (ref *reference) floor(key string, at int64) int64 {
	type point struct {
		at   int64
		ends bool
		who  string
	}
	var points []point
	for _, s := range ref.spans[key] {
		f := ref.cfg.From[s.fact]
		who := s.cells[f.Binds]
		if f.Binds == "" || who == "" && !f.Ends {
			continue
		}
		for _, when := range []int64{s.at, s.last} {
			if when <= at {
				points = append(points, point{when, f.Ends, who})
			}
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		switch {
		case a.at != b.at:
			return int(max(min(a.at-b.at, 1), -1))
		case a.ends != b.ends:
			if a.ends {
				return -1
			}
			return 1
		}
		return strings.Compare(a.who, b.who)
	})
	floor, holder := int64(-1), ""
	for _, p := range points {
		switch {
		case p.ends && (holder == "" || p.who == "" || p.who == holder):
			floor, holder = p.at, ""
		case !p.ends:
			if holder != "" && holder != p.who {
				floor = p.at
			}
			holder = p.who
		}
	}
	return floor
}

func (ref *reference) closed(key string, s span, at int64) bool {
	for _, e := range ref.spans[key] {
		f := ref.cfg.From[e.fact]
		if !f.Ends || f.Binds != "" {
			continue
		}
		same, differ := 0, 0
		for col, v := range e.cells {
			switch w := s.cells[col]; {
			case v == "" || w == "":
			case strings.EqualFold(v, w):
				same++
			default:
				differ++
			}
		}
		if len(f.Set) > 0 && (same == 0 || differ > 0) {
			continue
		}
		for _, q := range []int64{e.at, e.last} {
			if q <= at && q > s.last {
				return true
			}
		}
	}
	return false
}

// answer returns the columns at a time; nil: nothing.
func (ref *reference) answer(key string, at int64) map[string]string {
	floor := ref.floor(key, at)
	out := map[string]string{}
	users := map[bool]map[string]bool{false: {}, true: {}} // of weak facts, and of others
	for _, col := range []string{"host.mac", "host.name", "user.id", "user.name"} {
		for _, weak := range []bool{true, false} {
			type say struct {
				span
				p     int64
				valid bool
			}
			var says []say
			for _, s := range ref.spans[key] {
				f := ref.cfg.From[s.fact]
				if f.Ends || s.at > at || s.cells[col] == "" || f.Weak != weak {
					continue
				}
				holds := at < s.last
				valid := holds || at < s.to && s.last >= floor && !ref.closed(key, s, at)
				says = append(says, say{s, min(s.last, at), valid})
			}
			slices.SortFunc(says, func(a, b say) int {
				switch {
				case a.p != b.p:
					return int(max(min(b.p-a.p, 1), -1))
				case a.fact != b.fact:
					return a.fact - b.fact
				}
				return strings.Compare(rowText(ref.cfg, b.told), rowText(ref.cfg, a.told))
			})
			for _, s := range says {
				if s.valid && s.cells[col] == says[0].cells[col] {
					out[col] = says[0].cells[col]
				}
			}
		}
	}
	for _, s := range ref.spans[key] {
		f := ref.cfg.From[s.fact]
		if user := s.cells["user.name"]; !f.Ends && f.Binds == "" && user != "" && s.at <= at && s.last > at-int64(ref.cfg.Shared.Within) && s.last >= floor {
			users[f.Weak][user] = true
		}
	}
	if n := len(users[false]); n > ref.cfg.Shared.Over || n == 0 && len(users[true]) > ref.cfg.Shared.Over {
		delete(out, "user.name")
		delete(out, "user.id")
		out["shared"] = "true"
	}
	return out
}

// rowText orders rows as their bytes do.
func rowText(cfg *Config, x told) string {
	var cols []string
	for col := range cfg.From[x.fact].Set {
		cols = append(cols, col)
	}
	slices.Sort(cols)
	var row []byte
	for _, col := range cols {
		row = append(append(row, byte(len(x.cells[col]))), x.cells[col]...)
	}
	return string(row)
}

// found is the table's answer in the reference's form.
func found(t *Table, key string, at int64) map[string]string {
	out := map[string]string{}
	row := t.Find([]byte(key), at)
	if row < 0 {
		return out
	}
	for i, name := range t.Columns() {
		if cell := string(t.Cell(row, i)); cell != "" && !strings.HasSuffix(name, "_seen") && cell != "false" {
			out[name] = cell
		}
	}
	return out
}

func tell(t *Table, x told) {
	var e event.Event
	e.Reset(x.line)
	t.Learn(&e, x.at)
}

func mustNew(t testing.TB, cfg *Config) *Table {
	t.Helper()
	tab, err := New(cfg, Options{Name: "t", Now: func() time.Time { return time.Unix(2_000_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// moments are times around everything that happens.
func moments(r *rand.Rand, facts []told) []int64 {
	var out []int64
	for _, x := range facts {
		out = append(out, x.at-1, x.at, x.at+1, x.to-1, x.to, x.at+r.Int64N(int64(4*time.Hour)))
	}
	return out
}

// Whatever the order in which facts come, within Late the answers are those of all facts at once, also where runs were joined meanwhile.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		facts := randomStory(r, 10+r.IntN(80))
		cfg := story()
		ref := newReference(cfg, facts)
		times := moments(r, facts)
		for range 3 {
			tab := mustNew(t, cfg)
			arrival := make(map[*told]int64, len(facts))
			order := make([]*told, len(facts))
			for i := range facts {
				order[i] = &facts[i]
				arrival[order[i]] = facts[i].at + r.Int64N(int64(cfg.Late)+1)
			}
			slices.SortStableFunc(order, func(a, b *told) int {
				return int(max(min(arrival[a]-arrival[b], 1), -1))
			})
			for _, x := range order {
				tell(tab, *x)
				if r.IntN(3) == 0 {
					for i := range tab.items {
						tab.compact(&tab.items[i])
					}
				}
			}
			if s := tab.Stats(); s.Late+s.Old+s.EvictedFacts+s.EvictedKeys+s.Future > 0 {
				t.Fatalf("seed %d: %+v", seed, s)
			}
			for _, at := range times {
				for _, key := range []string{"192.0.2.0", "192.0.2.1"} {
					if got, want := found(tab, key, at), ref.answer(key, at); fmt.Sprint(got) != fmt.Sprint(want) {
						t.Fatalf("seed %d: %s at %d: %v, want %v", seed, key, at, got, want)
					}
				}
			}
		}
	}
}
