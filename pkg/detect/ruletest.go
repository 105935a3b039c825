package detect

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/yamlfile"
	"leat/rules"
)

// ruleTests is a file NAME.test.yml beside rules in NAME.yml: events, or streams of them, that must raise a rule or must not.
//
//	tests:
//	  - name: from a server
//	    raises: true
//	    rule: own_rule                      # id, name or title; needed where the file has several rules that raise alerts
//	    event: {…}
//	  - name: ten within a minute
//	    raises: true
//	    events: [{event: {…}, repeat: 10, every: 5s}]
type ruleTests struct {
	Tests []ruleTest `yaml:"tests"`
}

// ruleTest is one test.
type ruleTest struct {
	Name   yaml.Node      `yaml:"name"`
	Raises bool           `yaml:"raises"`
	Rule   string         `yaml:"rule"`
	Event  map[string]any `yaml:"event"`
	Events []testEvent    `yaml:"events"`
}

// testEvent is an event of a stream, or several alike.
type testEvent struct {
	Event  map[string]any `yaml:"event"`
	Repeat int            `yaml:"repeat"` // so many times; 0 is once
	Every  time.Duration  `yaml:"every"`  // apart, with ids and times of their own
}

// maxRepeat bounds a test's stream.
const maxRepeat = 1_000_000

// lines returns the events of the test as lines.
func (c *ruleTest) lines() (out []string, err error) {
	stream := c.Events
	if c.Event != nil {
		stream = append([]testEvent{{Event: c.Event}}, stream...)
	}
	for _, s := range stream {
		if s.Repeat < 0 || s.Repeat > maxRepeat || s.Event == nil {
			return nil, fmt.Errorf("expected event, and repeat of at most %d", maxRepeat)
		}
		for i := range max(s.Repeat, 1) {
			if s.Repeat > 0 {
				if err := later(s.Event, s.Every, i); err != nil {
					return nil, err
				}
			}
			line, err := json.Marshal(s.Event)
			if err != nil {
				return nil, fmt.Errorf("an event that is no JSON: %w", err)
			}
			out = append(out, string(line))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("expected one of event and events")
	}
	return out, nil
}

// later makes of e the one that comes so much behind it, with an id of its own. n is its number; the first stays what it is.
func later(e map[string]any, every time.Duration, n int) error {
	for _, key := range []string{"@timestamp", "SystemTime"} {
		text, ok := e[key].(string)
		if !ok || n == 0 {
			continue
		}
		ns, ok := event.ParseTime([]byte(text))
		if !ok {
			return fmt.Errorf("%s: %q is no time", key, text)
		}
		e[key] = string(event.AppendTime(nil, ns+int64(every)))
	}
	if ev, ok := e["event"].(map[string]any); ok {
		first, _, _ := strings.Cut(fmt.Sprint(ev["id"]), "+")
		ev["id"] = fmt.Sprintf("%s+%d", first, n)
	}
	return nil
}

// TestResult is what came of one test.
type TestResult struct {
	File, Name string
	Line       int
	Rule       string // its title
	// Fault says why it failed; empty: it passed.
	Fault string
}

// Test runs the tests beside the rules that src names: of each file NAME.yml those in NAME.test.yml. report is called for each. The
// error is one of reading, or of a file of tests that is not well formed.
func Test(src Sources, routing bool, report func(TestResult)) error {
	l, err := Load(src)
	if err != nil {
		return err
	}
	if !routing {
		l.Fields = l.Fields.literally()
	}
	set, err := newRuleSet(l)
	if err != nil {
		return err
	}
	t := &tester{l: l, set: set, routing: routing, report: report}
	if len(l.paths) == 0 {
		return t.folder(rules.FS, "builtin")
	}
	for _, p := range l.paths {
		info, err := os.Stat(p)
		if err == nil && info.IsDir() {
			err = t.folder(os.DirFS(p), p)
		} else if err == nil {
			name := strings.TrimSuffix(p, path.Ext(p)) + rules.TestSuffix
			if _, serr := os.Stat(name); serr == nil {
				err = t.folder(os.DirFS(filepath.Dir(p)), filepath.Dir(p), filepath.Base(name))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type tester struct {
	l       *Loaded
	set     *ruleSet
	routing bool
	report  func(TestResult)
}

// folder runs the files of tests in fsys, or those that are named.
func (t *tester) folder(fsys fs.FS, shown string, names ...string) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, rules.TestSuffix) || len(names) > 0 && !slices.Contains(names, p) {
			return err
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		return t.file(path.Join(filepath.ToSlash(shown), p), data)
	})
}

func (t *tester) file(name string, data []byte) error {
	var file ruleTests
	y, err := yamlfile.Decode(name, data, &file)
	if err != nil {
		return err
	}
	metas := t.raising(strings.TrimSuffix(name, rules.TestSuffix))
	for i := range file.Tests {
		c := &file.Tests[i]
		res := TestResult{File: name, Name: c.Name.Value, Line: c.Name.Line}
		lines, err := c.lines()
		if err != nil {
			return y.At(&c.Name, "test %q: %v", c.Name.Value, err)
		}
		ids := map[string]string{}
		for id, m := range metas {
			if c.Rule == "" || c.Rule == id || c.Rule == m.Name || c.Rule == m.Title {
				ids[id] = m.Title
			}
		}
		if len(ids) != 1 {
			return y.At(&c.Name, "test %q: %d rules of %s.yml raise alerts and are meant; name one by rule: its id, name or title", c.Name.Value, len(ids), strings.TrimSuffix(name, rules.TestSuffix))
		}
		for id, title := range ids {
			res.Rule = title
			raised, err := t.run(id, lines)
			if err != nil {
				return err
			}
			switch {
			case raised && !c.Raises:
				res.Fault = "raises it, and must not"
			case !raised && c.Raises:
				res.Fault = "does not raise it"
			}
		}
		t.report(res)
	}
	return nil
}

// raising returns the rules of a file that raise alerts, by id.
func (t *tester) raising(base string) map[string]*sigma.Meta {
	out := map[string]*sigma.Meta{}
	of := func(m *sigma.Meta) bool {
		file := filepath.ToSlash(m.File)
		return file == base+".yml" || file == base+".yaml"
	}
	for _, r := range t.l.Rules {
		if of(&r.Meta) && !r.Silent {
			out[ruleID(r)] = &r.Meta
		}
	}
	for _, sc := range t.l.Correlations {
		if of(&sc.Meta) && !sc.Silent {
			out[correlationID(sc)] = &sc.Meta
		}
	}
	return out
}

// run sends lines through a stage that remembers nothing yet, and tells whether the rule raised an alert.
func (t *tester) run(id string, lines []string) (bool, error) {
	// Tests have times of their own: none of them is in this clock's future.
	clock := func() time.Time { return time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC) }
	s, err := newStageOf(Config{Routing: t.routing, AlertsOnly: true, Now: clock}, t.set)
	if err != nil {
		return false, err
	}
	raised := false
	look := func(b *event.Batch) {
		b.Compact()
		for _, e := range b.Events {
			raised = raised || e.Parse() == nil && e.Get(event.MustPath("rule.id")).Is(id)
		}
	}
	var b event.Batch
	for _, line := range lines {
		b.Reset()
		b.Push([]byte(line))
		if err := s.Process(&b); err != nil {
			return false, err
		}
		look(&b)
	}
	b.Reset()
	if err := s.Flush(&b); err != nil {
		return false, err
	}
	look(&b)
	return raised, nil
}
