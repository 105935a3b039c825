package sigma

import "unsafe"

// nodeKind is how a node joins what lies below it.
type nodeKind uint8

const (
	isAtom nodeKind = iota
	isAnd
	isOr
	isNot
)

// node is a part of a rule's condition. Nodes are immutable once the rule is parsed.
type node struct {
	kind nodeKind
	kids []*node
	atom *atom
	name string // of the detection whose root this is
}

// join makes the node of that kind over kids, or the only kid itself.
func join(kind nodeKind, kids []*node) *node {
	if len(kids) == 1 {
		return kids[0]
	}
	return &node{kind: kind, kids: kids}
}

func not(n *node) *node { return &node{kind: isNot, kids: []*node{n}} }

// unsafeString is b as a string that must not outlive b or see it changed.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
