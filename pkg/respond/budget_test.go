package respond

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	t0 := time.Unix(1000, 0)
	m := newMeter(Limit{Max: 3, Per: time.Minute})
	two := Limit{Max: 2, Per: time.Minute}
	spend := func(scope string, at time.Duration) (string, string, bool) {
		return m.spend(scope, two, false, t0.Add(at))
	}
	if why, _, _ := spend("a", 0); why != "" {
		t.Fatal(why)
	}
	if why, _, _ := spend("a", time.Second); why != "" {
		t.Fatal(why)
	}
	if why, _, _ := spend("a", 61*time.Second); why != "" {
		t.Fatalf("the window moved on, yet: %s", why)
	}
	spend("a", 62*time.Second)
	why, scope, halting := spend("a", 63*time.Second)
	if why == "" || scope != "a" || !halting {
		t.Fatalf("beyond the action's budget: %q %q %v", why, scope, halting)
	}
	if why, _, halting := spend("a", time.Hour); why == "" || halting {
		t.Error("a halt ended by itself, or was told twice")
	}
	if why, _, _ := spend("b", time.Hour); why != "" {
		t.Errorf("another action is halted too: %s", why)
	}
	spend("b", time.Hour)
	spend("c", time.Hour)
	why, scope, halting = spend("d", time.Hour)
	if why == "" || scope != "" || !halting {
		t.Fatalf("beyond the total: %q %q %v", why, scope, halting)
	}
	if why, _, _ := spend("e", 5*time.Hour); why == "" {
		t.Error("the total's halt ended by itself")
	}
}

func TestMeterNotify(t *testing.T) {
	t0 := time.Unix(1000, 0)
	m := newMeter(Limit{Max: 1, Per: time.Hour})
	one := Limit{Max: 1, Per: time.Minute}
	for i := range 5 {
		if why, _, _ := m.spend("page", Limit{Max: 10, Per: time.Minute}, true, t0); why != "" {
			t.Fatalf("message %d: %s", i, why)
		}
	}
	if why, _, _ := m.spend("lock", one, false, t0); why != "" {
		t.Fatalf("messages used up the budget of actions: %s", why)
	}
	m.spend("lock", one, false, t0)
	m.spend("block", one, false, t0)
	if len(m.halted) != 2 {
		t.Fatalf("halted: %v", m.halted)
	}
	if why, _, _ := m.spend("page2", one, true, t0); why != "" {
		t.Errorf("the page about the halt was halted: %s", why)
	}
	if why, _, halting := m.spend("page2", one, true, t0); why == "" || halting {
		t.Errorf("a flood of messages: %q, halting %v", why, halting)
	}
	if why, _, _ := m.spend("page2", one, true, t0.Add(2*time.Minute)); why != "" {
		t.Errorf("messages stay halted: %s", why)
	}
}
