package normalize

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/yamlfile"
)

// document is a mapping file. The parts that read like tables are nodes, so that every fault has its place.
type document struct {
	Name    string    `yaml:"name"`
	Dataset string    `yaml:"dataset"`
	About   string    `yaml:"about"`
	Hints   []string  `yaml:"hints"`
	When    yaml.Node `yaml:"when"`
	Parse   yaml.Node `yaml:"parse"`
	From    string    `yaml:"from"`
	Each    yaml.Node `yaml:"each"`
	Inside  yaml.Node `yaml:"inside"`
	ECS     yaml.Node `yaml:"ecs"`
	Absent  []string  `yaml:"absent"`
	Derive  *bool     `yaml:"derive"`
	Time    yaml.Node `yaml:"time"`
	Keep    yaml.Node `yaml:"keep"`
	Prefix  yaml.Node `yaml:"prefix"`
	Lines   yaml.Node `yaml:"lines"`
	Fields  yaml.Node `yaml:"fields"`
	Set     yaml.Node `yaml:"set"`
	Switch  yaml.Node `yaml:"switch"`
	Tables  yaml.Node `yaml:"tables"`
	Pairs   yaml.Node `yaml:"pairs"`
	ICMP    yaml.Node `yaml:"icmp"`
	Extends []string  `yaml:"extends"`
	Tests   yaml.Node `yaml:"tests"`
}

// compiler turns one document into a plan; it collects faults instead of stopping at the first.
type compiler struct {
	file   *yamlfile.File
	plan   *plan
	tables map[string]*lookup
	faults []error
}

func (c *compiler) fault(n *yaml.Node, format string, args ...any) {
	c.faults = append(c.faults, c.file.At(n, format, args...))
}

// entries returns the keys and values of a table in order; anything else is a fault.
func (c *compiler) entries(n *yaml.Node, what string) (keys, vals []*yaml.Node) {
	if n.Kind == 0 || n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		c.fault(n, "%s: expected a table, found %s", what, kindOf(n))
		return nil, nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			c.fault(k, "%s: %q is there twice", what, k.Value)
			continue
		}
		seen[k.Value] = true
		keys, vals = append(keys, k), append(vals, n.Content[i+1])
	}
	return keys, vals
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a table"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}

// scalars returns a scalar, or a list of them, as nodes.
func (c *compiler) scalars(n *yaml.Node, what string) []*yaml.Node {
	switch n.Kind {
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		for _, e := range n.Content {
			if e.Kind != yaml.ScalarNode {
				c.fault(e, "%s: expected a text, found %s", what, kindOf(e))
				return nil
			}
		}
		return n.Content
	case 0:
		return nil
	}
	c.fault(n, "%s: expected a text or a list of texts, found %s", what, kindOf(n))
	return nil
}

func values(nodes []*yaml.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Value
	}
	return out
}

// maxExtends is how many mappings deep one may build on others.
const maxExtends = 4

// base looks up what extends names.
type base func(name string) (data []byte, file string, ok bool)

// Compile reads one mapping. name is what error messages call the file; extends finds the tables that it builds on.
// The error joins every fault, each with file, line, column and a caret.
func compileMapping(name string, data []byte, extends base) (*plan, error) {
	p := newPlan()
	p.file = name
	return p, p.compile(name, data, extends, 0)
}

func (p *plan) compile(name string, data []byte, extends base, depth int) error {
	var doc document
	file, err := yamlfile.Decode(name, data, &doc)
	if err != nil {
		return err
	}
	c := &compiler{file: file, plan: p, tables: p.tables}
	if depth > maxExtends {
		return file.AtLine(1, 1, "extends: more than four mappings deep; do they extend each other?")
	}
	for _, b := range doc.Extends {
		data, bfile, ok := extends(b)
		if !ok {
			c.faults = append(c.faults, file.AtLine(lineOf(data, "extends"), 1, "extends: no mapping %q", b))
			continue
		}
		if err := p.compile(bfile, data, extends, depth+1); err != nil {
			return err
		}
	}
	c.document(&doc, depth == 0)
	if depth == 0 && len(c.faults) == 0 {
		p.complete(c)
	}
	return errors.Join(c.faults...)
}

func lineOf(data []byte, key string) int {
	for i, l := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(l, key+":") {
			return i + 1
		}
	}
	return 1
}

func (c *compiler) document(doc *document, top bool) {
	p := c.plan
	if top {
		c.names(doc)
		c.when(&doc.When)
		c.tests(&doc.Tests)
	}
	p.none = append(p.none, doc.Absent...)
	if doc.Derive != nil {
		p.bare = !*doc.Derive
	}
	c.each(&doc.Each)
	c.table(&doc.Tables)
	c.pairs(&doc.Pairs)
	c.inside(&doc.Inside)
	c.icmp(&doc.ICMP)
	c.parsers(&doc.Parse, doc.From)
	c.prefixes(&doc.Prefix)
	c.lines(&doc.Lines)
	c.keep(&doc.Keep)
	c.time(&doc.Time)
	c.fields(&doc.Fields)
	c.ecsFields(&doc.ECS)
	p.set = append(p.set, c.actions(&doc.Set, "set")...)
	c.switches(&doc.Switch)
}

// names checks the names: a dataset becomes a folder of the lake.
func (c *compiler) names(doc *document) {
	p := c.plan
	p.name, p.dataset, p.about = doc.Name, doc.Dataset, doc.About
	if p.dataset == "" {
		p.dataset = p.name
	}
	for key, v := range map[string]string{"name": p.name, "dataset": p.dataset} {
		if !validName(v) {
			c.faults = append(c.faults, c.file.AtLine(1, 1, "%s: expected 1 to 64 of a-z 0-9 _ . -, found %q", key, v))
		}
	}
	p.hints = append([]string{p.name, p.dataset}, doc.Hints...)
}

func validName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// table reads the look-up tables: name: {from: to, ..., else: text} or else: '=' to keep what is not in it.
func (c *compiler) table(n *yaml.Node) {
	keys, vals := c.entries(n, "tables")
	for i, k := range keys {
		t := &lookup{to: map[string][]byte{}}
		from, to := c.entries(vals[i], "tables."+k.Value)
		for j, f := range from {
			switch {
			case f.Value == "else" && to[j].Value == "=":
				t.keep = true
			case f.Value == "else":
				t.els = []byte(to[j].Value)
			default:
				t.to[f.Value] = []byte(to[j].Value)
			}
		}
		c.tables[k.Value] = t
	}
}
