package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// Config says what is learned. Check fills in what was left out.
type Config struct {
	// Preset names sets of built-in facts: see Presets.
	Preset Names `yaml:"preset"`
	// From are facts of one's own.
	From []FactConfig `yaml:"from"`
	// Scope is a field whose text is put before each key with a slash, where one address may be several hosts'
	// (observer.name, a tenant). A rule then asks for '{observer.name}/{source.ip}'.
	Scope string `yaml:"scope"`
	// Keys and PerKey bound the keys (default 1,000,000) and the facts of each (default 32).
	Keys   int `yaml:"keys"`
	PerKey int `yaml:"per_key"`
	// MaxBytes bounds the memory of keys and values; default 1 GiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// Keep is how long what is over is remembered, in event time; default 7 days.
	Keep time.Duration `yaml:"keep"`
	// Late is how much older than the newest event a fact may be and still find its exact place; default 1h. Like facts
	// within half of it are kept as their first and their last.
	Late time.Duration `yaml:"late"`
	// Shared says when a key has too many users to be anyone's.
	Shared SharedConfig `yaml:"shared"`
	// ServiceAccounts are patterns (with *) of account names that are no persons', beside those that Windows and Unix
	// have by themselves. Default: svc-*, svc_*, svc.*, *-svc, *_svc.
	ServiceAccounts Names `yaml:"service_accounts"`
}

// SharedConfig says when a key is shared: more than Over different values of Column within Within.
type SharedConfig struct {
	// Column is user.name by default; a table without that column has no shared keys.
	Column string `yaml:"column"`
	// Over is 3 by default; negative: nothing is shared.
	Over int `yaml:"over"`
	// Within is 4h by default.
	Within time.Duration `yaml:"within"`
	// Answer gives the newest user of a shared key nevertheless.
	Answer bool `yaml:"answer"`
}

// FactConfig says which events teach what.
type FactConfig struct {
	// Name tells facts apart in snapshots; by default When, Unless, Key, Ends and Binds do.
	Name string `yaml:"name"`
	// When are fields with the values (with *) of which the event must have one; an array has each of its elements.
	When map[string]Names `yaml:"when"`
	// Unless are fields with values of which the event must have none.
	Unless map[string]Names `yaml:"unless"`
	// Key is the field with the key, Set is column: field. Both may have functions: `message | address`.
	Key string            `yaml:"key"`
	Set map[string]string `yaml:"set"`
	// For is how long the fact holds unless it is confirmed: a duration, or a field with a number of seconds. Default 24h.
	For string `yaml:"for"`
	// Ends says that the fact ends what was known: of a key all, or that of which Set has the same values.
	Ends bool `yaml:"ends"`
	// Binds names the column that says whose the key is: when it changes, all that was known before is void.
	Binds string `yaml:"binds"`
	// Weak facts answer only where no other does.
	Weak bool `yaml:"weak"`
}

// Names is one name or a list of names.
type Names []string

// UnmarshalYAML takes a word or a list of words.
func (l *Names) UnmarshalYAML(n *yaml.Node) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Value == "" {
			return errors.New("expected a word or a list of words")
		}
		*l = append(*l, item.Value)
	}
	return nil
}

const (
	defaultKeys   = 1_000_000
	defaultPerKey = 32
	defaultBytes  = 1 << 30
	defaultKeep   = 7 * 24 * time.Hour
	defaultLate   = time.Hour
	defaultOver   = 3
	defaultWithin = 4 * time.Hour
	defaultFor    = 24 * time.Hour
	// maxFor is the longest that a fact holds without being confirmed, whatever it says.
	maxFor = 400 * 24 * time.Hour
	// maxFacts, maxColumns and maxPerKey keep hostile or mistaken configurations and snapshots small.
	maxFacts   = 512
	maxColumns = 64
	maxPerKey  = 256
)

// Check fills in what was left out and returns all faults.
func (c *Config) Check() (out []dimension.Complaint) {
	bad := func(key, format string, args ...any) {
		out = append(out, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if len(c.Preset)+len(c.From) == 0 {
		bad("", "nothing to learn; expected preset: (%s) or from: with a list of {when, key, set}", strings.Join(Presets(), ", "))
	}
	for _, p := range c.Preset {
		if !slices.Contains(Presets(), p) {
			bad("preset", "no preset %q; expected some of %s", p, strings.Join(Presets(), ", "))
		}
	}
	fill(&c.Keys, defaultKeys)
	fill(&c.PerKey, defaultPerKey)
	fill(&c.MaxBytes, defaultBytes)
	fill(&c.Keep, defaultKeep)
	fill(&c.Late, defaultLate)
	fill(&c.Shared.Over, defaultOver)
	fill(&c.Shared.Within, defaultWithin)
	if c.Shared.Column == "" {
		c.Shared.Column = "user.name"
	}
	if c.ServiceAccounts == nil {
		c.ServiceAccounts = Names{"svc-*", "svc_*", "svc.*", "*-svc", "*_svc"}
	}
	switch {
	case c.Keys < 1 || c.Keys > 1<<30:
		bad("keys", "%d keys; expected 1 to %d", c.Keys, 1<<30)
	case c.PerKey < 2 || c.PerKey > maxPerKey:
		bad("per_key", "%d facts a key; expected 2 to %d", c.PerKey, maxPerKey)
	case c.MaxBytes < 1<<16:
		bad("max_bytes", "%d bytes; expected 65536 at least", c.MaxBytes)
	case c.Late < time.Second || c.Late > 31*24*time.Hour:
		bad("late", "%s; expected 1s to 744h", c.Late)
	case c.Keep < c.Late || c.Keep > 10*366*24*time.Hour:
		bad("keep", "%s; expected a duration from late (%s) to 87840h", c.Keep, c.Late)
	case c.Shared.Within < time.Second || c.Shared.Within > c.Keep:
		bad("shared.within", "%s; expected 1s to keep (%s)", c.Shared.Within, c.Keep)
	}
	if c.Scope != "" {
		if _, err := parseExpression(c.Scope, nil); err != nil {
			bad("scope", "%v", err)
		}
	}
	seen := map[string]bool{}
	for i := range c.From {
		f := &c.From[i]
		at := fmt.Sprintf("from.%d", i+1)
		if f.Name != "" && seen[f.Name] {
			bad(at+".name", "two facts have the name %q", f.Name)
		}
		seen[f.Name] = true
		f.check(func(key, format string, args ...any) { bad(at+key, format, args...) })
	}
	if n := len(c.columns()); n > maxColumns || len(c.From) > maxFacts/2 {
		bad("from", "%d columns of %d facts; expected at most %d and %d", n, len(c.From), maxColumns, maxFacts/2)
	}
	return out
}

func fill[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

func (f *FactConfig) check(bad func(key, format string, args ...any)) {
	if len(f.When) == 0 {
		bad(".when", "no conditions; expected field: value, such as event.dataset: dhcpd")
	}
	for key, fields := range map[string]map[string]Names{".when": f.When, ".unless": f.Unless} {
		for name := range fields {
			if _, err := event.ParsePath(name); err != nil {
				bad(key, "%v", err)
			}
		}
	}
	if f.Key == "" {
		bad(".key", "no key; expected a field such as source.ip")
	} else if _, err := parseExpression(f.Key, nil); err != nil {
		bad(".key", "%v", err)
	}
	if len(f.Set) == 0 && !f.Ends {
		bad(".set", "nothing to learn; expected column: field")
	}
	for col, from := range f.Set {
		if _, err := parseExpression(from, nil); err != nil {
			bad(".set."+col, "%v", err)
		}
		if slices.Contains(ownColumns, col) {
			bad(".set."+col, "the column is the table's own; expected another name")
		}
	}
	if _, _, err := parseFor(f.For); err != nil {
		bad(".for", "%v", err)
	}
	if f.Binds != "" && f.Set[f.Binds] == "" {
		bad(".binds", "%q; expected a column of set", f.Binds)
	}
	if f.Binds != "" && f.Weak {
		bad(".weak", "a fact that binds can't be weak")
	}
}

// id is what a snapshot knows the fact by. It does not depend on the facts before it.
func (f *FactConfig) id() string {
	if f.Name != "" {
		return f.Name
	}
	// fmt writes maps in the order of their keys.
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %t %q", f.When, f.Unless, f.Key, f.Ends, f.Binds))
	return hex.EncodeToString(sum[:8])
}

// parseFor reads a duration, or the field with the seconds.
func parseFor(s string) (fixed time.Duration, field *expression, err error) {
	if s == "" {
		return defaultFor, nil, nil
	}
	if s[0]-'0' < 10 || s[0] == '-' {
		fixed, err = time.ParseDuration(s)
		if err == nil && (fixed <= 0 || fixed > maxFor) {
			err = fmt.Errorf("%q; expected a duration above 0 and up to %s", s, maxFor)
		}
		return fixed, nil, err
	}
	field, err = parseExpression(s, nil)
	return defaultFor, field, err
}

// Columns returns the names of the columns: those that facts set, in alphabetical order, and the table's own.
func (c *Config) Columns() []string { return append(c.columns(), ownColumns...) }

func (c *Config) columns() []string {
	set := map[string]bool{}
	for _, f := range c.facts() {
		for col := range f.Set {
			if !f.Ends {
				set[col] = true
			}
		}
	}
	var out []string
	for col := range set {
		out = append(out, col)
	}
	slices.Sort(out)
	return out
}

// facts returns those of the presets, then those of From.
func (c *Config) facts() []FactConfig {
	var out []FactConfig
	for _, p := range c.Preset {
		out = append(out, preset(p)...)
	}
	return append(out, c.From...)
}
