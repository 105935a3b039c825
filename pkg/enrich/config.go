package enrich

import (
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/dimension"
	"leat/pkg/dimension/httptable"
	"leat/pkg/dimension/sqltable"
	"leat/pkg/directory"
	"leat/pkg/enrich/learn"
	"leat/pkg/enrich/remote"
	"leat/pkg/intel"
	"leat/pkg/yamlfile"
)

// Config is an enrich.yaml. Relative paths in it are relative to the file's folder.
type Config struct {
	// Dimensions by name.
	Dimensions map[string]*DimensionConfig `yaml:"dimensions"`
	// Rules are applied in order: a later one may use as key what an earlier one wrote.
	Rules []*RuleConfig `yaml:"rules"`
	// Poll is how often files are looked at for changes that the system did not tell of; 0 = 2s.
	Poll time.Duration `yaml:"poll"`
	// Cache is a folder where snapshots are kept, so that the next start has them at once; default is one below --state.
	Cache string `yaml:"cache"`

	path string
	file *yamlfile.File
}

// DimensionConfig says what a dimension is made of.
type DimensionConfig struct {
	File text `yaml:"file"`
	// LDAP reads a directory, Active Directory or plain LDAP.
	LDAP *directory.Config `yaml:"ldap"`
	// SQL, HTTP and Intel read the answer of a query, of a web service, and feeds of indicators of compromise.
	SQL   *sqltable.Config  `yaml:"sql"`
	HTTP  *httptable.Config `yaml:"http"`
	Intel *intel.Config     `yaml:"intel"`
	// Learn makes the dimension of what events of the stream say: who had an address, and when.
	Learn *learn.Config `yaml:"learn"`
	// Remote asks for single keys where they live, and remembers the answers.
	Remote *remote.Config `yaml:"remote"`
	// Format is csv, json (an array, or an object a line), list, parquet or mmdb; by default the file's ending tells.
	Format string `yaml:"format"`
	// Key names the key columns, aliases of one row; `{domain}\{sam}` joins columns. A list has the column value.
	Key names `yaml:"key"`
	// Join is exact (default), cidr, range or suffix (a domain and all below it). A range has two key columns: first and
	// last, both within.
	Join string `yaml:"join"`
	// Fold compares exact keys without regard to case.
	Fold bool `yaml:"fold"`
	// Separator of a CSV file's columns; default is the comma.
	Separator string `yaml:"separator"`
	// Types gives columns of a CSV file a type: string (default), number, bool or json.
	Types map[string]string `yaml:"types"`
	// Duplicates says what a key in two rows is: first (the first row wins; counted) or error.
	Duplicates string `yaml:"duplicates"`
	// MaxRows and MaxBytes bound the file; 0 = 20 million rows, 1 GiB.
	MaxRows  int   `yaml:"max_rows"`
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxShrink is the part of the rows (0 to 1; default 0.3) that a changed file may lack; with more it is refused.
	MaxShrink *float64 `yaml:"max_shrink"`
	// MaxAge is how old the file may be (by its time of change), or how long ago the source may have answered, before
	// answers are stale; 0 = any age.
	MaxAge time.Duration `yaml:"max_age"`
	// Optional lets the stage start without the file: until it is there, look-ups have the status error.
	Optional bool `yaml:"optional"`
	// Interval is how often a source that is no file is asked, and Timeout how long it may take; 0 = 5m and 2m.
	Interval time.Duration `yaml:"interval"`
	Timeout  time.Duration `yaml:"timeout"`
	// ValidFrom and ValidTo name the columns of the times within which a row holds, [from, to): RFC 3339, or seconds since
	// 1970. Then an event gets the row that held at its own time.
	ValidFrom string `yaml:"valid_from"`
	ValidTo   string `yaml:"valid_to"`
	// History makes such times of what is fetched.
	History *HistoryConfig `yaml:"history"`

	name string
	path string // of File; empty where the rows live elsewhere
}

// RuleConfig says what is looked up for an event and what is written.
type RuleConfig struct {
	// Name is the name of the status field; default is the dimension's.
	Name string `yaml:"name"`
	// Field is the key: the first field of the list whose value the dimension knows. `{user.domain}\{user.name}` joins fields.
	Field names `yaml:"field"`
	// Unless names a field: where the event has it, the rule is not applied.
	Unless    text `yaml:"unless"`
	Dimension text `yaml:"dimension"`
	// Set is field: column. Of a MaxMind database it may be left out: then the fields of ECS below the key's parent are set.
	Set pairs `yaml:"set"`
	// Default is field: value, written on a miss with on_miss: default, and on_stale: default.
	Default pairs `yaml:"default"`
	// Overwrite replaces what the event already says; otherwise that stays.
	Overwrite bool `yaml:"overwrite"`
	// Exact and Related are of a dimension of indicators, whose rule has no field: see intel.MatchOptions.
	Exact   bool `yaml:"exact"`
	Related bool `yaml:"related"`
	// OnMiss is pass (default), default, error (the event becomes a pipeline_error), or hold(TIME): the stream waits so long
	// for a newer snapshot, and then passes.
	OnMiss text `yaml:"on_miss"`
	// OnStale is use (default), default, error or hold(TIME).
	OnStale text `yaml:"on_stale"`
	// OnError is pass (default), default, error or hold(TIME); it is for a dimension that can't answer.
	OnError text `yaml:"on_error"`
	// Status writes hit, miss, stale or error to leat.enrich.<name>; Version the snapshot's version to
	// leat.enrich_version.<name>.
	Status  bool `yaml:"status"`
	Version bool `yaml:"version"`

	indicators                     bool // the dimension's rows are indicators
	holdMiss, holdStale, holdError time.Duration
}

// text is a word with its place in the file.
type text struct {
	value string
	at    *yaml.Node
}

func (t *text) UnmarshalYAML(n *yaml.Node) error {
	n = target(n)
	t.at = n
	if n.Kind != yaml.ScalarNode {
		return errors.New("expected a word")
	}
	t.value = n.Value
	return nil
}

// target is what a YAML alias stands for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// names is one name or a list of names.
type names []text

func (l *names) UnmarshalYAML(n *yaml.Node) error {
	n = target(n)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Value == "" {
			return errors.New("expected a name or a list of names")
		}
		*l = append(*l, text{item.Value, item})
	}
	return nil
}

// pairs is a table in the order of the file.
type pairs []pair

type pair struct {
	key   text
	value *yaml.Node
}

func (p *pairs) UnmarshalYAML(n *yaml.Node) error {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return errors.New("expected a table of field names")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if seen[key] {
			return fmt.Errorf("field %q is there twice", key)
		}
		seen[key] = true
		*p = append(*p, pair{text{n.Content[i].Value, n.Content[i]}, n.Content[i+1]})
	}
	return nil
}

// Load reads and checks an enrich.yaml. The error joins all faults, each with file, line, column and a caret. The files of
// the dimensions are not read yet.
func Load(path string) (*Config, error) {
	c := &Config{path: path}
	f, err := yamlfile.Read(path, c)
	if err != nil {
		return nil, err
	}
	return c, c.check(f)
}

func (d *DimensionConfig) limits() dimension.Limits { return dimension.Limits{Rows: d.MaxRows} }

// shape says how the rows are found.
func (d *DimensionConfig) shape() dimension.Shape {
	s := dimension.Shape{Join: dimension.Join(d.Join), Fold: d.Fold, Strict: d.Duplicates == "error", From: d.ValidFrom, To: d.ValidTo}
	if d.Intel != nil {
		s.Join = dimension.None
	}
	if d.History != nil {
		s.From, s.To = validFrom, validTo
	}
	for _, k := range d.Key {
		// It was checked.
		t, _ := dimension.ParseTemplate(k.value)
		s.Keys = append(s.Keys, t)
	}
	return s
}
