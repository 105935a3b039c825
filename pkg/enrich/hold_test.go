package enrich

import (
	"strings"
	"testing"
	"time"
)

// TestHold: the event waits until a newer table knows its key, or goes on when the time is over; then, until there is a
// newer table, no event waits.
func TestHold(t *testing.T) {
	yaml := strings.Replace(peopleYAML, "status: true", "status: true\n    on_miss: hold(1m)", 1)
	dir := put(t, "", "users.csv", people, "enrich.yaml", "poll: 10ms\n"+yaml)
	s := open(t, dir, Options{})
	done := make(chan string)
	go func() { done <- process(t, s, `{"user":{"name":"eve"}}`) }()
	select {
	case got := <-done:
		t.Fatalf("not held: %s", got)
	case <-time.After(100 * time.Millisecond):
	}
	replace(t, dir, "users.csv", people+"9,eve,Eve,eve@corp.example,\n")
	if got := <-done; field(t, got, "user.full_name") != "Eve" || field(t, got, "leat.enrich.users") != "hit" {
		t.Error(got)
	}
}

func TestHoldEnds(t *testing.T) {
	yaml := strings.Replace(peopleYAML, "status: true", "status: true\n    on_miss: hold(50ms)", 1)
	s := open(t, put(t, "", "users.csv", people, "enrich.yaml", yaml), Options{})
	for range 3 {
		if got := process(t, s, `{"user":{"name":"eve"}}`); field(t, got, "leat.enrich.users") != "miss" {
			t.Error(got)
		}
	}
	if !s.gen.rules[0].spent.Load() {
		t.Error("the patience is not spent: every unknown key would wait")
	}
}

// TestHoldForADimension: what is not there yet is waited for.
func TestHoldForADimension(t *testing.T) {
	yaml := strings.Replace(peopleYAML, "fold: true", "fold: true, optional: true", 1)
	yaml = strings.Replace(yaml, "status: true", "status: true\n    on_error: hold(1m)", 1)
	dir := put(t, "", "enrich.yaml", "poll: 10ms\n"+yaml)
	s := open(t, dir, Options{})
	done := make(chan string)
	go func() { done <- process(t, s, `{"user":{"name":"nbyrne"}}`) }()
	replace(t, dir, "users.csv", people)
	if got := <-done; field(t, got, "user.full_name") != "Niamh Byrne" {
		t.Error(got)
	}
}

func TestParseHold(t *testing.T) {
	for word, want := range map[string]time.Duration{"hold(30s)": 30 * time.Second, "hold(1h30m)": 90 * time.Minute, "hold": 0, "hold()": 0, "hold(5)": 0, "hold(-1s)": 0, "hold(1s": 0} {
		got, ok := parseHold(word)
		if ok != (want > 0) || ok && got != want {
			t.Errorf("%s: %v %v", word, got, ok)
		}
	}
}
