package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"leat/pkg/event"
)

// chainModel is bruteForce written down by hand, for events in the order of their times: three failures within ten minutes are a
// link, and a success within ten minutes behind a link an alert.
type chainModel struct {
	fails, failCovers []int
	outer             []outerEntry
	outerCovers       []int
}

type outerEntry struct {
	at   int
	link bool
}

const tenMinutes = 600

func inWindow(starts []int, at int) bool {
	return slices.ContainsFunc(starts, func(s int) bool { return at >= s && at <= s+tenMinutes })
}

// see returns the window of the alert that an event raises, or "".
func (m *chainModel) see(at int, failed bool) string {
	if failed {
		if inWindow(m.failCovers, at) {
			return ""
		}
		m.fails = append(slices.DeleteFunc(m.fails, func(t int) bool { return t < at-tenMinutes }), at)
		if len(m.fails) < 3 {
			return ""
		}
		m.failCovers = append(m.failCovers, m.fails[0])
		m.fails = nil
	}
	if inWindow(m.outerCovers, at) {
		return ""
	}
	m.outer = append(slices.DeleteFunc(m.outer, func(e outerEntry) bool { return e.at < at-tenMinutes }), outerEntry{at, failed})
	if failed || !slices.ContainsFunc(m.outer, func(e outerEntry) bool { return e.link }) {
		return ""
	}
	start := m.outer[0].at
	m.outerCovers = append(m.outerCovers, start)
	m.outer = nil
	return fmt.Sprintf("%d-%d", start, at)
}

func TestChainAgainstModel(t *testing.T) {
	raised := 0
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(11, seed))
		s := correlating(t, bruteForce, Config{Workers: 1 + rnd.IntN(3)})
		models := map[string]*chainModel{}
		var lines, want []string
		at := 0
		for i := range 400 {
			at += 1 + rnd.IntN(120)
			user := fmt.Sprintf("u%d", rnd.IntN(4))
			failed := rnd.IntN(3) > 0
			lines = append(lines, login(fmt.Sprint(i), user, map[bool]string{true: "failure", false: "success"}[failed], at))
			if models[user] == nil {
				models[user] = &chainModel{}
			}
			if w := models[user].see(at, failed); w != "" {
				want = append(want, user+" "+w)
			}
		}
		var got []string
		for _, l := range alertsOf(t, s, 1+rnd.IntN(100), lines...) {
			e := parsedEvent(t, l)
			if n, _ := e.Get(event.MustPath("leat.alert.correlation.revision")).Int(); n > 1 {
				continue
			}
			sec := func(p string) int64 {
				ns, _ := event.ParseTime(e.Get(event.MustPath("leat.alert.correlation." + p)).Text(nil))
				return ns/1_000_000_000 - 1_800_000_000
			}
			got = append(got, fmt.Sprintf("%s %d-%d", e.Get(event.MustPath("user.name")).String(), sec("start"), sec("end")))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\ngot  %q\nwant %q", seed, got, want)
		}
		raised += len(got)
	}
	if raised < 300 {
		t.Errorf("only %d alerts: the test shows little", raised)
	}
}
