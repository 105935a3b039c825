package redact

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"leat/pkg/ecs"
	"leat/pkg/yamlfile"
)

// Config is a compiled file of rules. It is immutable.
type Config struct {
	fields   []fieldRule
	patterns []pattern
	rewrite  bool // event.original is rewritten, not dropped
	unread   bool // the text of what no mapping could read is only rewritten
	secret   []byte
}

// fieldRule is what is done to the fields that a glob fits.
type fieldRule struct {
	glob string
	act  action
}

// pattern is what is done to the values that a finder finds.
type pattern struct {
	name string
	find finder
	act  action
}

// document is the file. The parts that read like tables are nodes, so that every fault has its place.
type document struct {
	Key      yaml.Node `yaml:"key"`
	Original yaml.Node `yaml:"original"`
	Unread   yaml.Node `yaml:"unread"`
	Fields   yaml.Node `yaml:"fields"`
	Patterns yaml.Node `yaml:"patterns"`
}

// minKey is the least length of a key in bytes.
const minKey = 16

// kept are the fields that stages and readers need as they are: no rule reaches them. Dates are none of its business either.
var kept = []string{
	"@timestamp", "event.id", "event.kind", "event.category", "event.type", "event.outcome", "event.dataset", "event.module", "ecs.version", "leat.stage", "leat.escaped", "leat.redacted",
}

// Load reads the file at path. getenv gives the variables of the environment. The error joins every fault of the file, each with
// line, column and a caret; none of them shows the key.
func Load(path string, getenv func(string) string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rules of redaction: %w", err)
	}
	return Parse(path, data, getenv)
}

// Parse is Load for a file's text.
func Parse(name string, data []byte, getenv func(string) string) (*Config, error) {
	c := compiler{cfg: &Config{}, getenv: getenv}
	var doc document
	var err error
	if c.file, err = yamlfile.Decode(name, data, &doc); err != nil {
		return nil, err
	}
	c.cfg.rewrite = c.choice(&doc.Original, "original", "drop", "rewrite") == "rewrite"
	c.cfg.unread = c.choice(&doc.Unread, "unread", "drop", "patterns") == "patterns"
	c.key(&doc.Key)
	c.fields(&doc.Fields)
	c.patterns(&doc.Patterns)
	if len(c.faults) == 0 && len(c.cfg.fields)+len(c.cfg.patterns) == 0 {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "expected rules: fields, patterns or both"))
	}
	if err := errors.Join(c.faults...); err != nil {
		return nil, err
	}
	c.cfg.deriveRules()
	return c.cfg, nil
}

type compiler struct {
	file   *yamlfile.File
	cfg    *Config
	getenv func(string) string
	faults []error
	hasKey bool // the file names one, be it good or not
}

func (c *compiler) fault(n *yaml.Node, format string, args ...any) {
	c.faults = append(c.faults, c.file.At(n, format, args...))
}

// choice reads one of two words; the first is the default.
func (c *compiler) choice(n *yaml.Node, what string, words ...string) string {
	if n.Kind == 0 {
		return words[0]
	}
	if !slices.Contains(words, n.Value) {
		c.fault(n, "%s: expected %s, found %q", what, strings.Join(words, " or "), n.Value)
	}
	return n.Value
}

// key reads {env: NAME} or {file: PATH}.
func (c *compiler) key(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	c.hasKey = true
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Content[0].Value != "env" && n.Content[0].Value != "file" {
		c.fault(n, "key: expected {env: NAME} or {file: PATH}; the key itself does not belong into this file")
		return
	}
	where := n.Content[1]
	var key []byte
	if n.Content[0].Value == "env" {
		if key = []byte(c.getenv(where.Value)); len(key) == 0 {
			c.fault(where, "key: the environment has no variable %s", where.Value)
			return
		}
	} else {
		var err error
		if key, err = os.ReadFile(where.Value); err != nil {
			c.fault(where, "key: %v", err)
			return
		}
	}
	key = bytes.TrimRight(key, "\r\n")
	if len(key) < minKey {
		c.fault(where, "key: expected at least %d bytes, found %d", minKey, len(key))
		return
	}
	c.cfg.secret = key
}

func (c *compiler) entries(n *yaml.Node, what string) (keys, vals []*yaml.Node) {
	if n.Kind == 0 || n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		c.fault(n, "%s: expected a table", what)
		return nil, nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; seen[k.Value] {
			c.fault(k, "%s: %q is there twice", what, k.Value)
		} else {
			seen[k.Value] = true
			keys, vals = append(keys, k), append(vals, n.Content[i+1])
		}
	}
	return keys, vals
}

func (c *compiler) fields(n *yaml.Node) {
	keys, vals := c.entries(n, "fields")
	for i, k := range keys {
		act, ok := c.action(vals[i], k.Value)
		if !ok {
			continue
		}
		if slices.Contains(kept, k.Value) {
			c.fault(k, "%s: stages need it as it is", k.Value)
			continue
		}
		if f, known := ecs.Lookup(k.Value); known && !holds(f.Type, act.verb) {
			c.fault(k, "%s is of type %s: expected remove%s", k.Value, f.Type, map[bool]string{true: " or address"}[f.Type == ecs.IP])
			continue
		} else if root, _, dotted := strings.Cut(k.Value, "."); !known && !strings.Contains(k.Value, "*") && dotted && ecs.Root(root) && !isObject(k.Value) {
			hint := ""
			if near := ecs.Nearest(k.Value); near != "" {
				hint = "; did you mean " + near + "?"
			}
			c.fault(k, "%q is no field of ECS %s%s", k.Value, ecs.Version, hint)
			continue
		}
		c.cfg.fields = append(c.cfg.fields, fieldRule{k.Value, act})
	}
}

var ecsNames = sync.OnceValue(ecs.Names)

// isObject tells whether ECS has fields below name.
func isObject(name string) bool {
	names := ecsNames()
	i := sort.SearchStrings(names, name+".")
	return i < len(names) && strings.HasPrefix(names[i], name+".")
}

// holds tells whether a field of that type can hold what the verb leaves.
func holds(t ecs.Type, v verb) bool {
	return v == remove || t.Textual() || t == ecs.IP && v == address || t == ecs.Flattened || t == ecs.Object || t == ecs.Nested
}

// patterns reads {name: action} of built-in ones, and {name: {match: RE2, with: literal, do: action}}.
func (c *compiler) patterns(n *yaml.Node) {
	keys, vals := c.entries(n, "patterns")
	for i, k := range keys {
		p := pattern{name: k.Value, find: builtins[k.Value]}
		do := vals[i]
		if p.find == nil {
			var ok bool
			if p.find, do, ok = c.expression(k, do); !ok {
				continue
			}
		}
		act, ok := c.action(do, k.Value)
		if !ok {
			continue
		}
		p.act = act
		c.cfg.patterns = append(c.cfg.patterns, p)
	}
}

// expression reads a pattern of the file's own.
func (c *compiler) expression(k, n *yaml.Node) (find finder, do *yaml.Node, ok bool) {
	if n.Kind != yaml.MappingNode {
		names := make([]string, 0, len(builtins))
		for name := range builtins {
			names = append(names, name)
		}
		slices.Sort(names)
		c.fault(k, "no built-in pattern %q; expected one of %s, or a table {match: RE2, with: a literal that is always in it, do: action}", k.Value, strings.Join(names, ", "))
		return nil, nil, false
	}
	var match, with *yaml.Node
	keys, vals := c.entries(n, k.Value)
	for i, key := range keys {
		switch key.Value {
		case "match":
			match = vals[i]
		case "with":
			with = vals[i]
		case "do":
			do = vals[i]
		default:
			c.fault(key, "%s: unknown key %q; expected match, with, do", k.Value, key.Value)
			return nil, nil, false
		}
	}
	if match == nil || with == nil || do == nil || with.Value == "" {
		c.fault(k, "%s: expected the keys match (RE2), with (a literal that is always in a match) and do (an action)", k.Value)
		return nil, nil, false
	}
	re, err := regexp.Compile(match.Value)
	if err != nil {
		c.fault(match, "%s: %v", k.Value, err)
		return nil, nil, false
	}
	if re.MatchString("") {
		c.fault(match, "%s: the expression matches the empty text", k.Value)
		return nil, nil, false
	}
	return expression(re, with.Value), do, true
}

// action reads remove, mask, hash, address, {mask: N}, {hash: N} or {replace: text}.
func (c *compiler) action(n *yaml.Node, what string) (action, bool) {
	const expected = "expected remove, mask, hash, address, {mask: characters kept}, {hash: digits} or {replace: text}"
	word, arg := n, (*yaml.Node)(nil)
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		word, arg = n.Content[0], n.Content[1]
	}
	a := action{}
	number := func(def, least, most int) bool {
		a.n = def
		if arg == nil {
			return true
		}
		var err error
		if a.n, err = strconv.Atoi(arg.Value); err != nil || a.n < least || a.n > most {
			c.fault(arg, "%s: expected a number from %d to %d, found %q", what, least, most, arg.Value)
			return false
		}
		return true
	}
	switch {
	case word.Value == "remove" && arg == nil:
		a.verb = remove
	case word.Value == "mask":
		a.verb = mask
		return a, number(0, 0, 64)
	case word.Value == "hash":
		a.verb = hashed
		return a, number(hashDigits, 8, 64) && c.keyed(n, what)
	case word.Value == "address" && arg == nil:
		a.verb = address
		return a, c.keyed(n, what)
	case word.Value == "replace" && arg != nil && arg.Kind == yaml.ScalarNode:
		a.verb, a.text = replace, arg.Value
	default:
		c.fault(n, "%s: %s", what, expected)
		return a, false
	}
	return a, true
}

func (c *compiler) keyed(n *yaml.Node, what string) bool {
	if !c.hasKey {
		c.fault(n, "%s: needs a key: {env: NAME} or {file: PATH}", what)
	}
	return c.hasKey
}

// deriveRules adds what follows from the rules: a community id is a hash of the flow's addresses without a key, so that whoever
// tries all of them finds them.
func (c *Config) deriveRules() {
	const id = "network.community_id"
	touches := slices.ContainsFunc(c.fields, func(f fieldRule) bool { return glob(f.glob, "source.ip") || glob(f.glob, "destination.ip") }) ||
		slices.ContainsFunc(c.patterns, func(p pattern) bool { return p.name == "ipv4" || p.name == "ipv6" })
	if touches && !slices.ContainsFunc(c.fields, func(f fieldRule) bool { return glob(f.glob, id) }) {
		c.fields = append(c.fields, fieldRule{id, action{verb: remove}})
	}
}

// glob matches * against any text, dots included, over the whole of s.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
