package sigma

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what the aliases of one document may unfold to.
const maxNodes = 200_000

// detections reads the searches of a rule.
type detections struct {
	opt   Options
	seen  int
	depth int
	names []string // of the searches, in order
	nodes map[string]*node
}

// errNotMine says that a key of a section is the name of a search.
var errNotMine = errors.New("not a key of the section")

// searches reads a section's searches and returns its condition. other takes the section's own keys.
func (d *detections) searches(n *yaml.Node, section string, other func(k, v *yaml.Node) error) (*yaml.Node, error) {
	d.nodes = map[string]*node{}
	var cond *yaml.Node
	var faults []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := k.Value
		if name == "condition" {
			cond = v
			continue
		}
		if err := other(k, v); !errors.Is(err, errNotMine) {
			if err != nil {
				faults = append(faults, err)
			}
			continue
		}
		if d.nodes[name] != nil {
			faults = append(faults, bad(k, section+"."+name, "is there twice"))
			continue
		}
		found, err := d.search(v, section+"."+name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		named := *found
		named.name = name
		d.names = append(d.names, name)
		d.nodes[name] = &named
	}
	if cond == nil {
		faults = append(faults, bad(n, section+".condition", "is missing"))
	}
	return cond, errors.Join(faults...)
}

// conditions parses the condition, or a list of them of which any is enough.
func (d *detections) conditions(cond *yaml.Node, key string) (*node, error) {
	cond = target(cond)
	list := []*yaml.Node{cond}
	if cond.Kind == yaml.SequenceNode {
		list = cond.Content
	}
	if len(list) == 0 {
		return nil, bad(cond, key, "an empty list")
	}
	var kids []*node
	for _, c := range list {
		if c = target(c); c.Kind != yaml.ScalarNode {
			return nil, bad(c, key, "expected text")
		}
		n, err := parseCondition(c.Value, "detection", d.names, d.nodes)
		if err != nil {
			return nil, bad(c, key, "%s", err)
		}
		kids = append(kids, n)
	}
	return join(isOr, kids), nil
}

// follow returns the node that an alias stands for.
func (d *detections) follow(n *yaml.Node, key string) (*yaml.Node, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.seen++; d.seen > maxNodes {
		return nil, bad(n, key, "more than %d values; an alias that holds itself?", maxNodes)
	}
	return n, nil
}

// search reads one detection: a table (all), a list of tables (any), or keywords.
func (d *detections) search(n *yaml.Node, key string) (*node, error) {
	n, err := d.follow(n, key)
	if err != nil {
		return nil, err
	}
	if d.depth++; d.depth > maxDepth {
		return nil, bad(n, key, "nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	switch n.Kind {
	case yaml.MappingNode:
		return d.table(n, key)
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return nil, bad(n, key, "an empty list")
		}
		var kids []*node
		for _, e := range n.Content {
			kid, err := d.search(e, key)
			if err != nil {
				return nil, err
			}
			kids = append(kids, kid)
		}
		return join(isOr, kids), nil
	}
	return d.values(&item{}, n, key)
}

func (d *detections) table(n *yaml.Node, key string) (*node, error) {
	if len(n.Content) == 0 {
		return nil, bad(n, key, "an empty table")
	}
	var kids []*node
	had := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		at := key + "." + k.Value
		if had[k.Value] {
			return nil, bad(k, at, "is there twice")
		}
		had[k.Value] = true
		it, err := parseItem(k.Value)
		if err != nil {
			return nil, bad(k, at, "%s", err)
		}
		kid, err := d.values(it, n.Content[i+1], at)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return join(isAnd, kids), nil
}

// values reads one value or a list of them.
func (d *detections) values(it *item, n *yaml.Node, key string) (*node, error) {
	n, err := d.follow(n, key)
	if err != nil {
		return nil, err
	}
	list := []*yaml.Node{n}
	switch n.Kind {
	case yaml.SequenceNode:
		if list = n.Content; len(list) == 0 {
			return nil, bad(n, key, "an empty list")
		}
	case yaml.MappingNode:
		return nil, bad(n, key, "expected a value or a list of values, found a table")
	}
	var kids []*node
	for _, v := range list {
		if v, err = d.follow(v, key); err != nil {
			return nil, err
		}
		if v.Kind != yaml.ScalarNode {
			return nil, bad(v, key, "expected a value, found a list or table")
		}
		atoms, err := d.atoms(it, v)
		if err != nil {
			return nil, bad(v, key, "%s", err)
		}
		var forms []*node
		for _, a := range atoms {
			a.field, a.cased, a.mods = it.field, it.cased, strings.Join(it.mods, "|")
			if a.shown == "" {
				a.shown = v.Value
			}
			forms = append(forms, &node{atom: a.folded()})
		}
		kids = append(kids, join(isOr, forms))
	}
	kind := isOr
	if it.all {
		kind = isAnd
	}
	out := join(kind, kids)
	if it.neq {
		out = not(out)
	}
	return out, nil
}

// folded folds what is compared without regard to case.
func (a *atom) folded() *atom {
	if a.cased {
		return a
	}
	a.text = fold(a.text)
	for i, q := range a.glob {
		a.glob[i].text = fold(q.text)
	}
	return a
}

// atoms makes the comparisons that one value stands for; any of them is enough.
func (d *detections) atoms(it *item, v *yaml.Node) ([]*atom, error) {
	text := scalarText(v)
	switch {
	case it.exists:
		want, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("exists takes true or false, not %q", text)
		}
		// !exists is written as a comparison of its own, so that it needs no negation.
		if want {
			return []*atom{{op: opExists}}, nil
		}
		return []*atom{{op: opAbsent}}, nil
	case v.Tag == "!!null":
		if it.field == "" || len(it.mods) > 0 && !it.all && !it.neq {
			return nil, fmt.Errorf("null goes with no modifier and no keyword")
		}
		return []*atom{{op: opNull, shown: "null"}}, nil
	case it.ref:
		other := strings.ReplaceAll(text, " ", "")
		if other == "" {
			return nil, fmt.Errorf("fieldref takes the name of a field")
		}
		return []*atom{{op: opRef, ref: other, refOp: it.refOp()}}, nil
	case it.re:
		return regexAtom(it, text)
	case it.cidr:
		p, err := parsePrefix(text)
		if err != nil {
			return nil, err
		}
		return []*atom{{op: opCIDR, prefix: p}}, nil
	case it.cmp != "" || it.part != "":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s takes a number, not %q", strings.Join(it.mods, "|"), text)
		}
		if it.part != "" {
			return []*atom{{op: opTime, cmp: it.part, num: f}}, nil
		}
		return []*atom{{op: opCompare, cmp: it.cmp, num: f}}, nil
	}
	pats, err := it.apply(text, d.opt.Placeholder)
	if err != nil {
		return nil, err
	}
	var out []*atom
	for _, p := range pats {
		if it.field == "" {
			p = append(append(pattern{{kind: any0}}, p...), part{kind: any0}).tidy()
		}
		a := &atom{}
		if a.op, a.text = p.shape(); a.op == opGlob {
			a.glob = p
		}
		if len(pats) > 1 {
			a.shown = p.source()
		}
		out = append(out, a)
	}
	return out, nil
}

func (it *item) refOp() op {
	if it.wraps {
		return it.wrap
	}
	return opExact
}

func regexAtom(it *item, text string) ([]*atom, error) {
	src := text
	if it.flags != "" {
		src = "(?" + it.flags + ")" + text
	}
	re, err := regexp.Compile(src)
	if err != nil {
		return nil, fmt.Errorf("%w; expressions are RE2's, which are linear in time and know no look-around and no back references", err)
	}
	return []*atom{{op: opRegex, re: re}}, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, aerr := netip.ParseAddr(s)
		if aerr != nil {
			return p, fmt.Errorf("cidr takes a network such as 10.0.0.0/8 or fe80::/10, not %q", s)
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// scalarText is a value as text: whole numbers in decimal, whatever base the rule writes them in.
func scalarText(n *yaml.Node) string {
	switch n.Tag {
	case "!!int":
		var i int64
		var u uint64
		switch {
		case n.Decode(&i) == nil:
			return strconv.FormatInt(i, 10)
		case n.Decode(&u) == nil:
			return strconv.FormatUint(u, 10)
		}
	case "!!bool":
		return strings.ToLower(n.Value)
	}
	return n.Value
}
