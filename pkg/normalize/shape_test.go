package normalize

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"leat/pkg/event"
)

// What a stage remembers of the records before must not show: random records with the members of real ones, dropped, shuffled and
// doubled, come out of a stage that has seen them all as out of one that has seen none.
func TestShapesDoNotShow(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(11, 12))
	var records []map[string]json.RawMessage
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.plans {
		for _, c := range p.tests {
			var r map[string]json.RawMessage
			if json.Unmarshal([]byte(c.in), &r) == nil {
				records = append(records, r)
			}
		}
	}
	old := New(Config{Mappings: m, Original: DropOriginal})
	known := 0
	for i := range 4000 {
		line := random(rnd, records[rnd.IntN(len(records))])
		fresh := New(Config{Mappings: m, Original: DropOriginal, Now: old.cfg.Now})
		got, want := normal(t, old, line), normal(t, fresh, line)
		if old.run.shape != nil && fresh.run.shape != nil && old.run.shape != fresh.run.shape {
			known++
		}
		if stripTime(got) != stripTime(want) {
			t.Fatalf("record %d: %s\nbecomes %s\nand in a new stage %s", i, line, got, want)
		}
	}
	if known < 500 {
		t.Errorf("a shape was used only %d times", known)
	}
}

func random(rnd *rand.Rand, r map[string]json.RawMessage) string {
	keys := slices.Sorted(maps.Keys(r))
	if rnd.IntN(3) == 0 {
		rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	}
	var out []string
	for _, k := range keys {
		v := string(r[k])
		switch rnd.IntN(30) {
		case 0:
			continue
		case 1:
			v = `"x"`
		case 2:
			v = "null"
		case 3:
			out = append(out, fmt.Sprintf("%q:1", k))
		}
		out = append(out, fmt.Sprintf("%q:%s", k, v))
	}
	return "{" + strings.Join(out, ",") + "}"
}

func normal(t *testing.T, s *Stage, line string) string {
	t.Helper()
	var b event.Batch
	b.Push([]byte(line))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	return string(b.AppendLines(nil))
}

// stripTime takes away @timestamp: a record without a time of its own has the clock's.
func stripTime(s string) string {
	if rest, ok := strings.CutPrefix(s, `{"@timestamp":"`); ok {
		_, rest, _ = strings.Cut(rest, `"`)
		return rest
	}
	return s
}
