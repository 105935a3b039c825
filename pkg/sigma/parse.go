package sigma

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options steer how rules are read.
type Options struct {
	// Placeholder gives the values for a %name% of the modifier expand. A rule whose placeholder has none is refused.
	Placeholder func(name string) (values []string, ok bool)
}

// ParseFile reads the documents of one YAML file. Every document becomes a rule or a fault; none is skipped in silence.
func ParseFile(name string, data []byte, opt Options) ([]*Rule, []*Fault) {
	var rules []*Rule
	var faults []*Fault
	lines := bytes.Split(data, []byte("\n"))
	fault := func(f *Fault) {
		f.File = name
		if f.Line >= 1 && f.Line <= len(lines) {
			f.Text = string(bytes.TrimRight(lines[f.Line-1], "\r"))
		}
		faults = append(faults, f)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, msg := yamlFault(err)
			fault(&Fault{Line: line, Column: 1, Reason: "not YAML: " + msg})
			break
		}
		if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
			continue
		}
		r, err := parseRule(doc.Content[0], opt)
		if err == nil {
			r.File = name
			rules = append(rules, r)
			continue
		}
		for _, e := range unjoin(err) {
			var k *keyed
			if !errors.As(e, &k) {
				k = &keyed{node: doc.Content[0], reason: e.Error()}
			}
			fault(&Fault{
				Line: k.node.Line, Column: k.node.Column, Rule: nameOf(doc.Content[0]),
				Key: k.key, Reason: k.reason, Later: k.later,
			})
		}
	}
	if len(rules)+len(faults) == 0 {
		fault(&Fault{Line: 1, Column: 1, Reason: "no rule in this file"})
	}
	return rules, faults
}

func unjoin(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

func yamlFault(err error) (line int, msg string) {
	msg = strings.TrimPrefix(err.Error(), "yaml: ")
	line = 1
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		num, tail, _ := strings.Cut(rest, ": ")
		n := 0
		for _, c := range num {
			if c < '0' || c > '9' {
				return 1, msg
			}
			n = n*10 + int(c-'0')
		}
		return n, tail
	}
	return line, msg
}

// nameOf finds the id or title of a document that may be broken.
func nameOf(n *yaml.Node) string {
	for _, key := range []string{"id", "title"} {
		if v := member(n, key); v != nil && v.Kind == yaml.ScalarNode && v.Value != "" {
			return v.Value
		}
	}
	return ""
}

func member(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// header reads the keys of a rule beside logsource and detection.
type header struct {
	rule   *Rule
	faults []error
}

func parseRule(n *yaml.Node, opt Options) (*Rule, error) {
	if n.Kind != yaml.MappingNode {
		return nil, bad(n, "", "expected a rule: a table with title, logsource and detection")
	}
	for _, kind := range []string{"correlation", "filter"} {
		if m := member(n, kind); m != nil {
			return nil, &keyed{node: m, key: kind, reason: "a " + kind + " document; this release does not evaluate these, the next one will", later: true}
		}
	}
	h := &header{rule: &Rule{Line: n.Line}}
	h.keys(n)
	r := h.rule
	switch det := member(n, "detection"); {
	case det == nil:
		h.faults = append(h.faults, bad(n, "detection", "is missing"))
	default:
		if err := parseDetection(r, det, opt); err != nil {
			h.faults = append(h.faults, err)
		}
	}
	if r.Title == "" {
		h.faults = append(h.faults, bad(n, "title", "is missing"))
	}
	if member(n, "logsource") == nil {
		h.faults = append(h.faults, bad(n, "logsource", "is missing"))
	}
	if len(h.faults) > 0 {
		return nil, errors.Join(h.faults...)
	}
	return r, nil
}

func (h *header) keys(n *yaml.Node) {
	r := h.rule
	texts := map[string]*string{
		"title": &r.Title, "id": &r.ID, "name": &r.Name, "description": &r.Description, "status": &r.Status,
		"author": &r.Author, "license": &r.License, "date": &r.Date, "modified": &r.Modified,
	}
	lists := map[string]*[]string{
		"references": &r.References, "falsepositives": &r.FalsePositives, "tags": &r.Tags, "fields": &r.Fields,
	}
	had := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		for v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		key := k.Value
		if had[key] {
			h.faults = append(h.faults, bad(k, key, "is there twice"))
		}
		had[key] = true
		switch {
		case texts[key] != nil:
			*texts[key] = h.text(v, key)
		case lists[key] != nil:
			*lists[key] = h.list(v, key)
		case key == "level":
			l, ok := parseLevel(h.text(v, key))
			if !ok {
				h.faults = append(h.faults, bad(v, key, "%q is none of informational, low, medium, high, critical", v.Value))
			}
			r.Level = l
		case key == "logsource":
			h.logSource(v)
		case key == "leat":
			h.extension(v)
		}
	}
	if r.Status != "" && !slices.Contains([]string{"stable", "test", "experimental", "deprecated", "unsupported"}, r.Status) {
		h.faults = append(h.faults, bad(member(n, "status"), "status",
			"%q is none of stable, test, experimental, deprecated, unsupported", r.Status))
	}
}

func (h *header) text(v *yaml.Node, key string) string {
	if v.Kind != yaml.ScalarNode {
		h.faults = append(h.faults, bad(v, key, "expected text, found a list or table"))
		return ""
	}
	if v.Tag == "!!null" {
		return ""
	}
	return v.Value
}

// list reads a list of texts; rules in the wild write one text for a list of one.
func (h *header) list(v *yaml.Node, key string) []string {
	if v.Kind == yaml.ScalarNode {
		if s := h.text(v, key); s != "" {
			return []string{s}
		}
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		h.faults = append(h.faults, bad(v, key, "expected a list of texts, found a table"))
		return nil
	}
	var out []string
	for _, e := range v.Content {
		out = append(out, h.text(e, key))
	}
	return out
}

func (h *header) logSource(v *yaml.Node) {
	if v.Kind != yaml.MappingNode || len(v.Content) == 0 {
		h.faults = append(h.faults, bad(v, "logsource", "expected a table with product, category or service"))
		return
	}
	l := &h.rule.LogSource
	parts := map[string]*string{"product": &l.Product, "category": &l.Category, "service": &l.Service}
	for i := 0; i+1 < len(v.Content); i += 2 {
		if p := parts[v.Content[i].Value]; p != nil {
			*p = strings.ToLower(h.text(v.Content[i+1], "logsource."+v.Content[i].Value))
		}
	}
}

// extension reads the custom key leat: what an alert of this rule says.
func (h *header) extension(v *yaml.Node) {
	if v.Kind != yaml.MappingNode {
		h.faults = append(h.faults, bad(v, "leat", "expected a table with message or actions"))
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		k, val := v.Content[i], v.Content[i+1]
		switch k.Value {
		case "message":
			h.rule.Message = h.text(val, "leat.message")
		case "actions":
			h.rule.Actions = h.list(val, "leat.actions")
		default:
			h.faults = append(h.faults, bad(k, "leat."+k.Value, "unknown key; expected message or actions"))
		}
	}
}

func parseDetection(r *Rule, n *yaml.Node, opt Options) error {
	if n.Kind != yaml.MappingNode {
		return bad(n, "detection", "expected a table of searches with a condition")
	}
	d := &detections{opt: opt}
	r.nodes = map[string]*node{}
	var cond *yaml.Node
	var faults []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := k.Value
		switch {
		case name == "condition":
			cond = v
			continue
		case name == "timeframe":
			faults = append(faults, bad(k, "detection.timeframe", "is not part of Sigma 2; write a correlation"))
			continue
		case r.nodes[name] != nil:
			faults = append(faults, bad(k, "detection."+name, "is there twice"))
			continue
		}
		node, err := d.search(v, "detection."+name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		named := *node
		named.name = name
		r.names = append(r.names, name)
		r.nodes[name] = &named
	}
	if cond == nil {
		faults = append(faults, bad(n, "detection.condition", "is missing"))
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return r.conditions(cond)
}

// conditions parses the condition, or a list of them of which any is enough.
func (r *Rule) conditions(cond *yaml.Node) error {
	list := []*yaml.Node{cond}
	if cond.Kind == yaml.SequenceNode {
		list = cond.Content
	}
	if len(list) == 0 {
		return bad(cond, "detection.condition", "an empty list")
	}
	var kids []*node
	for _, c := range list {
		if c.Kind != yaml.ScalarNode {
			return bad(c, "detection.condition", "expected text")
		}
		n, err := parseCondition(c.Value, r.names, r.nodes)
		if err != nil {
			return bad(c, "detection.condition", "%s", err)
		}
		kids = append(kids, n)
	}
	r.root = join(isOr, kids)
	return nil
}
