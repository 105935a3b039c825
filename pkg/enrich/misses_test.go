package enrich

import (
	"fmt"
	"testing"
	"time"
)

// TestMisses: what is missed most is listed first, however many other keys come, and survives in the state folder.
func TestMisses(t *testing.T) {
	dir := t.TempDir()
	var m misses
	for i := range 40_000 {
		m.add("users", fmt.Appendf(nil, "rare%d", i))
		if i%4 == 0 {
			m.add("users", []byte("often"))
		}
	}
	m.add("hosts", []byte("h"))
	if err := m.save(dir, time.Now(), true); err != nil {
		t.Fatal(err)
	}
	got, err := Misses(dir)
	if err != nil || len(got) != maxMisses+1 {
		t.Fatal(len(got), err)
	}
	if got[0].Key != "often" || got[0].Rule != "users" || got[0].Count < 8_000 || got[0].Count > 12_000 {
		t.Errorf("%+v", got[0])
	}
	if none, err := Misses(t.TempDir()); err != nil || none != nil {
		t.Error(none, err)
	}
}

// TestMissesOfAStage: the keys are those that the events had.
func TestMissesOfAStage(t *testing.T) {
	dir := put(t, "", "users.csv", people, "enrich.yaml", peopleYAML)
	s := open(t, dir, Options{State: t.TempDir()})
	for _, name := range []string{"eve", "mallory", "eve", "nbyrne"} {
		process(t, s, `{"user":{"name":"`+name+`"}}`)
	}
	got := s.shared.misses.list()
	if len(got) != 2 || got[0] != (MissedKey{Rule: "users", Key: "eve", Count: 2}) || got[1].Key != "mallory" {
		t.Errorf("%+v", got)
	}
}
