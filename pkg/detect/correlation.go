package detect

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/alert"
	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// ErrNoState says that a marked pipe has rules that remember, and no folder to remember in.
var ErrNoState = errors.New("rules correlate or suppress, which a marked pipe needs a folder for: --state DIR")

// feed says that the matches of a rule or correlation are those of reference ref of a correlation.
type feed struct{ cor, ref int }

// corRule is a correlation at work.
type corRule struct {
	*sigma.Correlation
	writer *alert.Writer
	feeds  []feed
	plans  map[int32]*plan // by the detection rule whose event it is
	hold   int             // rule of the engine that suppresses its alerts, or -1
	by     map[int32][]fieldPlaces
}

// plan is where the events of one detection rule have what a correlation looks at.
type plan struct {
	group, value []fieldPlaces
}

// correlator takes the matches of a batch, in the order of its events, through the correlations and suppressions. It is for one
// goroutine.
type correlator struct {
	log    *slog.Logger
	set    *ruleSet
	eng    *correlate.Engine
	rules  []*corRule // the engine's first rules; behind them are suppressions
	feeds  [][]feed   // by detection rule
	hold   []int      // by detection rule: the engine's rule that suppresses its alerts, or -1
	by     [][]fieldPlaces
	number map[string]int32 // of detection rules, by their identity
	clock  streamClock

	x, vx    extractor
	obs      correlate.Observation
	pending  []pending
	keys     []byte
	subject  alert.Subject
	out      *event.Batch // where alerts go, behind the event behind, or at the end
	behind   *event.Event
	whenOver func(*correlate.Match)
	said     []correlate.Stats // what was told of the bounds
	skipped  []int64           // by correlation: events without a field of the group, or without the value
	// saidSkipped is what was told of that.
	saidSkipped []int64
}

// pending is an observation of one event that is not yet made: events that several rules matched are one.
type pending struct {
	feed
	mask       uint64
	key, value span
	number     float64
	base       int32
}

// span is a part of the correlator's keys.
type span struct{ from, to int }

// remembers tells whether anything of the set has state between events.
func (s *ruleSet) remembers() bool {
	return len(s.correlations) > 0 || slices.ContainsFunc(s.rules, func(r *sigma.Rule) bool { return r.Suppress != nil })
}

// builtin tells whether all that is remembered is of the rules in the program.
func (s *ruleSet) builtin() bool {
	ours := func(m *sigma.Meta) bool { return strings.HasPrefix(m.File, "builtin/") }
	return !slices.ContainsFunc(s.correlations, func(c *sigma.Correlation) bool { return !ours(&c.Meta) }) &&
		!slices.ContainsFunc(s.rules, func(r *sigma.Rule) bool { return r.Suppress != nil && !ours(&r.Meta) })
}

// newCorrelator makes the correlator of a set, or nil where nothing is remembered.
func newCorrelator(cfg *Config, set *ruleSet) (*correlator, error) {
	if !set.remembers() {
		return nil, nil
	}
	c := &correlator{
		log: cfg.Log, set: set, feeds: make([][]feed, len(set.rules)), hold: make([]int, len(set.rules)),
		by: make([][]fieldPlaces, len(set.rules)), number: map[string]int32{}, clock: streamClock{now: cfg.Now},
	}
	c.whenOver = c.over
	index := map[any]int{}
	numbers := map[*sigma.Rule]int32{}
	for i, r := range set.rules {
		numbers[r] = int32(i)
		c.number[ruleID(r)] = int32(i)
	}
	var engine []correlate.Rule
	for i, sc := range set.correlations {
		index[sc] = i
		r := &corRule{Correlation: sc, writer: set.corWriters[i], plans: map[int32]*plan{}, hold: -1, by: map[int32][]fieldPlaces{}}
		c.rules = append(c.rules, r)
		engine = append(engine, correlate.Rule{ID: fingerprint(sc), Correlation: sc})
		for ref := range sc.Rules {
			if base := sc.Rules[ref].Rule; base != nil {
				if n, ok := numbers[base]; ok {
					c.feeds[n] = append(c.feeds[n], feed{i, ref})
				}
			} else {
				below := c.rules[index[sc.Rules[ref].Correlation]]
				below.feeds = append(below.feeds, feed{i, ref})
			}
		}
		for _, base := range basesOf(sc, nil) {
			n, ok := numbers[base]
			if !ok {
				return nil, fmt.Errorf("%s:%d: the correlation refers to a rule that was left out (%s)", sc.File, sc.Line, base.Title)
			}
			c.plan(r, n, base)
		}
	}
	for _, r := range c.rules {
		if r.Suppress != nil {
			r.hold = len(engine)
			engine = append(engine, suppression(fingerprint(r.Correlation), r.Suppress))
		}
	}
	for i, r := range set.rules {
		c.hold[i] = -1
		if r.Suppress != nil {
			c.hold[i] = len(engine)
			engine = append(engine, suppression(ruleID(r), r.Suppress))
			for _, name := range r.Suppress.By {
				c.by[i] = append(c.by[i], fieldPlaces{name, placesOf(r, name, set.fields)})
			}
		}
	}
	var err error
	c.eng, err = correlate.New(engine, cfg.Limits)
	c.said, c.skipped, c.saidSkipped = make([]correlate.Stats, len(engine)), make([]int64, len(c.rules)), make([]int64, len(c.rules))
	return c, err
}

// plan notes where the events of detection rule base have what r looks at.
func (c *correlator) plan(r *corRule, n int32, base *sigma.Rule) {
	r.plans[n] = &plan{
		group: fieldsOf(r.Correlation, base, r.GroupBy, c.set.fields), value: fieldsOf(r.Correlation, base, r.Field, c.set.fields),
	}
	if r.Suppress != nil {
		r.by[n] = fieldsOf(r.Correlation, base, r.Suppress.By, c.set.fields)
	}
}

// basesOf returns the detection rules whose events reach sc.
func basesOf(sc *sigma.Correlation, out []*sigma.Rule) []*sigma.Rule {
	for i := range sc.Rules {
		switch ref := &sc.Rules[i]; {
		case ref.Correlation != nil:
			out = basesOf(ref.Correlation, out)
		case !slices.Contains(out, ref.Rule):
			out = append(out, ref.Rule)
		}
	}
	return out
}

// suppression is a correlation that raises with the first event of a group and then not for a while.
func suppression(id string, s *sigma.Suppress) correlate.Rule {
	sc := &sigma.Correlation{Type: sigma.EventCount, Timespan: s.For, Bounds: []sigma.Bound{{Op: "gte", Value: 1}}}
	return correlate.Rule{ID: fmt.Sprintf("suppress %s %q %s", id, s.By, s.For), Correlation: sc, Once: true}
}

// fingerprint is what makes the state of a correlation the state of that correlation: its id, and all that its windows
// depend on. A rule that is changed begins anew.
func fingerprint(sc *sigma.Correlation) string {
	var refs []string
	for i := range sc.Rules {
		if r := sc.Rules[i].Rule; r != nil {
			refs = append(refs, ruleID(r))
		} else {
			refs = append(refs, fingerprint(sc.Rules[i].Correlation))
		}
	}
	return event.DeriveID("correlation", correlationID(sc), sc.Type.String(), sc.Timespan.String(), fmt.Sprintf("%q", sc.GroupBy),
		fmt.Sprintf("%q", sc.Field), fmt.Sprint(sc.Bounds), strconv.FormatFloat(sc.Percentile, 'g', -1, 64), sc.Condition, fmt.Sprintf("%q", refs))
}

// correlationID is the correlation's id, or one from its title for one without.
func correlationID(sc *sigma.Correlation) string {
	if sc.ID != "" {
		return sc.ID
	}
	return event.DeriveID("rule", sc.Title, "correlation")
}

// adopt goes on with what old remembers.
func (c *correlator) adopt(old *correlator) error {
	c.clock = old.clock
	err := c.eng.Adopt(old.eng)
	if n := c.eng.Passed(); n > 0 {
		c.log.Warn("groups of correlations that are gone or have changed are forgotten", "groups", n)
	}
	return err
}
