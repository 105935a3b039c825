package normalize

import (
	"fmt"
	"strings"

	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// plan is a compiled mapping. After finish it is immutable and shared by runners.
type plan struct {
	file, name, dataset, about string
	hints                      []string
	signs                      []sign
	none                       []string // texts that stand for "no value"
	each                       []string
	steps                      []step
	lines                      []linePattern
	keepPath                   string
	keepUsed                   bool
	timing                     *timing
	rules                      []rule
	set                        []action
	branches                   []branch
	tables                     map[string]*lookup
	tests                      []inlineTest

	paths  pathTable
	slots  int32
	leaves []string // field names, by leaf
	root   *outNode
	isList []bool   // by leaf: ECS says it is always a list
	kept   *outNode // the object that takes what no field took
	at     struct{ time, kind, dataset, id, original, version int }
	gather []gathered
}

// linePattern is one pattern of `lines`.
type linePattern struct {
	name []byte
	p    *parse.Pattern
}

// outNode is one object, or one value, of the event that a plan writes.
type outNode struct {
	name   string
	quoted []byte // name as JSON text with the colon behind it
	leaf   int    // -1: an object
	subs   []*outNode
	extra  envelopePart // members of the incoming record that go into this object
}

// envelopePart names an object of the incoming record whose members are handed on.
type envelopePart uint8

const (
	envelopeNone envelopePart = iota
	envelopeLog
	envelopeLeat
)

// gathered is one related.* field with the leaves whose values it collects.
type gathered struct {
	to   int
	from []int
}

func newPlan() *plan { return &plan{tables: map[string]*lookup{}, root: &outNode{leaf: -1}} }

// keeps tells whether name lies below the object of keep, where a mapping may name its own fields.
func (p *plan) keeps(name string) bool {
	return p.keepPath != "" && strings.HasPrefix(name, p.keepPath+".")
}

func (p *plan) isNone(b []byte) bool {
	for _, n := range p.none {
		if string(b) == n {
			return true
		}
	}
	return false
}

func (p *plan) noneJSON(b []byte) bool { return len(p.none) > 0 && p.isNone(b[1:len(b)-1]) }

// replaceRule adds a rule; one for the same field, from a mapping that this one extends, gives way.
func (p *plan) replaceRule(r rule) {
	for i := range p.rules {
		if p.rules[i].leaf == r.leaf {
			p.rules[i] = r
			return
		}
	}
	p.rules = append(p.rules, r)
}

// leaf returns the number of the field of that name in the output.
func (p *plan) leaf(name string) (int, error) {
	n := p.root
	keys := strings.Split(name, ".")
	for i, k := range keys {
		sub := n.sub(k)
		last := i == len(keys)-1
		if sub == nil {
			sub = &outNode{name: k, quoted: append(event.AppendString(nil, k), ':'), leaf: -1}
			if last {
				sub.leaf = len(p.leaves)
				p.leaves = append(p.leaves, name)
			}
			n.subs = append(n.subs, sub)
		}
		if last != (sub.leaf >= 0) {
			return 0, fmt.Errorf("%s can't be a value and an object at once", strings.Join(keys[:i+1], "."))
		}
		n = sub
	}
	return n.leaf, nil
}

func (n *outNode) sub(name string) *outNode {
	for _, s := range n.subs {
		if s.name == name {
			return s
		}
	}
	return nil
}

// object finds or makes the object at path.
func (n *outNode) object(path []string) *outNode {
	for _, k := range path {
		s := n.sub(k)
		if s == nil {
			s = &outNode{name: k, quoted: append(event.AppendString(nil, k), ':'), leaf: -1}
			n.subs = append(n.subs, s)
		}
		n = s
	}
	return n
}

// finish adds what every mapping writes, and what is gathered from its fields.
func (p *plan) finish(c *compiler) {
	need := func(name string) int {
		l, err := p.leaf(name)
		if err != nil {
			c.faults = append(c.faults, c.file.AtLine(1, 1, "%v", err))
		}
		return l
	}
	p.at.time, p.at.kind, p.at.dataset = need("@timestamp"), need("event.kind"), need("event.dataset")
	p.at.id, p.at.original, p.at.version = need("event.id"), need("event.original"), need("ecs.version")
	p.related(need)
	for _, name := range p.leaves {
		f, _ := ecs.Lookup(name)
		p.isList = append(p.isList, f.Array)
	}
	p.root.object([]string{"log"}).extra = envelopeLog
	p.root.object([]string{"leat"}).extra = envelopeLeat
	if p.keepPath != "" {
		p.kept = p.root.object(strings.Split(p.keepPath, "."))
		if p.kept.leaf >= 0 {
			c.faults = append(c.faults, c.file.AtLine(1, 1, "keep: %q is a field", p.keepPath))
		}
	}
}

// related.* of ECS gathers every value of one sort in one list, so that a search needs one field.
func (p *plan) related(need func(string) int) {
	var ips, users, hosts, hashes []int
	for leaf, name := range p.leaves {
		f, _ := ecs.Lookup(name)
		switch {
		case strings.HasPrefix(name, "related."):
		case f.Type == ecs.IP:
			ips = append(ips, leaf)
		case strings.Contains(name, ".hash."):
			hashes = append(hashes, leaf)
		case name == "user.name" || strings.HasSuffix(name, ".user.name") || strings.HasPrefix(name, "user.") && strings.HasSuffix(name, ".name") &&
			strings.Count(name, ".") == 2 && !strings.HasPrefix(name, "user.group") && !strings.HasPrefix(name, "user.office"):
			users = append(users, leaf)
		case name == "host.name" || name == "host.hostname" || strings.HasSuffix(name, ".domain") && !strings.HasPrefix(name, "user.") && strings.Count(name, ".") == 1:
			hosts = append(hosts, leaf)
		}
	}
	for name, from := range map[string][]int{"related.ip": ips, "related.user": users, "related.hosts": hosts, "related.hash": hashes} {
		if len(from) > 0 {
			p.gather = append(p.gather, gathered{need(name), from})
		}
	}
}
