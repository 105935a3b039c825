package detect

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestRegression runs SigmaHQ's regression cases: each event raises its rule, whether rules are routed or not.
func TestRegression(t *testing.T) {
	for _, routing := range []bool{true, false} {
		s, err := New(Config{Rules: sigmaHQ(t), Routing: routing})
		if err != nil {
			t.Fatal(err)
		}
		root := sharedData(t, "sigma", "regression")
		id := regexp.MustCompile(`(?m)^\s+- id:\s*(\S+)`)
		cases := 0
		err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(p) != ".json" {
				return err
			}
			info, err := os.ReadFile(filepath.Join(filepath.Dir(p), "info.yml"))
			if err != nil {
				return err
			}
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			want := string(id.FindSubmatch(info)[1])
			var got []string
			for _, ids := range raised(t, s, compact(t, data)...) {
				got = append(got, ids...)
			}
			if cases++; !slices.Contains(got, want) {
				t.Errorf("routing %v: %s raised %v, not %s", routing, p, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("routing %v: %d cases", routing, cases)
		if cases < 100 {
			t.Errorf("only %d cases", cases)
		}
	}
}

// TestOracle compares the stage with every rule on every event, and with routing, with an independent oracle's matches:
// unrouted they are the same, and routed nothing more fires.
func TestOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	type pair struct {
		Rule string `json:"rule_id"`
		N    int    `json:"n"`
	}
	want := map[pair]bool{}
	eachLine(t, sharedData(t, "sigma", "events", "sample-20k.oracle.ndjson.gz"), func(line []byte) {
		var p pair
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		want[p] = true
	})
	var lines [][]byte
	eachLine(t, sharedData(t, "sigma", "events", "sample-20k.ndjson.gz"), func(line []byte) { lines = append(lines, line) })
	for _, routing := range []bool{false, true} {
		s, err := New(Config{Rules: sigmaHQ(t), Routing: routing})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for n, line := range lines {
			for _, id := range raised(t, s, line)[0] {
				found++
				if !want[pair{id, n}] {
					t.Errorf("routing %v: rule %s on line %d, of which the oracle knows nothing", routing, id, n)
				}
			}
		}
		t.Logf("routing %v: %d matches, the oracle has %d", routing, found, len(want))
		if !routing && found != len(want) {
			t.Errorf("%d matches, the oracle has %d", found, len(want))
		}
		if routing && found == 0 {
			t.Error("no matches")
		}
	}
}
