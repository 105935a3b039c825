package normalize

import (
	"fmt"
	"slices"
	"strings"

	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// plan is a compiled mapping: what it is known by, and a body that a built-in mapping gets when its first record comes
// (see ready). Both are read only once they are there.
type plan struct {
	name, dataset, about, file string
	hints                      []string
	signs                      []sign

	*body
	finish func() error // makes the body; nil: it is there
}

// body is what a mapping does.
type body struct {
	datasetText []byte // dataset as JSON
	steps       []step
	each        [][]string       // the path to a list, that of a list in its elements, ...
	inside      []*source        // where the records are that find their own mappings
	prefixes    []*parse.Pattern // of lines
	lines       []linePattern
	pairs       []pairList
	icmp        *icmpSource
	none        []string
	bare        bool // nothing is derived of user agents and domains
	tables      map[string]*lookup

	paths pathTable
	slots int32
	flat  bool // see flatJSON

	nameStep *step    // see named
	kept     *outNode // the object that takes what was not used

	inObject bool // while an object's members are compiled

	timing   *timing
	rules    []rule
	set      []action
	branches []branch
	copies   *copies

	keepPath string
	keepAt   event.Path // the same; where what stands around records in a record goes
	keepUsed bool

	fields  []ecs.Field // by leaf
	leaves  map[string]int
	root    *outNode
	writing []writeStep // what is below root, in a flat list
	auto    automatic
	tests   []inlineTest
}

type linePattern struct {
	name []byte
	p    *parse.Pattern
}

// outNode is an object or field of the output.
type outNode struct {
	name  string
	key   []byte // `"name":`
	leaf  int    // -1: an object
	kids  []*outNode
	keep  bool // takes what was not used
	keeps bool // it or an object below it does
	mask  bits // the leaves at and below it
}

// bits is a set of leaves.
type bits []uint64

func (b bits) meets(other bits) bool {
	for i, w := range b {
		if w&other[i] != 0 {
			return true
		}
	}
	return false
}

// index fills the masks of n and what is below it, of size words.
func (n *outNode) index(size int) {
	n.mask = make(bits, size)
	if n.leaf >= 0 {
		n.mask[n.leaf>>6] |= 1 << (n.leaf & 63)
	}
	n.keeps = n.keep
	for _, k := range n.kids {
		k.index(size)
		n.keeps = n.keeps || k.keeps
		for i, w := range k.mask {
			n.mask[i] |= w
		}
	}
}

func newPlan() *plan {
	return &plan{body: &body{leaves: map[string]int{}, tables: map[string]*lookup{}, root: &outNode{leaf: -1}}}
}

// leaf returns the number of the field of that name in the output, which it enters there.
func (p *plan) leaf(name string) (int, error) {
	if n, ok := p.leaves[name]; ok {
		return n, nil
	}
	n := len(p.fields)
	at := p.root
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if at.leaf >= 0 {
			return 0, fmt.Errorf("%s can't be set: %s is a field of this mapping too", name, strings.Join(parts[:i], "."))
		}
		at = at.kid(part)
	}
	if len(at.kids) > 0 {
		return 0, fmt.Errorf("%s can't be set: the mapping has fields below it", name)
	}
	at.leaf = n
	f, ok := ecs.Lookup(name)
	if !ok {
		f = ecs.Field{Name: name, Type: ecs.Keyword}
	}
	p.fields = append(p.fields, f)
	p.leaves[name] = n
	return n, nil
}

func (n *outNode) find(name []byte) *outNode {
	for _, k := range n.kids {
		if k.name == string(name) {
			return k
		}
	}
	return nil
}

func (n *outNode) kid(name string) *outNode {
	if k := n.find([]byte(name)); k != nil {
		return k
	}
	k := &outNode{name: name, leaf: -1, key: append(event.AppendString(nil, name), ':')}
	n.kids = append(n.kids, k)
	return k
}

// keeps tells whether name lies in the dataset's own object, where a mapping may name fields freely.
func (p *plan) keeps(name string) bool {
	own := p.keepPath
	if own == "" {
		own = p.name
	}
	return strings.HasPrefix(name, own+".")
}

// replaceRule adds a rule, in the place of one for the same field that an extended mapping had.
func (p *plan) replaceRule(r rule) {
	for i := range p.rules {
		if p.rules[i].leaf == r.leaf && p.rules[i].soft == r.soft {
			p.rules[i] = r
			return
		}
	}
	p.rules = append(p.rules, r)
}

// isNone tells whether b is a text that this dataset writes for "no value".
func (p *plan) isNone(b []byte) bool {
	for _, n := range p.none {
		if n == string(b) {
			return true
		}
	}
	return false
}

func (p *plan) noneJSON(b []byte) bool {
	return len(b) >= 2 && len(p.none) > 0 && p.isNone(b[1:len(b)-1])
}

// complete adds the automatic fields, and puts the output in its order.
func (p *plan) complete(c *compiler) {
	p.datasetText = event.AppendString(nil, p.dataset)
	if len(p.steps) == 0 {
		p.steps = []step{{kind: stepText}}
	}
	if p.keepPath == "" {
		p.keepPath = p.name
	}
	if err := c.finishCopies(); err != nil {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "ecs: %v", err))
		return
	}
	if err := p.addAutomatic(); err != nil {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "%v", err))
		return
	}
	keepAt, err := event.ParsePath(p.keepPath)
	if err != nil {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "keep: %v", err))
		return
	}
	p.keepAt = keepAt
	at := p.root
	for _, part := range strings.Split(p.keepPath, ".") {
		at = at.kid(part)
	}
	if at.leaf >= 0 {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "keep: %q is a field of the mapping", p.keepPath))
	}
	at.keep = true
	p.kept, p.nameStep = at, p.named()
	sortOut(p.root)
	p.flat = p.flatJSON()
	p.finishPairs()
	p.root.index((len(p.fields) + 63) / 64)
	p.writing = writeSteps(nil, p.root)
}

var outOrder = []string{"@timestamp", "event"}

func sortOut(n *outNode) {
	slices.SortStableFunc(n.kids, func(a, b *outNode) int {
		ia, ib := slices.Index(outOrder, a.name), slices.Index(outOrder, b.name)
		switch {
		case ia >= 0 && ib >= 0:
			return ia - ib
		case ia >= 0:
			return -1
		case ib >= 0:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	for _, k := range n.kids {
		sortOut(k)
	}
}
