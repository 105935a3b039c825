package learn

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// tight is story with bounds so small that keys and facts are evicted.
func tight() *Config {
	cfg := story()
	cfg.Keys, cfg.PerKey, cfg.Keep = 6, 4, 3*time.Hour
	return cfg
}

// A table that was restored at a mark goes on as one that was never stopped: same answers, same bytes, also where bounds evict.
func TestRestoreAtEveryMark(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		facts := randomStory(r, 120)
		for i := range facts {
			key := fmt.Sprintf("192.0.2.%d", r.IntN([]int{2, 12}[seed%2]))
			facts[i].line = bytes.Replace(facts[i].line, []byte(`"k":"`+facts[i].key), []byte(`"k":"`+key), 1)
			facts[i].key = key
		}
		cfg := tight()
		cfg.PerKey = []int{4, 7, 30}[seed%3]
		tab, calm := mustNew(t, cfg), mustNew(t, cfg) // calm is never stopped
		if err := tab.Restore(nil, nil); err != nil {
			t.Fatal(err)
		}
		var base []byte
		var changes [][]byte
		for i, x := range facts {
			asked := facts[r.IntN(i+1)].key
			found(tab, asked, x.at) // asking makes keys useful
			found(calm, asked, x.at)
			tell(tab, x)
			tell(calm, x)
			if r.IntN(4) > 0 {
				continue
			}
			changes = append(changes, tab.Changes(nil))
			if r.IntN(5) == 0 {
				base, changes = tab.Base(nil), nil
			}
			again := mustNew(t, cfg)
			if err := again.Restore(base, changes); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if got, want := again.Base(nil), calm.Base(nil); !bytes.Equal(got, want) {
				t.Fatalf("seed %d, fact %d: restored as something else\n%x\n%x", seed, i, got, want)
			}
			if got, want := again.stats.Bytes, tab.stats.Bytes; got != want || again.stats.Facts != tab.stats.Facts || again.protected != tab.protected {
				t.Fatalf("seed %d: %d bytes, %d facts, %d protected; want %d, %d, %d", seed, got, again.stats.Facts, again.protected, want, tab.stats.Facts, tab.protected)
			}
			for _, y := range facts[:i+1] {
				found(tab, y.key, y.at)
				if got, want := found(again, y.key, y.at), found(calm, y.key, y.at); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("seed %d: %v, want %v", seed, got, want)
				}
			}
			if r.IntN(2) == 0 {
				tab = again // the process was killed, and goes on
			}
		}
		if s := tab.Stats(); s.Keys > cfg.Keys {
			t.Fatalf("%d keys", s.Keys)
		}
	}
}

func snapshots(t testing.TB) (base, changes []byte) {
	tab := mustNew(t, story())
	facts := randomStory(rand.New(rand.NewPCG(11, 5)), 20)
	for i, x := range facts {
		if i == len(facts)/2 {
			base = tab.Base(nil)
			tab.Changes(nil)
		}
		tell(tab, x)
	}
	return base, tab.Changes(nil)
}

// What a flood of keys has changed is not longer than what there is.
func TestChangesOfAFlood(t *testing.T) {
	cfg := story()
	cfg.Keys = 10
	tab := mustNew(t, cfg)
	if err := tab.Restore(nil, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		tell(tab, lease(fmt.Sprintf("198.51.%d.%d", i/250, i%250), i, "m"))
	}
	changes := tab.Changes(nil)
	if len(changes) > 2000 {
		t.Errorf("%d bytes of changes", len(changes))
	}
	again := mustNew(t, cfg)
	if err := again.Restore(nil, [][]byte{changes}); err != nil || !bytes.Equal(again.Base(nil), tab.Base(nil)) {
		t.Errorf("restored as something else: %v", err)
	}
	if s := tab.Stats(); s.EvictedKeys != 9_990 || s.Keys != 10 {
		t.Errorf("%+v", s)
	}
}

// Changes that remove every key, and more that bring others.
func TestRestoreAfterAllWentAway(t *testing.T) {
	cfg := story()
	cfg.Keys = 2
	tab := mustNew(t, cfg)
	tell(tab, lease("10.0.0.1", 0, "m"))
	tell(tab, lease("10.0.0.2", 1, "m"))
	base := tab.Base(nil)
	tab.Changes(nil)
	var changes [][]byte
	for i := range 6 {
		tell(tab, lease(fmt.Sprintf("10.0.1.%d", i), 2+i, "m"))
		changes = append(changes, tab.Changes(nil))
	}
	again := mustNew(t, cfg)
	if err := again.Restore(base, changes); err != nil || !bytes.Equal(again.Base(nil), tab.Base(nil)) {
		t.Errorf("restored as something else: %v", err)
	}
}

// lease is a lease of a key at a second.
func lease(key string, second int, mac string) told {
	return told{key: key, at: 1_790_000_000_000_000_000 + int64(second)*int64(time.Second),
		line: fmt.Appendf(nil, `{"event":{"dataset":"t","action":"lease"},"k":%q,"mac":%q,"name":"h"}`, key, mac)}
}

// A configuration with fewer facts passes over what it does not know, and says so.
func TestRestoreOtherConfiguration(t *testing.T) {
	whole := mustNew(t, story())
	for _, x := range randomStory(rand.New(rand.NewPCG(11, 5)), 60) {
		tell(whole, x)
	}
	tell(whole, lease("192.0.2.0", 1, "m"))
	tell(whole, lease("192.0.2.9", 1, "m"))
	cfg := story()
	dropped := cfg.From[0].Name
	cfg.From = cfg.From[1:]
	tab := mustNew(t, cfg)
	if err := tab.Restore(whole.Base(nil), nil); err != nil {
		t.Fatal(err)
	}
	if tab.Passed() == 0 || tab.byKey["192.0.2.9"] > 0 || tab.Stats().Facts == 0 {
		t.Errorf("passed over %d, have %+v", tab.Passed(), tab.Stats())
	}
	for i := range tab.items {
		for _, e := range tab.items[i].entries {
			if id := tab.facts[e.fact].id; strings.HasPrefix(id, dropped) || !tab.facts[e.fact].fits([]byte(e.row)) {
				t.Errorf("fact %s with the row %q", id, e.row)
			}
		}
	}
}

// What facts without names taught stays theirs when another is put before them.
func TestRestoreKnowsFactsByWhatTheySay(t *testing.T) {
	cfg := story()
	for i := range cfg.From {
		cfg.From[i].Name = ""
	}
	before := mustNew(t, cfg)
	for _, x := range randomStory(rand.New(rand.NewPCG(11, 5)), 60) {
		tell(before, x)
	}
	tell(before, lease("192.0.2.0", 1, "m"))
	more := story()
	more.From = append([]FactConfig{{When: map[string]Names{"a": {"b"}}, Key: "k", Set: map[string]string{"host.mac": "mac", "host.name": "name"}, Binds: "host.mac"}}, cfg.From...)
	tab := mustNew(t, more)
	if err := tab.Restore(before.Base(nil), nil); err != nil || tab.Passed() > 0 {
		t.Fatal(tab.Passed(), err)
	}
	for key := range before.Keys {
		if got, want := tab.AppendIntervals(nil, []byte(key)), before.AppendIntervals(nil, []byte(key)); !bytes.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s\n%s\nwant %s", key, got, want)
		}
	}
	for i := range tab.items {
		for _, e := range tab.items[i].entries {
			if e.fact == 0 {
				t.Errorf("%s: taught by a fact that is new", tab.items[i].key)
			}
		}
	}
}

func TestDamagedSnapshots(t *testing.T) {
	base, changes := snapshots(t)
	for n := 1; n < len(base); n++ {
		if err := mustNew(t, story()).Restore(base[:n], nil); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	tab := mustNew(t, story())
	if err := tab.Restore(base, [][]byte{changes, {9}}); !errors.Is(err, ErrSnapshot) || tab.Stats().Keys != 0 {
		t.Errorf("%v, %+v", err, tab.Stats())
	}
}

// FuzzRestore: no bytes make Restore panic, take memory beyond their length, or leave a table that does not work.
func FuzzRestore(f *testing.F) {
	base, changes := snapshots(f)
	f.Add(base, changes)
	f.Add(base, []byte{})
	f.Add([]byte{snapshotFormat, kindBase}, changes)
	f.Fuzz(func(t *testing.T, base, changes []byte) {
		tab := mustNew(t, tight())
		if err := tab.Restore(base, [][]byte{changes}); err != nil {
			if !errors.Is(err, ErrSnapshot) || tab.Stats().Keys != 0 {
				t.Fatalf("%v, %+v", err, tab.Stats())
			}
		}
		for i, x := range randomStory(rand.New(rand.NewPCG(7, 7)), 20) {
			tell(tab, x)
			found(tab, x.key, x.at)
			tab.Intervals([]byte(x.key))
			if i == 10 {
				tab.Changes(nil)
			}
		}
		for key := range tab.Keys {
			tab.Intervals([]byte(key))
		}
		again := mustNew(t, tight())
		whole := tab.Base(nil)
		if err := again.Restore(whole, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Base(nil), whole) {
			t.Fatal("what was written is read as something else")
		}
		if s := tab.Stats(); s.Keys > 6 || s.Facts > 24 || s.Bytes < 0 {
			t.Fatalf("%+v", s)
		}
	})
}
