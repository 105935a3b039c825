// Package yamlfile reads configuration files: YAML that is decoded strictly into a Go struct, with every fault at once,
// each with file, line, column, the offending key, what was expected, and a caret under the place.
//
// It is for configuration that people write. It is not for data and not for event streams.
package yamlfile

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing wrong with a file.
type Fault struct {
	File         string
	Line, Column int // from 1
	Message      string
	Text         string // the line itself
}

// Error returns file:line:column: message, then the line with a caret under the column.
func (f *Fault) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	if f.Text == "" {
		return s
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, f.Text[:min(max(f.Column-1, 0), len(f.Text))])
	return s + "\n    " + f.Text + "\n    " + pad + "^"
}

// File is a configuration file with the text that its faults quote.
type File struct {
	Name  string
	lines []string
	root  *yaml.Node
}

// Read decodes the file at path into v, a pointer to a struct.
func Read(path string, v any) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Decode(path, data, v)
}

// Decode decodes data, which error messages call name, into v, a pointer to a struct with yaml tags. Unknown and repeated
// keys and wrong types are faults; the error joins all of them. A type with a method UnmarshalYAML checks itself.
func Decode(name string, data []byte, v any) (*File, error) {
	f := &File{Name: name, lines: strings.Split(string(data), "\n")}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return f, f.syntax(err)
	}
	if doc.Kind == 0 {
		return f, nil
	}
	f.root = doc.Content[0]
	c := checker{file: f}
	c.node(doc.Content[0], reflect.TypeOf(v).Elem())
	if len(c.faults) > 0 {
		return f, errors.Join(c.faults...)
	}
	if err := doc.Decode(v); err != nil {
		return f, f.syntax(err)
	}
	return f, nil
}

// At makes a fault at the node n, for checks that come after decoding.
func (f *File) At(n *yaml.Node, format string, args ...any) error {
	if n == nil {
		return f.AtLine(0, 0, format, args...)
	}
	return f.AtLine(n.Line, n.Column, format, args...)
}

// Find returns the value at a path of keys; where one of them is not there, the value at the part of the path that is. Of a
// list the key is an item's number, from 1.
func (f *File) Find(path ...string) *yaml.Node {
	n := f.root
	for _, key := range path {
		m := n
		for m != nil && m.Kind == yaml.AliasNode {
			m = m.Alias
		}
		next := (*yaml.Node)(nil)
		for i := 0; m != nil && m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
			if m.Content[i].Value == key {
				next = m.Content[i+1]
			}
		}
		if m != nil && m.Kind == yaml.SequenceNode {
			if i, err := strconv.Atoi(key); err == nil && i >= 1 && i <= len(m.Content) {
				next = m.Content[i-1]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// AtLine makes a fault at a line and column, both from 1.
func (f *File) AtLine(line, column int, format string, args ...any) error {
	fault := &Fault{File: f.Name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
	if line >= 1 && line <= len(f.lines) {
		fault.Text = strings.TrimRight(f.lines[line-1], "\r")
	}
	return fault
}

// syntax gives the library's message the form of a Fault where it names a line.
func (f *File) syntax(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if n, serr := fmt.Sscanf(msg, "line %d:", &line); n == 1 && serr == nil {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	column := 1
	if line <= len(f.lines) {
		column += len(f.lines[line-1]) - len(strings.TrimLeft(f.lines[line-1], " \t"))
	}
	return f.AtLine(line, column, "not YAML: %s", msg)
}

type checker struct {
	file   *File
	faults []error
}

func (c *checker) fault(n *yaml.Node, format string, args ...any) {
	c.faults = append(c.faults, c.file.At(n, format, args...))
}

var (
	unmarshaler = reflect.TypeFor[yaml.Unmarshaler]()
	nodeType    = reflect.TypeFor[yaml.Node]()
	duration    = reflect.TypeFor[time.Duration]()
)

func (c *checker) node(n *yaml.Node, t reflect.Type) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t == nodeType || t.Kind() == reflect.Interface || n.Tag == "!!null" {
		return
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		v := reflect.New(t)
		if err := n.Decode(v.Interface()); err != nil {
			var fault *Fault
			if errors.As(err, &fault) {
				c.faults = append(c.faults, err)
			} else {
				c.fault(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
			}
		}
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		c.node(n, t.Elem())
	case reflect.Struct:
		c.object(n, t)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "expected a list, found %s", describe(n))
			return
		}
		for _, e := range n.Content {
			c.node(e, t.Elem())
		}
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			c.fault(n, "expected a table of names and values, found %s", describe(n))
			return
		}
		c.repeated(n)
		for i := 1; i < len(n.Content); i += 2 {
			c.node(n.Content[i], t.Elem())
		}
	default:
		c.scalar(n, t)
	}
}

func (c *checker) scalar(n *yaml.Node, t reflect.Type) {
	if n.Kind == yaml.ScalarNode && n.Decode(reflect.New(t).Interface()) == nil {
		return
	}
	want := t.Kind().String()
	switch {
	case t == duration:
		want = "duration such as 10s, 5m or 1h"
	case t.Kind() == reflect.Bool:
		want = "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		want = "whole number"
	case t.Kind() == reflect.Float64:
		want = "number"
	}
	c.fault(n, "expected %s, found %s", want, describe(n))
}

func (c *checker) object(n *yaml.Node, t reflect.Type) {
	if n.Kind != yaml.MappingNode {
		c.fault(n, "expected a table with the keys %s; found %s", strings.Join(keys(t), ", "), describe(n))
		return
	}
	c.repeated(n)
	fields := fieldTypes(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		ft, ok := fields[key.Value]
		if !ok {
			c.fault(key, "unknown key %q; expected one of %s", key.Value, strings.Join(keys(t), ", "))
			continue
		}
		c.node(n.Content[i+1], ft)
	}
}

func (c *checker) repeated(n *yaml.Node) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; seen[k.Value] {
			c.fault(k, "key %q is there twice", k.Value)
		} else {
			seen[k.Value] = true
		}
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a table"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}

func fieldTypes(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, opts, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !t.Field(i).IsExported():
		case opts == "inline":
			for k, v := range fieldTypes(t.Field(i).Type) {
				out[k] = v
			}
		case name == "":
			out[strings.ToLower(t.Field(i).Name)] = t.Field(i).Type
		default:
			out[name] = t.Field(i).Type
		}
	}
	return out
}

func keys(t reflect.Type) []string {
	var out []string
	for k := range fieldTypes(t) {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
