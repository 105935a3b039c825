package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/yamlfile"
)

// Pipeline is one file of transformations. It is immutable.
type Pipeline struct {
	Name     string
	Priority int
	vars     map[string][]string
	items    []*step
}

// Chain is pipelines in the order in which they are applied; see Sort.
type Chain []*Pipeline

// Read reads the pipelines at the given paths into the order of their priorities, lower ones first; equal ones stay in the
// order of the paths.
func Read(paths []string) (Chain, error) {
	var c Chain
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read pipeline: %w", err)
		}
		p, err := Parse(path, data)
		if err != nil {
			return nil, err
		}
		c = append(c, p)
	}
	slices.SortStableFunc(c, func(a, b *Pipeline) int { return cmp.Compare(a.Priority, b.Priority) })
	return c, nil
}

// step is one transformation with its conditions.
type step struct {
	id   string
	kind string
	params
	rule, item, field clause
}

// params are the parameters of all transformations; which of them one takes is in kinds.
type params struct {
	Mapping     yaml.Node `yaml:"mapping"`
	Prefix      string    `yaml:"prefix"`
	Suffix      string    `yaml:"suffix"`
	Conditions  yaml.Node `yaml:"conditions"`
	Name        string    `yaml:"name"`
	Template    bool      `yaml:"template"`
	Negated     bool      `yaml:"negated"`
	Product     string    `yaml:"product"`
	Category    string    `yaml:"category"`
	Service     string    `yaml:"service"`
	Field       yaml.Node `yaml:"field"`
	Fields      []string  `yaml:"fields"`
	Regex       string    `yaml:"regex"`
	Replacement string    `yaml:"replacement"`
	SkipSpecial bool      `yaml:"skip_special"`
	Interpret   bool      `yaml:"interpret_special"`
	Key         string    `yaml:"key"`
	Val         yaml.Node `yaml:"val"`
	Value       yaml.Node `yaml:"value"`
	ForceType   string    `yaml:"force_type"`
	TargetType  string    `yaml:"target_type"`
	Method      string    `yaml:"method"`
	Message     string    `yaml:"message"`
	Attribute   string    `yaml:"attribute"`
	Include     oneOrMore `yaml:"include"`
	Exclude     oneOrMore `yaml:"exclude"`
	Algos       oneOrMore `yaml:"valid_hash_algos"`
	FieldPrefix string    `yaml:"field_prefix"`
	DropAlgo    bool      `yaml:"drop_algo_prefix"`
	Items       yaml.Node `yaml:"items"`
	Expression  string    `yaml:"expression"`

	PreserveUnmatched bool `yaml:"preserve_unmatched"`

	names   map[string][]string // Mapping
	pattern *regexp.Regexp
	nested  []*step
}

// oneOrMore is a list of texts; a text alone is a list of one.
type oneOrMore []string

// UnmarshalYAML takes both.
func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = []string{n.Value}
		return nil
	}
	return n.Decode((*[]string)(o))
}

// Parse reads a pipeline; name stands in messages.
func Parse(name string, data []byte) (*Pipeline, error) {
	var file struct {
		Name            string         `yaml:"name"`
		Priority        int            `yaml:"priority"`
		AllowedBackends []string       `yaml:"allowed_backends"`
		Vars            map[string]any `yaml:"vars"`
		Transformations []yaml.Node    `yaml:"transformations"`
		Postprocessing  []yaml.Node    `yaml:"postprocessing"`
		Finalizers      []yaml.Node    `yaml:"finalizers"`
	}
	f, err := yamlfile.Decode(name, data, &file)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{Name: cmp.Or(file.Name, name), Priority: file.Priority, vars: map[string][]string{}}
	for k, v := range file.Vars {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			p.vars[k] = append(p.vars[k], fmt.Sprint(e))
		}
	}
	r := &reader{file: f}
	for i := range file.Transformations {
		p.items = append(p.items, r.step(&file.Transformations[i], 0))
	}
	return p, errors.Join(r.faults...)
}

// maxNest bounds how deep transformations lie in one another.
const maxNest = 8

// reader reads the transformations of one file.
type reader struct {
	file   *yamlfile.File
	faults []error
}

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, r.file.At(n, format, args...))
}

func (r *reader) step(n *yaml.Node, depth int) *step {
	s := &step{}
	n = target(n)
	if n.Kind != yaml.MappingNode {
		r.fault(n, "expected a transformation: a table with type")
		return s
	}
	kind := member(n, "type")
	if kind == nil {
		r.fault(n, "a transformation needs a type; there are %s", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		return s
	}
	s.kind = kind.Value
	takes, ok := kinds[s.kind]
	switch why := refused[s.kind]; {
	case why != "":
		r.fault(kind, "transformation %q %s", s.kind, why)
		return s
	case !ok:
		r.fault(kind, "no transformation %q; there are %s", s.kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		return s
	}
	if !r.keys(n, s.kind, takes) {
		return s
	}
	if id := member(n, "id"); id != nil {
		s.id = id.Value
	}
	if err := n.Decode(&s.params); err != nil {
		r.fault(n, "%s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  "))
		return s
	}
	r.params(s, n, depth)
	s.rule = r.clause(n, "rule", ruleConditions)
	s.item = r.clause(n, "detection_item", itemConditions)
	s.field = r.clause(n, "field_name", fieldConditions)
	return s
}

// keys checks the names of a transformation's or condition's parameters.
func (r *reader) keys(n *yaml.Node, kind, takes string) bool {
	before := len(r.faults)
	names := strings.Fields(takes)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			r.fault(k, "key %q is there twice", k.Value)
		}
		seen[k.Value] = true
		if !slices.Contains(common, k.Value) && !slices.Contains(names, k.Value) && !slices.Contains(names, k.Value+"!") {
			r.fault(k, "unknown key %q of %s; it takes %s", k.Value, kind, cmp.Or(strings.ReplaceAll(takes, "!", ""), "none"))
		}
	}
	for _, name := range names {
		if need, ok := strings.CutSuffix(name, "!"); ok && !seen[need] {
			r.fault(n, "%s needs %s", kind, need)
		}
	}
	return len(r.faults) == before
}

// params checks and prepares what the transformation takes.
func (r *reader) params(s *step, n *yaml.Node, depth int) {
	switch s.kind {
	case "field_name_mapping", "field_name_prefix_mapping", "map_string":
		s.names = r.mapping(member(n, "mapping"))
	case "query_expression_placeholders":
		if m := member(n, "mapping"); m != nil {
			s.names = r.mapping(m)
		}
	case "replace_string", "extract_fields":
		var err error
		if s.pattern, err = regexp.Compile(s.Regex); err != nil {
			r.fault(member(n, "regex"), "not a regular expression of RE2: %v", err)
		} else if s.kind == "extract_fields" && strings.Join(s.pattern.SubexpNames(), "") == "" {
			r.fault(member(n, "regex"), "expected a named group, such as (?P<name>…)")
		}
		s.Replacement = goReplacement(s.Replacement)
	case "add_condition":
		if c := target(member(n, "conditions")); c.Kind != yaml.MappingNode || len(c.Content) == 0 {
			r.fault(c, "expected a table of fields and values")
		}
	case "change_logsource":
		if s.Product+s.Category+s.Service == "" {
			r.fault(n, "change_logsource needs one of product, category, service")
		}
	case "case":
		if s.Method != "lower" && s.Method != "upper" {
			r.fault(member(n, "method"), "%q is none of lower, upper", s.Method)
		}
	case "nest":
		items := target(member(n, "items"))
		if items.Kind != yaml.SequenceNode || depth >= maxNest {
			r.fault(items, "expected a list of transformations, at most %d deep", maxNest)
			return
		}
		for _, e := range items.Content {
			s.nested = append(s.nested, r.step(e, depth+1))
		}
	}
}

// mapping reads a table of names to names, or to lists of them.
func (r *reader) mapping(n *yaml.Node) map[string][]string {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		r.fault(n, "expected a table of names")
		return nil
	}
	out := map[string][]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := target(n.Content[i+1])
		list := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			list = v.Content
		}
		for _, e := range list {
			if e = target(e); e.Kind != yaml.ScalarNode {
				r.fault(e, "expected a name")
				continue
			}
			out[n.Content[i].Value] = append(out[n.Content[i].Value], e.Value)
		}
		if len(list) == 0 {
			r.fault(v, "no name for %q", n.Content[i].Value)
		}
	}
	return out
}

// goReplacement turns the references of Python's re.sub into those of Go.
func goReplacement(s string) string {
	s = strings.ReplaceAll(s, "$", "$$")
	s = pythonName.ReplaceAllString(s, "$${$1}")
	return pythonNumber.ReplaceAllString(s, "$${$1}")
}

var (
	pythonName   = regexp.MustCompile(`\\g<(\w+)>`)
	pythonNumber = regexp.MustCompile(`\\([0-9])`)
)

func target(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return target(n.Content[i+1])
		}
	}
	return nil
}
