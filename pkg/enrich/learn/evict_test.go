package learn

import (
	"fmt"
	"testing"
)

// A flood of made-up leases neither takes the places of what events asked for, nor those of other kinds of facts.
func TestFloodSparesWhatIsUsed(t *testing.T) {
	cfg := story()
	cfg.Keys = 1000
	tab := mustNew(t, cfg)
	for i := range 100 {
		say(tab, "lease", fmt.Sprintf("10.0.0.%d", i), i, `,"mac":"m"`)
		found(tab, fmt.Sprintf("10.0.0.%d", i), sec(i))
	}
	for i := range 100 {
		say(tab, "ticket", fmt.Sprintf("10.0.1.%d", i), 100+i, `,"user":"u"`)
	}
	for i := range 50_000 {
		say(tab, "lease", fmt.Sprintf("198.18.%d.%d", i/250, i%250), 200+i/100, `,"mac":"f"`)
	}
	lost := 0
	for i := range 100 {
		if len(found(tab, fmt.Sprintf("10.0.0.%d", i), sec(800))) == 0 || len(found(tab, fmt.Sprintf("10.0.1.%d", i), sec(800))) == 0 {
			lost++
		}
	}
	if s := tab.Stats(); lost > 0 || s.Keys != 1000 || s.EvictedKeys != 49_200 {
		t.Errorf("%d lost, %+v", lost, s)
	}
	// What was asked for can't hold all places for ever: new keys still find theirs.
	for i := range 2000 {
		say(tab, "lease", fmt.Sprintf("10.1.%d.%d", i/250, i%250), 900, `,"mac":"m"`)
		found(tab, fmt.Sprintf("10.1.%d.%d", i/250, i%250), sec(900))
	}
	if tab.protected > 800 || len(found(tab, "10.1.7.249", sec(901))) == 0 {
		t.Errorf("%d protected", tab.protected)
	}
}

func TestBoundOfBytes(t *testing.T) {
	cfg := story()
	cfg.MaxBytes, cfg.PerKey = 1<<16, 32
	tab := mustNew(t, cfg)
	for i := range 5000 {
		say(tab, "ticket", fmt.Sprintf("10.0.%d.%d", i%7, i%90), i*60, fmt.Sprintf(`,"user":"%0400d"`, i%50))
		if s := tab.Stats(); s.Bytes > 1<<16 && s.Keys > 1 {
			t.Fatalf("%+v", s)
		}
	}
	if s := tab.Stats(); s.EvictedKeys == 0 || s.Keys == 0 {
		t.Errorf("%+v", s)
	}
}

// Too many users of one address don't push its lease out.
func TestBoundOfFacts(t *testing.T) {
	cfg := story()
	cfg.PerKey, cfg.Shared.Over = 8, 3
	tab := mustNew(t, cfg)
	say(tab, "lease", "10.0.0.1", 0, `,"mac":"m","name":"ts1"`)
	for i := range 100 {
		say(tab, "ticket", "10.0.0.1", i, fmt.Sprintf(`,"user":"u%d"`, i))
	}
	got := found(tab, "10.0.0.1", sec(101))
	if got["host.name"] != `"ts1"` || got["shared"] != "true" || got["user.name"] != "" {
		t.Errorf("%v", got)
	}
	if s := tab.Stats(); s.Facts > 8 || s.Facts < 7 || s.EvictedFacts+int64(s.Facts) != 101 {
		t.Errorf("%+v", s)
	}
}
