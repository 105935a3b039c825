package sigma_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/sigma"
)

// shared finds the folder of third-party data, which is no part of the repository.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("LEAT_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	p := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("third-party data is not here: %v (set LEAT_SHARED)", err)
	}
	return p
}

// corpus loads SigmaHQ's rules.
func corpus(t testing.TB) ([]*sigma.Rule, []*sigma.Fault) {
	t.Helper()
	all := &sigma.Set{}
	for _, set := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		dir := shared(t, "sigma", set)
		one, err := sigma.Load(os.DirFS(dir), ".", dir, sigma.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all.Add(one)
	}
	all.Link() // a second rule with an id that was there would be a fault
	return all.Rules, all.Faults
}

// gunzip calls each for every line of a file.
func gunzip(t testing.TB, path string, each func(line []byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		each(sc.Bytes())
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestCorpusLoads(t *testing.T) {
	rules, faults := corpus(t)
	t.Logf("%d rules loaded, %d refused", len(rules), len(faults))
	if len(rules) < 3700 {
		t.Errorf("only %d rules", len(rules))
	}
	for _, f := range faults {
		if !strings.Contains(f.Reason, "no values for the placeholder") {
			t.Errorf("refused: %v", f)
		}
	}
	if len(faults) != 2 {
		t.Errorf("%d rules refused, want the 2 with placeholders", len(faults))
	}
}

// oracleDifferences are the pairs of rule and line on which we and the oracle differ, with the reason
// (docs/sigma-conformance.md).
var oracleDifferences = map[string]string{}

// TestOracle compares every rule on every event with what pySigma's translation to SQL found (sigma/oracle.py).
func TestOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	rules, _ := corpus(t)
	type pair struct {
		Rule string `json:"rule_id"`
		N    int    `json:"n"`
	}
	want := map[pair]bool{}
	gunzip(t, shared(t, "sigma", "events", "sample-20k.oracle.ndjson.gz"), func(line []byte) {
		var p pair
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		want[p] = true
	})
	ix, err := sigma.NewIndex(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	got := map[pair]bool{}
	n := 0
	var e event.Event
	gunzip(t, shared(t, "sigma", "events", "sample-20k.ndjson.gz"), func(line []byte) {
		// The number of the line that the sample carries was not in the oracle's events.
		if i := bytes.LastIndex(line, []byte(`,"_n":`)); i > 0 {
			line = append(line[:i:i], '}')
		}
		e.Reset(line)
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		for _, h := range m.Match(&e) {
			got[pair{rules[h].ID, n}] = true
		}
		n++
	})
	t.Logf("%d events, %d pairs of ours, %d of the oracle", n, len(got), len(want))
	if len(want) != 26434 {
		t.Fatalf("the oracle has %d pairs, not 26434", len(want))
	}
	var diff []string
	for p := range want {
		if !got[p] {
			diff = append(diff, "missing "+p.Rule)
		}
	}
	for p := range got {
		if !want[p] {
			diff = append(diff, "extra "+p.Rule)
		}
	}
	sort.Strings(diff)
	count := map[string]int{}
	for _, d := range diff {
		count[d]++
	}
	for d, c := range count {
		if oracleDifferences[d] == "" {
			t.Errorf("%s on %d events, unexplained", d, c)
		}
	}
}
