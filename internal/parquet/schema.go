package parquet

import (
	"fmt"
	"strings"
)

// Kind is what a field holds, with the SQL type that DuckDB reads it as.
type Kind uint8

// The kinds.
const (
	Text  Kind = iota // VARCHAR: UTF-8
	Texts             // VARCHAR[]
	Int               // BIGINT
	Float             // DOUBLE
	Bool              // BOOLEAN
	Time              // TIMESTAMP: microseconds since 1970, in no zone
)

// Field is one field of a schema. Those of one object share the first names of Path; every field and object may be NULL.
type Field struct {
	Path []string
	Kind Kind
}

// Schema is a compiled list of fields. It is immutable.
type Schema struct {
	leaves  []leaf
	at      []int // field -> leaf
	objects int
	encoded []byte // the list of SchemaElement
}

// leaf is a field as Parquet has it.
type leaf struct {
	path    []string // a list has two names more
	kind    Kind
	objects []int // numbers of the objects around it, outermost first
	maxDef  int
	maxRep  int
}

// Physical types, and how DuckDB marks what they mean (parquet.thrift: Type, ConvertedType).
const (
	physicalBool   = 0
	physicalInt64  = 2
	physicalDouble = 5
	physicalBytes  = 6

	convertedUTF8  = 0
	convertedList  = 3
	convertedInt64 = 18
)

func (k Kind) physical() int64 {
	switch k {
	case Text, Texts:
		return physicalBytes
	case Float:
		return physicalDouble
	case Bool:
		return physicalBool
	default:
		return physicalInt64
	}
}

// branch is an object, or a field, of the schema's tree.
type branch struct {
	name     string
	field    int // -1: an object
	children []*branch
}

// NewSchema compiles fields. Objects, and fields within one, are in the order in which they are named first.
func NewSchema(fields []Field) (*Schema, error) {
	root := &branch{field: -1}
	for i, f := range fields {
		if err := root.add(f.Path, i); err != nil {
			return nil, fmt.Errorf("field %q: %w", strings.Join(f.Path, "."), err)
		}
	}
	s := &Schema{at: make([]int, len(fields))}
	e := &encoder{}
	elements := 0
	s.compile(e, root, fields, leaf{}, &elements)
	list := &encoder{}
	list.list(elements, typeStruct)
	s.encoded = append(list.b, e.b...)
	return s, nil
}

func (b *branch) add(path []string, field int) error {
	if len(path) == 0 || path[0] == "" {
		return fmt.Errorf("a name is empty")
	}
	var next *branch
	for _, c := range b.children {
		if c.name == path[0] {
			next = c
		}
	}
	switch {
	case next == nil:
		next = &branch{name: path[0], field: -1}
		b.children = append(b.children, next)
	case len(path) == 1 || next.field >= 0:
		return fmt.Errorf("%q is there already", path[0])
	}
	if len(path) == 1 {
		next.field = field
		return nil
	}
	return next.add(path[1:], field)
}

// compile writes b's SchemaElement and those below it, and collects the leaves. up is what is above b.
func (s *Schema) compile(e *encoder, b *branch, fields []Field, up leaf, elements *int) {
	*elements++
	if b.field < 0 {
		element(e, b.name, len(b.children), b.name != "", -1, -1)
		if b.name != "" {
			up.objects = append(up.objects[:len(up.objects):len(up.objects)], s.objects)
			up.path = append(up.path[:len(up.path):len(up.path)], b.name)
			s.objects++
		}
		for _, c := range b.children {
			s.compile(e, c, fields, up, elements)
		}
		return
	}
	kind := fields[b.field].Kind
	l := leaf{kind: kind, objects: up.objects, maxDef: len(up.objects) + 1}
	l.path = append(up.path[:len(up.path):len(up.path)], b.name)
	switch kind {
	case Texts:
		l.path = append(l.path, "list", "element")
		l.maxDef, l.maxRep = l.maxDef+2, 1
		element(e, b.name, 1, true, -1, convertedList)
		e.begin()
		e.i32(3, 2) // repeated
		e.field(4, typeBinary)
		e.text("list")
		e.i32(5, 1)
		e.end()
		element(e, "element", 0, true, physicalBytes, convertedUTF8)
		*elements += 2
	case Text:
		element(e, b.name, 0, true, physicalBytes, convertedUTF8)
	case Int:
		element(e, b.name, 0, true, physicalInt64, convertedInt64)
	case Time:
		timestamp(e, b.name)
	default:
		element(e, b.name, 0, true, kind.physical(), -1)
	}
	s.at[b.field] = len(s.leaves)
	s.leaves = append(s.leaves, l)
}

// element writes a SchemaElement; what is negative is left out.
func element(e *encoder, name string, children int, optional bool, physical, converted int64) {
	e.begin()
	if physical >= 0 {
		e.i32(1, physical)
	}
	if optional {
		e.i32(3, 1)
	}
	if name == "" {
		name = "schema"
	}
	e.field(4, typeBinary)
	e.text(name)
	if children > 0 {
		e.i32(5, int64(children))
	}
	if converted >= 0 {
		e.i32(6, converted)
	}
	e.end()
}

// timestamp writes the SchemaElement of a time without zone: the logical type alone says that.
func timestamp(e *encoder, name string) {
	e.begin()
	e.i32(1, physicalInt64)
	e.i32(3, 1)
	e.field(4, typeBinary)
	e.text(name)
	e.field(10, typeStruct)
	e.begin() // LogicalType
	e.field(8, typeStruct)
	e.begin() // TimestampType
	e.field(1, typeFalse)
	e.field(2, typeStruct)
	e.begin() // TimeUnit
	e.field(2, typeStruct)
	e.begin() // MicroSeconds
	e.end()
	e.end()
	e.end()
	e.end()
	e.end()
}
