package correlate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"leat/pkg/sigma"
)

type arrival struct {
	key string
	refEvent
}

func (a *arrival) observation() *Observation {
	return &Observation{
		Key: []byte(a.key), At: a.at, ID: []byte(a.id), Mask: a.mask, Value: []byte(a.value), Number: a.num,
		Sample: func(dst []byte) []byte { return append(dst, a.id...) },
	}
}

// arrivals makes events of a few groups; each comes at most late after the newest that came before it.
func arrivals(rnd *rand.Rand, c *sigma.Correlation, n int, late time.Duration) []arrival {
	type stamped struct {
		arrival
		comes int64
	}
	var all []stamped
	span := int64(3+rnd.IntN(60)) * int64(time.Second)
	for i := range n {
		ev := refEvent{
			at: int64(1_700_000_000_000_000_000) + rnd.Int64N(span)/int64(time.Second)*int64(time.Second),
			id: fmt.Sprintf("e%d", i), value: string(rune('a' + rnd.IntN(6))), num: float64(rnd.IntN(30)), seq: i,
		}
		if c.Type.OfRules() {
			ev.mask = 1 << rnd.IntN(len(c.Rules))
			if rnd.IntN(5) == 0 {
				ev.mask |= 1 << rnd.IntN(len(c.Rules))
			}
		}
		delay := int64(0)
		if late > 0 {
			delay = rnd.Int64N(int64(late))
		}
		all = append(all, stamped{arrival{string(rune('k' + rnd.IntN(3))), ev}, ev.at + delay})
	}
	slices.SortStableFunc(all, func(a, b stamped) int { return cmp.Compare(a.comes, b.comes) })
	var out []arrival
	for _, a := range all {
		out = append(out, a.arrival)
	}
	return out
}

// run sends arrivals through an engine and returns its matches.
func run(e *Engine, list []arrival, each func(i int)) (out []string) {
	raise := func(m *Match) { out = append(out, showMatch(m)) }
	for i := range list {
		if each != nil {
			each(i)
		}
		e.Advance(list[i].at, raise)
		if m, ok := e.Observe(0, list[i].observation()); ok {
			raise(m)
		}
	}
	e.Finish(raise)
	return out
}

// TestRisingAgainstReference sends shuffled and late events, also later than what is waited for, and compares each match with
// that of an evaluator which looks at every window anew.
func TestRisingAgainstReference(t *testing.T) {
	raised, revised := 0, 0
	for seed := range uint64(6000) {
		rnd := rand.New(rand.NewPCG(1, seed))
		c := randomRule(rnd)
		if !rising(c) {
			continue
		}
		e := mustNew(t, Limits{Lateness: time.Duration(1+rnd.IntN(10)) * time.Second}, c)
		ref := newReference(e.rules[0])
		for i, a := range arrivals(rnd, c, 4+rnd.IntN(40), time.Duration(rnd.IntN(30))*time.Second) {
			e.Advance(a.at, nil)
			ref.advance(a.at)
			want, got := ref.observe(a.key, a.refEvent), ""
			if m, ok := e.Observe(0, a.observation()); ok {
				got = showMatch(m)
				raised++
				if m.Revision > 1 {
					revised++
				}
			}
			if c.Type == sigma.TemporalOrdered && c.Expr != nil {
				want, got = noValue(want), noValue(got)
			}
			if got != want {
				t.Fatalf("seed %d, event %d (%+v)\n%s %v %v in %s\ngot  %s\nwant %s", seed, i, a, c.Type, c.Bounds, c.Expr, c.Timespan, got, want)
			}
		}
	}
	if raised < 2000 || revised < 1000 {
		t.Errorf("only %d matches, %d of them revisions: the test shows little", raised, revised)
	}
}

func noValue(s string) string {
	var key, span, n, v, ids string
	fmt.Sscan(s, &key, &span, &n, &v, &ids)
	return key + span + n + ids
}

// TestClosingAgainstReference: whatever the order in which events come, within lateness, the windows are those of the events in
// the order of their times.
func TestClosingAgainstReference(t *testing.T) {
	raised := 0
	for seed := range uint64(6000) {
		rnd := rand.New(rand.NewPCG(2, seed))
		c := randomRule(rnd)
		if rising(c) {
			continue
		}
		late := time.Duration(1+rnd.IntN(10)) * time.Second
		e := mustNew(t, Limits{Lateness: late}, c)
		list := arrivals(rnd, c, 4+rnd.IntN(40), late)
		got := run(e, list, nil)
		raised += len(got)
		byKey := map[string][]refEvent{}
		for _, a := range list {
			byKey[a.key] = append(byKey[a.key], a.refEvent)
		}
		var want []string
		for key, events := range byKey {
			want = append(want, newReference(e.rules[0]).windows(key, events)...)
		}
		if c.Type == sigma.TemporalOrdered && c.Expr != nil {
			for i := range got {
				got[i] = noValue(got[i])
			}
			for i := range want {
				want[i] = noValue(want[i])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s %v in %s\ngot  %q\nwant %q", seed, c.Type, c.Bounds, c.Timespan, got, want)
		}
	}
	if raised < 2000 {
		t.Errorf("only %d matches: the test shows little", raised)
	}
}

// TestOrderDoesNotHide: a window of the events in the order of their times that satisfies a rising condition is met by a match,
// in whatever order they came.
func TestOrderDoesNotHide(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(3, seed))
		c := randomRule(rnd)
		if !rising(c) {
			continue
		}
		late := 8 * time.Second
		e := mustNew(t, Limits{Lateness: late}, c)
		list := arrivals(rnd, c, 30, late)
		starts := map[string][]int64{}
		for _, a := range list {
			e.Advance(a.at, nil)
			if m, ok := e.Observe(0, a.observation()); ok {
				starts[m.Key] = append(starts[m.Key], m.Start)
			}
		}
		ref := newReference(e.rules[0])
		byKey := map[string][]refEvent{}
		for _, a := range list {
			byKey[a.key] = append(byKey[a.key], a.refEvent)
		}
		for key, events := range byKey {
			all := ref.sorted(events)
			for j := range all {
				from := slices.IndexFunc(all, func(x refEvent) bool { return x.at >= all[j].at-ref.span })
				if ok, _ := ref.measure(all[from : j+1]); !ok {
					continue
				}
				if !slices.ContainsFunc(starts[key], func(s int64) bool { return s <= all[j].at && s+ref.span >= all[from].at }) {
					t.Fatalf("seed %d: %s %v: the window %d-%d of %s is met by no match of %v", seed, c.Type, c.Bounds, all[from].at, all[j].at, key, starts[key])
				}
			}
		}
	}
}

// TestRestore kills the engine at any point, restores it from a base and changes, and lets it see again what came since.
func TestRestore(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(4, seed))
		c := randomRule(rnd)
		late := time.Duration(1+rnd.IntN(10)) * time.Second
		lim := Limits{Lateness: late, Keys: 1 + rnd.IntN(4), Events: 3 + rnd.IntN(20), Total: 10 + rnd.IntN(40)}
		list := arrivals(rnd, c, 60, 2*late)
		whole := mustNew(t, lim, c)
		want := run(whole, list, nil)

		e := mustNew(t, lim, c)
		if err := e.Restore(nil); err != nil {
			t.Fatal(err)
		}
		var base []byte
		var changes [][]byte
		var got []string
		mark, kept := 0, 0
		raise := func(m *Match) { got = append(got, showMatch(m)) }
		for i := 0; i < len(list); i++ {
			switch rnd.IntN(12) {
			case 0: // a mark
				changes = append(changes, e.AppendChanges(nil))
				if rnd.IntN(3) == 0 {
					base, changes = e.AppendBase(nil), nil
				}
				mark, kept = i, len(got)
			case 1: // killed: back to the mark
				e = mustNew(t, lim, c)
				if err := e.Restore(base, changes...); err != nil {
					t.Fatal(err)
				}
				i, got = mark, got[:kept]
			}
			e.Advance(list[i].at, raise)
			if m, ok := e.Observe(0, list[i].observation()); ok {
				raise(m)
			}
		}
		if a, b := e.AppendBase(nil), whole.AppendBase(nil); len(whole.heap) > 0 && !slices.Equal(a, b) {
			t.Fatalf("seed %d: the states differ", seed)
		}
		e.Finish(raise)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s %v\ngot  %q\nwant %q", seed, c.Type, c.Bounds, got, want)
		}
	}
}
