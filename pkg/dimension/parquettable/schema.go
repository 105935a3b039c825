package parquettable

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxNodes and maxDepth bound a schema.
	maxNodes = 20_000
	maxDepth = 64
)

// shape is what the values below a node look like.
type shape uint8

const (
	scalar   shape = iota
	group          // named fields
	list           // LIST: one field, the repeated one; its field is the element
	dict           // MAP: one field, the repeated pair
	elements       // the repeated group inside a LIST, which is not shown itself
)

// node is one of a schema, with the levels of its values (parquet-format, Nested Encoding).
type node struct {
	name     string
	shape    shape
	optional bool
	repeated bool
	def, rep int // the levels of a value that is there, of this node
	fields   []*node
	leaf     int // the number of the first leaf at or below
	leaves   int
	append   func(dst []byte, v cellValue) []byte
	json     bool // a leaf whose values are JSON: an empty text is meant
}

// schemaOf makes the tree of the flat schema of a file. The root is a group.
func schemaOf(all []format.SchemaElement) (*node, error) {
	if len(all) == 0 || len(all) > maxNodes {
		return nil, fmt.Errorf("a schema of %d nodes; expected 1 to %d", len(all), maxNodes)
	}
	s := schemaReader{all: all}
	root, err := s.node(nil, 0)
	if err != nil {
		return nil, err
	}
	if s.at != len(all) || root.shape == scalar {
		return nil, errors.New("the schema is broken")
	}
	return root, nil
}

type schemaReader struct {
	all  []format.SchemaElement
	at   int
	leaf int
}

func (s *schemaReader) node(parent *node, depth int) (*node, error) {
	if s.at == len(s.all) || depth > maxDepth {
		return nil, errors.New("the schema is broken, or too deep")
	}
	e := &s.all[s.at]
	s.at++
	n := &node{name: e.Name, leaf: s.leaf}
	if parent != nil {
		n.def, n.rep = parent.def, parent.rep
		n.optional = e.RepetitionType.V == format.Optional
		n.repeated = e.RepetitionType.V == format.Repeated
	}
	if n.optional || n.repeated {
		n.def++
	}
	if n.repeated {
		n.rep++
	}
	if e.Type.Valid {
		n.append, n.leaves = converter(e), 1
		_, n.json = e.LogicalType.Value.(*format.JsonType)
		s.leaf++
		return n, nil
	}
	n.shape = group
	for range e.NumChildren.V {
		child, err := s.node(n, depth+1)
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, child)
	}
	n.leaves = s.leaf - n.leaf
	if n.leaves == 0 && parent != nil {
		return nil, fmt.Errorf("the group %q has no fields", n.name)
	}
	n.annotate(e)
	return n, nil
}

// annotate says what a group stands for (parquet-format, LogicalTypes.md, Nested Types).
func (n *node) annotate(e *format.SchemaElement) {
	if len(n.fields) != 1 || !n.fields[0].repeated {
		return
	}
	child := n.fields[0]
	_, isList := e.LogicalType.Value.(*format.ListType)
	_, isMap := e.LogicalType.Value.(*format.MapType)
	conv := e.ConvertedType
	switch {
	case isMap || conv.Valid && (conv.V == deprecated.Map || conv.V == deprecated.MapKeyValue):
		if child.shape == group && len(child.fields) == 2 {
			n.shape = dict
		}
	case isList || conv.Valid && conv.V == deprecated.List:
		n.shape = list
		// Old writers have the element itself repeated.
		if child.shape == group && len(child.fields) == 1 && child.name != "array" && !strings.HasSuffix(child.name, "_tuple") {
			child.shape = elements
		}
	}
}
