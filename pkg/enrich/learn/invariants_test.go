package learn

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"leat/pkg/yamlfile"
)

// whole checks what must hold of a table at any time: lists, counts and bytes agree with the keys, and the bounds hold.
func whole(t *testing.T, tab *Table) {
	t.Helper()
	var bytes int64
	facts, live, protected := 0, 0, 0
	for i := range tab.items {
		x := &tab.items[i]
		if !x.live {
			continue
		}
		live++
		if tab.byKey[x.key] != int32(i) {
			t.Fatalf("%s is not where it is said to be", x.key)
		}
		if x.used {
			protected++
		}
		bytes += itemSize + int64(len(x.key))
		rows := map[string]bool{}
		for _, e := range x.entries {
			facts++
			bytes += entrySize
			if !rows[e.row] {
				rows[e.row] = true
				bytes += int64(len(e.row))
			}
			if e.first > e.last || e.last > e.to || !tab.facts[e.fact].fits([]byte(e.row)) {
				t.Fatalf("%s: the run %+v", x.key, e)
			}
		}
		if len(x.entries) == 0 || len(x.entries) > tab.perKey {
			t.Fatalf("%s: %d runs", x.key, len(x.entries))
		}
	}
	if live != len(tab.byKey) || live > tab.keys || facts != tab.stats.Facts || bytes != tab.stats.Bytes || protected != tab.protected {
		t.Fatalf("%d keys (%d), %d runs (%d), %d bytes (%d), %d protected (%d)", live, len(tab.byKey), facts, tab.stats.Facts, bytes, tab.stats.Bytes, protected, tab.protected)
	}
	listed := 0
	for c := range tab.classes {
		n := 0
		for which, l := range tab.classes[c].list {
			prev, touch := int32(-1), uint64(0)
			for i := l.head; i >= 0; i = tab.items[i].next {
				x := &tab.items[i]
				if int(x.class) != c || x.list() != which || x.prev != prev || x.touch <= touch {
					t.Fatalf("%s is in the wrong place of a list", x.key)
				}
				prev, touch = i, x.touch
				n++
			}
			if l.tail != prev {
				t.Fatal("a list with a wrong end")
			}
		}
		if n != tab.classes[c].n {
			t.Fatalf("class %d: %d keys, counted %d", c, n, tab.classes[c].n)
		}
		listed += n
	}
	if listed != live {
		t.Fatalf("%d keys in lists, %d there are", listed, live)
	}
}

// Whatever is taught, asked, saved and restored under tight bounds, the table is in order.
func TestInvariants(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		cfg := tight()
		cfg.Keys, cfg.PerKey, cfg.MaxBytes = 5+r.IntN(20), 2+r.IntN(10), 1<<16
		tab := mustNew(t, cfg)
		if r.IntN(2) == 0 {
			if err := tab.Restore(nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 400 {
			key := fmt.Sprintf("10.0.0.%d", r.IntN(40))
			switch r.IntN(12) {
			case 0, 1, 2, 3:
				tab.Find([]byte(key), sec(i*100-r.IntN(8000)))
			case 4:
				tab.Changes(nil)
			case 5:
				if err := tab.Restore(tab.Base(nil), nil); err != nil {
					t.Fatal(err)
				}
			default:
				action := []string{"lease", "ticket", "logon", "guess", "release", "logoff", "wipe"}[r.IntN(7)]
				say(tab, action, key, i*100-r.IntN(8000), fmt.Sprintf(`,"mac":"m%d","user":"u%0*d","secs":600`, r.IntN(3), 1+r.IntN(400), r.IntN(9)))
			}
			whole(t, tab)
		}
	}
}

// Intervals say of every time what Find answers then.
func TestIntervalsAreWhatFindAnswers(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		facts := randomStory(r, 40)
		tab := mustNew(t, story())
		for _, x := range facts {
			tell(tab, x)
		}
		for _, key := range []string{"192.0.2.0", "192.0.2.1"} {
			intervals := tab.Intervals([]byte(key))
			for i := range intervals {
				if i > 0 && intervals[i].From < intervals[i-1].To {
					t.Fatalf("seed %d: intervals overlap", seed)
				}
			}
			for _, at := range moments(r, facts) {
				want := ""
				for _, iv := range intervals {
					if iv.From <= at && at < iv.To {
						want = string(iv.Row)
					}
				}
				got := ""
				if tab.Find([]byte(key), at) >= 0 {
					got = string(tab.appendAnswer(nil))
				}
				if got != want {
					t.Fatalf("seed %d: %s at %d: %s, want %s", seed, key, at, got, want)
				}
			}
		}
	}
}

// The time of an hour's turn, a day's or the epoch's makes no difference to where a run ends.
func TestTimesBeforeTheEpoch(t *testing.T) {
	tab := mustNew(t, story())
	for _, at := range []time.Duration{-90 * time.Minute, -time.Nanosecond, 0, 30 * time.Minute} {
		tell(tab, told{at: int64(at), line: lease("10.0.0.1", 0, "m").line})
	}
	for at, want := range map[time.Duration]int{-91 * time.Minute: 0, -time.Minute: 2, 6 * time.Hour: 2, 7 * time.Hour: 0} {
		if got := found(tab, "10.0.0.1", int64(at)); len(got) != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	whole(t, tab)
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"preset: dhcp": "[dhcp]", "preset: [dhcp, dns]": "[dhcp dns]", "preset: &a [dhcp]\nservice_accounts: *a": "[dhcp]",
		"preset: {a: b}": "expected a word or a list of words", "preset: [[dhcp]]": "expected a word or a list of words", "preset: ['']": "expected a word",
		"presets: dhcp": `unknown key "presets"`, "from: [{when: {a: b}, keys: c}]": `unknown key "keys"`,
	} {
		var cfg Config
		_, err := yamlfile.Decode("enrich.yaml", []byte(in), &cfg)
		got := fmt.Sprint([]string(cfg.Preset))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
