package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"leat/pkg/alert"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// maxSubsets bounds the indices that hostile mixtures of categories can have made.
const maxSubsets = 256

// ruleSet is rules ready to work. It is shared by clones and immutable but for the cache of subsets.
type ruleSet struct {
	rules        []*sigma.Rule
	writers      []*alert.Writer
	correlations []*sigma.Correlation
	corWriters   []*alert.Writer
	fields       *Taxonomy
	router       *router
	counts       []sigma.RuleCount // by rule

	mu      sync.Mutex
	byClass map[int]*subset
	byRules map[string]*subset
}

// subset is the rules that see the events of a class, in one index.
type subset struct {
	ix    *sigma.Index
	rules []int32 // of the index's rules: the number in the whole set
}

// load reads and compiles what cfg names. Faults of folders are logged and counted.
func load(cfg Config) (*ruleSet, error) {
	l, err := Load(cfg.sources())
	if err != nil {
		return nil, err
	}
	fatal := l.Fatal
	if cfg.Strict {
		fatal = append(fatal, l.Faults...)
	}
	if len(fatal) > 0 {
		var errs []error
		for _, f := range fatal {
			errs = append(errs, f)
		}
		return nil, errors.Join(errs...)
	}
	for _, f := range l.Faults {
		cfg.Log.Warn("rule left out", "file", f.File, "line", f.Line, "key", f.Key, "reason", f.Reason, "rule", f.Rule)
	}
	if len(l.Rules) == 0 {
		return nil, errors.New("no rule to work with")
	}
	for _, sel := range l.Unused {
		cfg.Log.Warn("selector names no rule", "selector", sel)
	}
	if !cfg.Routing {
		// Where nothing says of what log source an event is, its names must be the rule's.
		l.Fields = l.Fields.literally()
	}
	s, err := newRuleSet(l)
	if err != nil {
		return nil, err
	}
	if err := s.warm(cfg.Routing); err != nil {
		return nil, err
	}
	cfg.Log.Info("rules loaded", "rules", len(l.Rules), "left_out", len(l.Faults), "correlations", len(l.Correlations), "filters", len(l.Filters), "disabled", l.Left)
	return s, nil
}

func newRuleSet(l *Loaded) (s *ruleSet, err error) {
	s = &ruleSet{
		rules: l.Rules, correlations: l.Correlations, fields: l.Fields, byClass: map[int]*subset{}, byRules: map[string]*subset{},
		counts: make([]sigma.RuleCount, len(l.Rules)),
	}
	if s.router, err = newRouter(); err != nil {
		return nil, err
	}
	for _, r := range l.Rules {
		w, err := writerOf(&r.Meta, ruleID(r))
		if err != nil {
			return nil, err
		}
		s.writers = append(s.writers, w)
	}
	for _, c := range l.Correlations {
		w, err := writerOf(&c.Meta, correlationID(c))
		if err != nil {
			return nil, err
		}
		s.corWriters = append(s.corWriters, w)
	}
	return s, nil
}

func writerOf(m *sigma.Meta, id string) (*alert.Writer, error) {
	w, err := alert.NewWriter(ruleOf(m, id))
	if err != nil {
		return nil, fmt.Errorf("%s:%d: leat.%w (rule %s)", m.File, m.Line, err, id)
	}
	return w, nil
}

// withoutMemory returns the set without its correlations.
func (s *ruleSet) withoutMemory() *ruleSet {
	return &ruleSet{
		rules: s.rules, writers: s.writers, fields: s.fields, router: s.router, counts: make([]sigma.RuleCount, len(s.rules)), byClass: map[int]*subset{}, byRules: map[string]*subset{},
	}
}

func (s *ruleSet) compile(wanted func(*sigma.Rule) bool) (*subset, error) {
	sub := &subset{}
	var key []byte
	var list []*sigma.Rule
	for i, r := range s.rules {
		if wanted(r) {
			list = append(list, r)
			sub.rules = append(sub.rules, int32(i))
			key = binary.AppendUvarint(key, uint64(i))
		}
	}
	if have := s.byRules[string(key)]; have != nil {
		return have, nil
	}
	var err error
	sub.ix, err = sigma.NewIndex(list, s.fields)
	s.byRules[string(key)] = sub
	return sub, err
}

// warmFrom is how many rules a class has whose index is made before the first event: it would wait for it.
const warmFrom = 300

// warm makes the indices that take long, so that no event has to wait for them.
func (s *ruleSet) warm(routing bool) error {
	if !routing {
		_, err := s.subset(classAll)
		return err
	}
	for id := range s.router.classes {
		c, n := s.router.class(id), 0
		for _, r := range s.rules {
			if !c.all && c.admits(r.LogSource) {
				n++
			}
		}
		if n >= warmFrom {
			if _, err := s.subset(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// subset returns the rules for a class of events. The index is made when the first event of the class is there.
func (s *ruleSet) subset(id int) (*subset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub := s.byClass[id]; sub != nil {
		return sub, nil
	}
	if len(s.byClass) >= maxSubsets && id != classAll {
		// Every rule sees the event: a mixture that nobody sends in earnest costs time, and no alert.
		id = classAll
		if sub := s.byClass[id]; sub != nil {
			return sub, nil
		}
	}
	c := s.router.class(id)
	sub, err := s.compile(func(r *sigma.Rule) bool { return c.admits(r.LogSource) })
	if err == nil {
		s.byClass[id] = sub
	}
	return sub, err
}

func ruleOf(r *sigma.Meta, id string) alert.Rule {
	return alert.Rule{
		ID: id, Name: r.Title, Description: r.Description, Version: r.Version(), Author: r.Author, License: r.License,
		References: r.References, Tags: r.Tags, Actions: r.Actions, Level: r.Level.String(), Message: r.Message,
	}
}

// ruleID is the rule's id, or one from its title for a rule without.
func ruleID(r *sigma.Rule) string {
	if r.ID != "" {
		return r.ID
	}
	return event.DeriveID("rule", r.Title, r.LogSource.String())
}
