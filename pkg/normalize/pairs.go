package normalize

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// The key pairs names lists whose elements are a name and a value each, as APIs write what differs from event to event. Sources
// read them as if they were objects, and the list is read once, however many sources ask for it:
//
//	pairs: {param: {list: 'events[].parameters', key: name, value: [value, intValue]}}
//	fields: {file.name: param.doc_title}
//
// The record itself stays as it is: what is kept is the list.

// pairList is one such list.
type pairList struct {
	name   string
	slot   int32 // of the list, or of what it lies in
	picks  []pick
	key    string
	values []string
	wanted *pathTable // the names that sources ask for; nil = none
}

// pairs compiles the key.
func (c *compiler) pairs(n *yaml.Node) {
	names, vals := c.entries(n, "pairs")
	for i, name := range names {
		l := pairList{name: name.Value, slot: -1}
		keys, opts := c.entries(vals[i], "pairs."+name.Value)
		for j, k := range keys {
			switch k.Value {
			case "list":
				path, picks, err := parsePath(opts[j].Value)
				if err != nil || len(path) == 0 {
					c.fault(opts[j], "pairs.%s: expected the path of a list, such as parameters or events[].parameters, found %q", name.Value, opts[j].Value)
					continue
				}
				l.slot, l.picks = c.plan.slot(path), picks
			case "key":
				l.key = opts[j].Value
			case "value":
				l.values = values(c.scalars(opts[j], "pairs.value"))
			default:
				c.fault(k, "pairs: unknown key %q; expected list, key, value", k.Value)
			}
		}
		if l.slot < 0 || l.key == "" || len(l.values) == 0 || strings.ContainsAny(l.name, ".[]") {
			c.fault(name, "pairs.%s: expected {list: PATH, key: NAME, value: NAME}", name.Value)
			continue
		}
		c.plan.pairs = append(c.plan.pairs, l)
	}
}

// finishPairs notes which names of the lists sources ask for, once all are known.
func (p *plan) finishPairs() {
	for i := range p.pairs {
		if k := p.paths.keys.get([]byte(p.pairs[i].name)); k >= 0 {
			p.pairs[i].wanted = p.paths.next[k]
		}
	}
}

// findPairs finds the cells of sources in the plan's lists of pairs. Of two of one name the first counts.
func (r *runner) findPairs(p *plan) {
	for i := range p.pairs {
		l := &p.pairs[i]
		n := r.cells[l.slot]
		if l.wanted == nil || n == parse.None || !r.rec.Cells[n].JSON {
			continue
		}
		r.walkPairs(l, l.picks, event.ValueOf(r.rec.Cells[n].Val))
	}
}

// walkPairs takes the pairs that lie at picks in v.
func (r *runner) walkPairs(l *pairList, picks []pick, v event.Value) {
	n := -1
	v.Elements(func(e event.Value) bool {
		n++
		if len(picks) == 0 {
			r.pair(l, e)
			return true
		}
		k := &picks[0]
		if k.index >= 0 && n != k.index || k.index == -2 && !k.is(e.Member(k.key)) {
			return true
		}
		if e = below(e, k.path); e.Exists() {
			r.walkPairs(l, picks[1:], e)
		}
		return k.index == -1
	})
}

// pair gives the source that asks for the pair's name its value.
func (r *runner) pair(l *pairList, e event.Value) {
	name := e.Member(l.key)
	key := name.Raw
	if name.Kind == event.String {
		key = key[1 : len(key)-1]
	}
	k := l.wanted.keys.get(key)
	if k < 0 {
		return
	}
	slot := l.wanted.slot[k]
	if slot < 0 || r.cells[slot] != parse.None {
		return
	}
	for _, name := range l.values {
		if v := e.Member(name); v.Exists() && v.Kind != event.Null {
			r.cells[slot] = r.rec.Loose(parse.Cell{Key: key, Val: v.Raw, Kind: v.Kind, JSON: true, JSONKey: true})
			return
		}
	}
}
