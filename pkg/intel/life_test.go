package intel

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"leat/pkg/dimension"
)

func TestMerge(t *testing.T) {
	dir := write(t, t.TempDir(), "a.txt", "192.0.2.1\n192.0.2.2\n")
	write(t, dir, "b.csv", "ioc,first,last,tlp\n192.0.2.1,2026-11-01,2026-11-20,RED\n192.0.2.1,2026-11-02,2026-11-21,GREEN\n192.0.2.3,,,\n")
	ninety, ten := 90, 10
	cfg := &Config{Feeds: []*Feed{{Name: "a", File: "a.txt", Confidence: &ten, Provider: "A"},
		{Name: "b", File: "b.csv", Format: formatCSV, Columns: map[string]string{"indicator": "ioc", "first_seen": "first", "last_seen": "last", "tlp": "tlp"}, Confidence: &ninety, Provider: "B"}},
		Allow: Allow{Builtin: no()}}
	f := fetch(t, source(t, cfg, dir, nil))
	got := rows(t, f.Table)
	check(t, got, "192.0.2.1", `confidence=90`, `provider=["B","A"]`, `feed="b"`, `feeds=["b","a"]`, `first_seen="2026-11-01T00:00:00.000Z"`, `last_seen="2026-11-21T00:00:00.000Z"`, `marking.tlp="RED"`)
	check(t, got, "192.0.2.2", `confidence=10`, `confidence_level="Low"`, `provider="A"`, `feeds=null`)
	if f.Table.Rows() != 3 {
		t.Errorf("%d rows", f.Table.Rows())
	}
	if again := fetch(t, source(t, cfg, dir, nil)); again.Version != f.Version || !bytes.Equal(again.Table.AppendRow(nil, 0), f.Table.AppendRow(nil, 0)) {
		t.Error("the same feeds give another table")
	}
}

func TestLife(t *testing.T) {
	day := int64(24 * time.Hour)
	ago := func(days int64) int64 { return noon.UnixNano() - days*day }
	for _, tt := range []struct {
		name string
		l    life
		i    indicator
		conf int
		want verdict
	}{
		{"nothing said", life{}, indicator{}, 50, live},
		{"valid", life{}, indicator{validFrom: ago(1), validTo: ago(-1)}, 50, live},
		{"over", life{}, indicator{validTo: ago(0)}, 50, expired},
		{"not yet", life{}, indicator{validFrom: ago(-1)}, 50, future},
		{"ttl", life{ttl: 10 * 24 * time.Hour}, indicator{firstSeen: ago(10)}, 50, expired},
		{"seen since", life{ttl: 10 * 24 * time.Hour}, indicator{firstSeen: ago(10), lastSeen: ago(9)}, 50, live},
		{"half", life{halfLife: 30 * 24 * time.Hour, floor: 25}, indicator{lastSeen: ago(30)}, 50, live},
		{"less than half", life{halfLife: 30 * 24 * time.Hour, floor: 25}, indicator{lastSeen: ago(31)}, 50, faint},
		{"a floor alone", life{floor: 60}, indicator{}, 50, faint},
		{"seen in the future", life{halfLife: 24 * time.Hour, floor: 50}, indicator{lastSeen: ago(-5)}, 50, live},
	} {
		tt.l.now = noon
		if got := tt.l.judge(&tt.i, tt.conf); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestGrowsOld: an indicator leaves the table when its time is over, though its feed is as it was.
func TestGrowsOld(t *testing.T) {
	dir := write(t, t.TempDir(), "f.csv", "ioc,until\n192.0.2.1,2026-11-24T12:30:00Z\n192.0.2.2,\n")
	c := &clock{noon}
	cfg := &Config{Feeds: []*Feed{{Name: "f", File: "f.csv", Format: formatCSV, Columns: map[string]string{"indicator": "ioc", "valid_to": "until"}}}, Allow: Allow{Builtin: no()}}
	s := source(t, cfg, dir, c.now)
	first := fetch(t, s)
	c.pass(31 * time.Minute)
	if _, err := s.Fetch(t.Context(), first.Stamp); !errors.Is(err, dimension.ErrUnchanged) {
		t.Errorf("got %v", err)
	}
	c.pass(30 * time.Minute)
	f, err := s.Fetch(t.Context(), first.Stamp)
	if err != nil {
		t.Fatal(err)
	}
	if got := values(t, f); got != "192.0.2.2" {
		t.Errorf("got %q", got)
	}
}
