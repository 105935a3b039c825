package sigma

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options steer how rules are read.
type Options struct {
	// Placeholder gives the values for a %name% of the modifier expand. A rule whose placeholder has none is refused.
	Placeholder func(name string) (values []string, ok bool)
	// Rewrite changes a document, a YAML table, before it is read: a processing pipeline does. It returns what the document's fields are
	// called now (Rule.Names), nil where no field was renamed. An error refuses the document.
	Rewrite func(doc *yaml.Node) (names func(field string) []string, err error)
}

// Parse reads the documents of one YAML file. Every document becomes a rule, a correlation, a filter or a fault; none is
// skipped in silence. References between documents are as written until Link.
func Parse(name string, data []byte, opt Options) *Set {
	s := &Set{}
	lines := bytes.Split(data, []byte("\n"))
	fault := func(f *Fault) {
		f.File = name
		if f.Line >= 1 && f.Line <= len(lines) {
			f.Text = string(bytes.TrimRight(lines[f.Line-1], "\r"))
		}
		s.Faults = append(s.Faults, f)
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
		text := func(line int) string {
			if line < 1 || line > len(lines) {
				return ""
			}
			return string(bytes.TrimRight(lines[line-1], "\r"))
		}
		for _, e := range unjoin(s.document(name, doc.Content[0], opt, text)) {
			var k *keyed
			if !errors.As(e, &k) {
				k = &keyed{node: doc.Content[0], reason: e.Error()}
			}
			fault(&Fault{Line: k.node.Line, Column: k.node.Column, Rule: nameOf(doc.Content[0]), Key: k.key, Reason: k.reason})
		}
	}
	if s.empty() {
		fault(&Fault{Line: 1, Column: 1, Reason: "no rule in this file"})
	}
	return s
}

// document adds one document to s; where it is at fault, the error joins all that is wrong with it.
func (s *Set) document(name string, n *yaml.Node, opt Options, text func(line int) string) error {
	if n.Kind != yaml.MappingNode {
		return bad(n, "", "expected a rule: a table with title, logsource and detection")
	}
	var names func(string) []string
	if opt.Rewrite != nil {
		var err error
		if names, err = opt.Rewrite(n); err != nil {
			return bad(n, "", "%s", err)
		}
	}
	kinds := []string{"detection", "correlation", "filter"}
	var is []string
	for _, k := range kinds {
		if member(n, k) != nil {
			is = append(is, k)
		}
	}
	switch {
	case len(is) > 1:
		return bad(member(n, is[1]), is[1], "beside %s: a document is one of rule, correlation and filter", is[0])
	case len(is) == 0 && member(n, "action") != nil:
		return bad(member(n, "action"), "action", "collections with action are Sigma 1's and no longer in the specification; write each rule out")
	case len(is) == 0 || is[0] == "detection":
		r, err := parseRule(n, opt)
		if err == nil {
			r.File, r.Names = name, names
			s.Rules = append(s.Rules, r)
		}
		return err
	case is[0] == "correlation":
		c, err := parseCorrelation(n)
		if err == nil {
			c.File, c.text = name, text
			s.Correlations = append(s.Correlations, c)
		}
		return err
	}
	f, err := parseFilter(n, opt)
	if err == nil {
		f.File, f.text = name, text
		s.Filters = append(s.Filters, f)
	}
	return err
}

// ParseFile reads a file of detection rules alone, with the filters that it holds. A correlation is a fault here; Parse
// and Link are for all that a file may hold.
func ParseFile(name string, data []byte, opt Options) ([]*Rule, []*Fault) {
	s := Parse(name, data, opt)
	for _, c := range s.Correlations {
		s.Faults = append(s.Faults, &Fault{
			File: name, Line: c.Line, Column: 1, Rule: c.label(), Key: "correlation", Text: c.text(c.Line),
			Reason: "a correlation where detection rules alone are expected",
		})
	}
	s.Correlations = nil
	s.Link()
	return s.Rules, s.Faults
}

func unjoin(err error) []error {
	if err == nil {
		return nil
	}
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

func parseDetection(r *Rule, n *yaml.Node, opt Options) error {
	if n.Kind != yaml.MappingNode {
		return bad(n, "detection", "expected a table of searches with a condition")
	}
	d := &detections{opt: opt}
	cond, err := d.searches(n, "detection", func(k, v *yaml.Node) error {
		if k.Value == "timeframe" {
			return bad(k, "detection.timeframe", "is not part of Sigma 2; write a correlation")
		}
		return errNotMine
	})
	if err != nil {
		return err
	}
	r.names, r.nodes = d.names, d.nodes
	r.root, err = d.conditions(cond, "detection.condition")
	return err
}
