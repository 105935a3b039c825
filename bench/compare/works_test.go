package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var fileArgument = regexp.MustCompile(`[a-z]+\.(jq|mlr|vrl|rb|py|benthos\.yaml)\b|mappings/[a-z]+`)

// TestWorksAreWhole: names are unlike, every row says where its input goes, and the programs that commands name are there.
func TestWorksAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range works() {
		if seen[w.name] || w.title == "" || w.about == "" {
			t.Errorf("%q: name twice, or no title or text", w.name)
		}
		seen[w.name] = true
		if len(w.rows) == 0 && w.report == nil {
			t.Errorf("%s: nothing to run", w.name)
		}
		tools := map[string]bool{}
		for i, r := range w.rows {
			all := strings.Join(r.pipe, " | ")
			if tools[r.tool] {
				t.Errorf("%s: %s is there twice", w.name, r.tool)
			}
			tools[r.tool] = true
			if !strings.Contains(all, "{in}") && !strings.Contains(all, "{wrapped}") {
				t.Errorf("%s: %s reads no input: %s", w.name, r.tool, all)
			}
			if i == 0 && (r.peer != "" || r.floor) {
				t.Errorf("%s: the first row is the reference and must be ours", w.name)
			}
			for _, f := range fileArgument.FindAllString(all, -1) {
				if _, err := os.Stat(filepath.Join("..", "work", f)); err != nil {
					t.Errorf("%s: %s: %v", w.name, r.tool, err)
				}
			}
		}
	}
}

func TestChoose(t *testing.T) {
	if list, err := choose("chain,rename"); err != nil || len(list) != 2 || list[0].name != "chain" {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := choose(""); err != nil || len(list) != len(works()) {
		t.Errorf("%d works, %v", len(list), err)
	}
	if _, err := choose("rename,nothing"); err == nil || !strings.Contains(err.Error(), `"nothing"; expected some of rename, sshd`) {
		t.Errorf("got %v", err)
	}
}

func TestAffordable(t *testing.T) {
	for name, c := range map[string]struct {
		all, sampled int
		cpu          time.Duration
		want         int
	}{
		"fast: all there is":     {1_000_000, 5000, 10 * time.Millisecond, 1_000_000},
		"no time at all":         {1_000_000, 5000, -time.Millisecond, 1_000_000},
		"as many as it can":      {1_000_000, 5000, time.Second, 20_000},
		"never below the sample": {1_000_000, 5000, time.Minute, 5000},
		"all of a small work":    {3, 3, time.Millisecond, 3},
	} {
		if got := affordable(c.all, c.sampled, 5, c.cpu); got != c.want {
			t.Errorf("%s: %d, expected %d", name, got, c.want)
		}
	}
}

// TestRatio is taken within a round, so that a round in which the machine was busy does not count twice.
func TestRatio(t *testing.T) {
	run := func(cpu ...time.Duration) *result {
		r := &result{row: &row{}, n: 1_000_000, idle: time.Second}
		for _, c := range cpu {
			r.runs = append(r.runs, figures{cpu: c, wall: c, rss: 10 << 20})
		}
		return r
	}
	ours, theirs := run(3*time.Second, 9*time.Second, 3*time.Second), run(21*time.Second, 81*time.Second, 21*time.Second)
	if got := theirs.ratio(ours); got != 10 {
		t.Errorf("ratio %v", got)
	}
	if net, whole := ours.perMillion(true), ours.perMillion(false); net != 2 || whole != 3 {
		t.Errorf("net %v, whole %v", net, whole)
	}
	if ours.rss() != 10 || int(ours.rate()) != 333333 {
		t.Errorf("rss %v, rate %v", ours.rss(), ours.rate())
	}
	m := measured{work: &work{name: "rename"}, results: []*result{ours, run(time.Second), theirs}}
	m.results[2].row = &row{tool: "jaq", peer: "jaq"}
	if best := m.best(false); best == nil || best.row.tool != "jaq" {
		t.Error("the best of the others must be a peer")
	}
	m.results[2].row.batch = true
	if m.best(false) != nil || m.best(true) == nil {
		t.Error("what works in batch is a kind of its own")
	}
	b := &bench{tables: []measured{m}}
	if text := b.short(); !strings.Contains(text, "|  | 2.00 | | | jaq: 20 | 10.00 × |\n") {
		t.Errorf("got %s", text)
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		thousands(7): "7", thousands(1234): "1,234", thousands(12345678): "12,345,678",
		figure(2.345): "2.35", figure(52.4): "52", times(0.4): "0.40 ×", times(46.2): "46 ×",
	} {
		if got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if median([]float64{3, 1, 2}) != 2 || median([]float64{1, 2}) != 1.5 || median(nil) != 0 {
		t.Error("median")
	}
}

func TestNamesAreThoseOfTheFlag(t *testing.T) {
	if !slices.Contains(names(), "detect-all") {
		t.Error(names())
	}
}
