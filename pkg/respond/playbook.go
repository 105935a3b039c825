package respond

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/yamlfile"
)

// Playbook says which alerts lead to which actions, and what must never be acted on.
type Playbook struct {
	Plays  []Play `yaml:"plays"`
	Allow  Allow  `yaml:"allow"`
	Budget Budget `yaml:"budget"`
	// Concurrency is how many actions run at the same time (default 4).
	Concurrency int `yaml:"concurrency"`
	// Hold is how long the stream waits for the actions of the alerts that it just carried (default 2s); what takes longer
	// goes on in the background, and its outcome is told later on the stream.
	Hold *time.Duration `yaml:"hold"`
	// RetryWithin is how old an action without an outcome may be to be run again after a restart (default 24h).
	RetryWithin time.Duration `yaml:"retry_within"`
}

// Play is a list of actions with the conditions under which they are run.
type Play struct {
	Name string `yaml:"name"`
	When When   `yaml:"when"`
	// Target is the field that names who or what is acted on, such as user.name; empty = the alert as a whole, and then
	// anything allow-listed in it withholds the actions.
	Target  string   `yaml:"target"`
	Actions []Action `yaml:"actions"`
}

// Action is one thing to do: exactly one of Exec and Webhook.
type Action struct {
	// Name is part of the key under which the journal knows the action. Default: exec:<program> or webhook:<host>.
	Name    string   `yaml:"name"`
	Exec    *Exec    `yaml:"exec"`
	Webhook *Webhook `yaml:"webhook"`
	// Target replaces the play's.
	Target string `yaml:"target"`
	// Notify says that the action only tells people something: the allow-list does not withhold it.
	Notify bool `yaml:"notify"`
	// DryRun keeps this action from being run even with --enforce.
	DryRun bool `yaml:"dry_run"`
	// Budget replaces the playbook's per_action.
	Budget *Limit `yaml:"budget"`
}

// Budget bounds how many actions are run; what would go beyond halts them until a person lifts it.
type Budget struct {
	Total     *Limit `yaml:"total"`      // over all plays; default 60 an hour
	PerAction *Limit `yaml:"per_action"` // for each action; default 20 an hour
}

// Limit is at most Max in any stretch of Per.
type Limit struct {
	Max int           `yaml:"max"`
	Per time.Duration `yaml:"per"`
}

// LoadPlaybook reads and checks the file at path. The error joins every fault, each with file, line and column.
func LoadPlaybook(path string) (*Playbook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	return ParsePlaybook(path, data)
}

// ParsePlaybook is LoadPlaybook on bytes; name is what faults call the file. Relative paths in it are taken from the
// folder of name.
func ParsePlaybook(name string, data []byte) (*Playbook, error) {
	p := &Playbook{}
	file, err := yamlfile.Decode(name, data, p)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	c := &check{file: file, root: &doc, dir: filepath.Dir(name)}
	c.playbook(p)
	if err := errors.Join(c.faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// check collects the faults that decoding can't see, and fills in defaults.
type check struct {
	file   *yamlfile.File
	root   *yaml.Node
	dir    string
	faults []error
}

// fault notes a fault at the value that path (keys and indexes) leads to, or at the nearest value above it.
func (c *check) fault(path []any, format string, args ...any) {
	c.faults = append(c.faults, c.file.At(descend(c.root, path), format, args...))
}

func descend(n *yaml.Node, path []any) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next := (*yaml.Node)(nil)
		switch s := step.(type) {
		case int:
			if n.Kind == yaml.SequenceNode && s < len(n.Content) {
				next = n.Content[s]
			}
		case string:
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == s {
					next = n.Content[i+1]
				}
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func (c *check) playbook(p *Playbook) {
	if len(p.Plays) == 0 {
		c.fault([]any{"plays"}, "no plays; expected a list of at least one play with name, when and actions")
	}
	names := map[string]bool{}
	for i := range p.Plays {
		c.play(&p.Plays[i], i)
		if name := p.Plays[i].Name; name != "" && names[name] {
			c.fault([]any{"plays", i, "name"}, "two plays are named %q; the journal tells them apart by name", name)
		}
		names[p.Plays[i].Name] = true
	}
	if err := p.Allow.compile(); err != nil {
		c.fault([]any{"allow"}, "%v", err)
	}
	p.Budget.Total = c.limit(p.Budget.Total, &Limit{Max: 60, Per: time.Hour}, "budget", "total")
	p.Budget.PerAction = c.limit(p.Budget.PerAction, &Limit{Max: 20, Per: time.Hour}, "budget", "per_action")
	if p.Concurrency == 0 {
		p.Concurrency = 4
	}
	if p.Concurrency < 1 || p.Concurrency > 64 {
		c.fault([]any{"concurrency"}, "concurrency is %d; expected 1 to 64", p.Concurrency)
	}
	if p.Hold == nil {
		hold := 2 * time.Second
		p.Hold = &hold
	}
	if *p.Hold < 0 || *p.Hold > time.Minute {
		c.fault([]any{"hold"}, "hold is %v; expected 0s to 1m", *p.Hold)
	}
	if p.RetryWithin == 0 {
		p.RetryWithin = 24 * time.Hour
	}
	if p.RetryWithin < 0 {
		c.fault([]any{"retry_within"}, "retry_within is %v; expected a positive duration", p.RetryWithin)
	}
}

func (c *check) limit(l, def *Limit, path ...any) *Limit {
	if l == nil {
		return def
	}
	if l.Max < 0 || l.Max > 100_000 {
		c.fault(append(slices.Clone(path), "max"), "max is %d; expected 0 to 100000", l.Max)
	}
	if l.Per < time.Second || l.Per > 31*24*time.Hour {
		c.fault(append(slices.Clone(path), "per"), "per is %v; expected a duration from 1s to 744h", l.Per)
	}
	return l
}

func (c *check) play(p *Play, i int) {
	at := []any{"plays", i}
	in := func(path ...any) []any { return append(slices.Clone(at), path...) }
	if !goodName(p.Name) {
		c.fault(in("name"), "name is %q; expected 1 to 64 letters, digits, dots, dashes or underscores", p.Name)
	}
	if err := p.When.compile(); err != nil {
		c.fault(in("when"), "%v", err)
	}
	if p.When.empty() {
		c.fault(in("when"), "no condition: every alert would match; expected rule, severity or fields (rule: '*' for all)")
	}
	if _, err := parseTarget(p.Target); err != nil {
		c.fault(in("target"), "%v", err)
	}
	if len(p.Actions) == 0 {
		c.fault(in("actions"), "no actions; expected a list of exec and webhook actions")
	}
	names := map[string]bool{}
	for j := range p.Actions {
		a := &p.Actions[j]
		c.action(a, in("actions", j))
		if names[a.Name] {
			c.fault(in("actions", j), "two actions of the play are named %q; give each a name of its own", a.Name)
		}
		names[a.Name] = true
		if a.Target == "" {
			a.Target = p.Target
		}
	}
}

func (c *check) action(a *Action, at []any) {
	in := func(path ...any) []any { return append(slices.Clone(at), path...) }
	switch {
	case a.Exec != nil && a.Webhook != nil:
		c.fault(at, "both exec and webhook; expected one of them an action")
	case a.Exec != nil:
		c.exec(a, in)
	case a.Webhook != nil:
		c.webhook(a, in)
	default:
		c.fault(at, "neither exec nor webhook; expected one of them")
	}
	if a.Name != "" && !goodName(a.Name) {
		c.fault(in("name"), "name is %q; expected 1 to 64 letters, digits, dots, dashes, colons or underscores", a.Name)
	}
	if _, err := parseTarget(a.Target); err != nil {
		c.fault(in("target"), "%v", err)
	}
	if a.Budget != nil {
		c.limit(a.Budget, nil, in("budget")...)
	}
}

func goodName(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == ""
}
