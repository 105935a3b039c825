package event

import (
	"errors"
	"strings"
)

// Path is the compiled name of a field, such as source.ip.
type Path struct {
	keys   []string
	quoted []string // each key as JSON text, with its quotes
	name   string
}

// ParsePath compiles a dotted field name. `\.` is a dot within a key, `\\` a backslash.
func ParsePath(name string) (Path, error) {
	if name == "" {
		return Path{}, errors.New("empty field name")
	}
	p := Path{name: name}
	var key strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\\' && i+1 < len(name):
			i++
			key.WriteByte(name[i])
		case c == '.':
			p.keys = append(p.keys, key.String())
			key.Reset()
		default:
			key.WriteByte(c)
		}
	}
	p.keys = append(p.keys, key.String())
	for _, k := range p.keys {
		if k == "" {
			return Path{}, errors.New("empty part in field name " + name)
		}
		p.quoted = append(p.quoted, string(AppendString(nil, k)))
	}
	return p, nil
}

// KeyPath makes the path of the given keys, taken literally.
func KeyPath(keys ...string) Path {
	esc := strings.NewReplacer(`\`, `\\`, `.`, `\.`)
	p := Path{keys: keys}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = esc.Replace(k)
		p.quoted = append(p.quoted, string(AppendString(nil, k)))
	}
	p.name = strings.Join(parts, ".")
	return p
}

// MustPath is ParsePath for constants; it panics on an error.
func MustPath(name string) Path {
	p, err := ParsePath(name)
	if err != nil {
		panic(err)
	}
	return p
}

// String returns the name that the path was compiled from.
func (p Path) String() string { return p.name }

// Keys returns the names of the levels, outermost first. They must not be changed.
func (p Path) Keys() []string { return p.keys }
