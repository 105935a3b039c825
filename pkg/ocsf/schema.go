package ocsf

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// schema is the published schema as far as the table uses it: see schemagen.
type schema struct {
	version string
	types   map[string]string // name -> the type that it is made of
	regexes map[string]string
	classes map[string]*object
	objects map[string]*object
}

// object is a class, or an object within one.
type object struct {
	name         string
	uid          int // of a class, as the next three
	caption      string
	categoryUID  int
	categoryName string
	atLeastOne   []string
	justOne      []string
	attributes   []*attribute // in order
	byName       map[string]*attribute
}

// attribute is a member of an object.
type attribute struct {
	name     string
	typ      string // a type's name; "" where it is an object
	object   string
	array    bool
	required bool
	sibling  string
	profiles []string
	enum     []enumValue
}

// enumValue is an allowed value: a number, or a word, and what it is called.
type enumValue struct{ key, caption string }

//go:embed schema.txt
var schemaText string

var published = sync.OnceValues(func() (*schema, error) { return parseSchema(schemaText) })

// parseSchema reads what schemagen writes.
func parseSchema(text string) (*schema, error) {
	s := &schema{types: map[string]string{}, regexes: map[string]string{}, classes: map[string]*object{}, objects: map[string]*object{}}
	var at *object
	var attr *attribute
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		body := strings.TrimLeft(line, " ")
		switch depth := len(line) - len(body); {
		case body == "" || body[0] == '#':
		case depth == 2 && attr != nil:
			key, caption, _ := strings.Cut(body, " ")
			attr.enum = append(attr.enum, enumValue{key, caption})
		case depth == 1 && at != nil:
			attr = parseAttribute(strings.Fields(body))
			at.attributes = append(at.attributes, attr)
			at.byName[attr.name] = attr
		case depth == 0:
			var err error
			if at, err = s.head(body); err != nil {
				return nil, fmt.Errorf("schema line %d: %w", n, err)
			}
		default:
			return nil, fmt.Errorf("schema line %d: out of place", n)
		}
	}
	return s, nil
}

// head reads a line that begins a part.
func (s *schema) head(line string) (*object, error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "version":
		s.version = rest
		return nil, nil
	case "type":
		f := strings.SplitN(rest, " ", 3)
		s.types[f[0]] = f[1]
		if len(f) > 2 {
			s.regexes[f[0]] = f[2]
		}
		return nil, nil
	case "object":
		f := strings.Fields(rest)
		o := &object{name: f[0], byName: map[string]*attribute{}}
		o.constraints(f[1:])
		s.objects[o.name] = o
		return o, nil
	case "class":
		o := &object{byName: map[string]*attribute{}}
		if _, err := fmt.Sscanf(rest, "%s %d %q %d %q", &o.name, &o.uid, &o.caption, &o.categoryUID, &o.categoryName); err != nil {
			return nil, err
		}
		if i := strings.LastIndexByte(rest, '"'); i >= 0 {
			o.constraints(strings.Fields(rest[i+1:]))
		}
		s.classes[o.name] = o
		return o, nil
	}
	return nil, fmt.Errorf("unknown word %q", word)
}

func (o *object) constraints(words []string) {
	for _, w := range words {
		name, list, _ := strings.Cut(w, "=")
		if name == "at_least_one" {
			o.atLeastOne = strings.Split(list, ",")
		} else {
			o.justOne = strings.Split(list, ",")
		}
	}
}

func parseAttribute(f []string) *attribute {
	a := &attribute{name: f[0]}
	t, array := strings.CutSuffix(f[1], "[]")
	a.array = array
	if len(t) > 2 && t[0] == '{' {
		a.object = t[1 : len(t)-1]
	} else {
		a.typ = t
	}
	for _, w := range f[2:] {
		switch name, val, _ := strings.Cut(w, "="); name {
		case "required":
			a.required = true
		case "sibling":
			a.sibling = val
		case "profiles":
			a.profiles = strings.Split(val, ",")
		}
	}
	return a
}

// base is the plain type that a type is made of, such as string_t for hostname_t.
func (s *schema) base(t string) string {
	if b, ok := s.types[t]; ok {
		return b
	}
	return t
}

// find returns the enum's value whose caption, or key, is text. Case does not count.
func (a *attribute) find(text string) (enumValue, bool) {
	for _, e := range a.enum {
		if strings.EqualFold(e.caption, text) || e.key == text {
			return e, true
		}
	}
	return enumValue{}, false
}

// captionOf is what the enum calls the value of that key, or "".
func (a *attribute) captionOf(key string) string {
	for _, e := range a.enum {
		if e.key == key {
			return e.caption
		}
	}
	return ""
}
