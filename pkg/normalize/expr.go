package normalize

import (
	"fmt"
	"strings"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// source is a compiled source expression: a path in the record, the functions behind it, and what to do with a list.
//
//	userIdentity.userName            a member
//	id\.orig_h                       a dot within a key
//	target[type=User].id             of a list, the element whose member type is User
//	list[0].name   list[].name       the first element; all elements
//	a | lower | before @             functions, from left to right
//	{first} {last}                   a text with members in it; all must be there
type source struct {
	text  string
	slot  int32 // of the record, or -1
	head  headPart
	picks []pick
	calls []call
	parts []part // a text with members
	fills bool   // a function gives a value where there is none
}

type part struct {
	lit []byte
	src *source
}

type pick struct {
	index int    // element number; -1 all; -2 by key
	key   string // member to compare
	want  string
	path  []string // below the element
}

type headPart uint8

const (
	headNone headPart = iota
	headHost
	headProgram
	headPID
	headMessage
	headLine
	headMessageID
	headData
)

var headParts = map[string]headPart{
	"header.host": headHost, "header.program": headProgram, "header.pid": headPID, "header.message": headMessage,
	"header.message_id": headMessageID, "header.data": headData, "line": headLine, "rest": headRest,
}
	headRest

// compileSource reads an expression; slots are asked of p.
func (p *plan) compileSource(text string, tables map[string]*lookup) (*source, error) {
	if strings.Contains(text, "{") {
		return p.compileTemplate(text, tables)
	}
	stages := splitPipe(text)
	s := &source{text: text, slot: -1}
	path := strings.TrimSpace(stages[0])
	if path == "" {
		return nil, fmt.Errorf("empty source; expected the name of a field of the record")
	}
	if h, ok := headParts[path]; ok {
		s.head = h
	} else if err := s.compilePath(p, path); err != nil {
		return nil, err
	}
	for _, st := range stages[1:] {
		c, err := compileCall(strings.TrimSpace(st), tables)
		if err != nil {
			return nil, err
		}
		s.calls = append(s.calls, c)
		s.fills = s.fills || c.onNone
	}
	return s, nil
}

func splitPipe(s string) []string {
	var out []string
	quote := byte(0)
	start := 0
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && i > 0 && s[i-1] == ' ':
			quote = c
		case c == '|':
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func (s *source) compilePath(p *plan, path string) error {
	var keys []string
	for {
		i := strings.IndexByte(path, '[')
		head := path
		if i >= 0 {
			head = path[:i]
		}
		if head = strings.TrimPrefix(head, "."); head != "" {
			parsed, err := event.ParsePath(head)
			if err != nil {
				return err
			}
			keys = parsed.Keys()
		}
		if len(s.picks) == 0 && s.slot < 0 {
			if len(keys) == 0 {
				return fmt.Errorf("source %q has no name in front of '['", path)
			}
			s.slot = p.slot(keys)
		} else if len(keys) > 0 {
			s.picks[len(s.picks)-1].path = keys
		}
		keys = nil
		if i < 0 {
			return nil
		}
		j := strings.IndexByte(path[i:], ']')
		if j < 0 {
			return fmt.Errorf("source %q has '[' without ']'", path)
		}
		k := pick{index: -1}
		if sel := path[i+1 : i+j]; sel != "" {
			if name, want, ok := strings.Cut(sel, "="); ok {
				k.index, k.key, k.want = -2, name, want
			} else if _, err := fmt.Sscanf(sel, "%d", &k.index); err != nil || k.index < 0 {
				return fmt.Errorf("source %q: %q is neither a number nor key=value", path, sel)
			}
		}
		s.picks = append(s.picks, k)
		path = path[i+j+1:]
	}
}

func (p *plan) compileTemplate(text string, tables map[string]*lookup) (*source, error) {
	s := &source{text: text, slot: -1}
	for rest := text; rest != ""; {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			s.parts = append(s.parts, part{lit: []byte(rest)})
			break
		}
		if i > 0 {
			s.parts = append(s.parts, part{lit: []byte(rest[:i])})
		}
		j := strings.IndexByte(rest[i:], '}')
		if j < 0 {
			return nil, fmt.Errorf("%q has '{' without '}'", text)
		}
		src, err := p.compileSource(rest[i+1:i+j], tables)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, part{src: src})
		rest = rest[i+j+1:]
	}
	return s, nil
}

// slot returns the number under which runs find the cell of that path.
func (p *plan) slot(keys []string) int32 {
	n := p.paths.add(keys, p.slots)
	if n == p.slots {
		p.slots++
	}
	return n
}

// read evaluates s. cell is the record's cell that the value came from, if it was consumed whole, else None.
func (r *runner) read(s *source) (v value, cell int32) {
	cell = parse.None
	switch {
	case s.parts != nil:
		return r.fill(s), parse.None
	case s.head != headNone:
		v = r.headValue(s.head)
	default:
		if cell = r.cells[s.slot]; cell != parse.None {
			v = r.cell(cell)
		}
		if v.kind == event.Missing && !s.fills {
			return value{}, parse.None
		}
	}
	for i := range s.picks {
		v = r.pick(&s.picks[i], v)
		cell = parse.None
	}
	for i := range s.calls {
		if v.kind == event.Missing || v.kind == event.Null {
			if !s.calls[i].onNone {
				return value{}, parse.None
			}
		}
		v = s.calls[i].fn(r, &s.calls[i], v)
	}
	if v.empty() {
		return value{}, parse.None
	}
	return v, cell
}

// cell is the value of the record's cell n; none where the dataset writes it for "no value".
func (r *runner) cell(n int32) value {
	c := &r.rec.Cells[n]
	if c.Kind == event.String && (!c.JSON && r.plan.isNone(c.Val) || c.JSON && r.plan.noneJSON(c.Val)) {
		return value{}
	}
	return value{b: c.Val, kind: c.Kind, json: c.JSON}
}

// fill makes the text of a template.
func (r *runner) fill(s *source) value {
	start := len(r.mem)
	for i := range s.parts {
		p := &s.parts[i]
		if p.src == nil {
			r.mem = append(r.mem, p.lit...)
			continue
		}
		mark := len(r.mem)
		v, _ := r.read(p.src)
		if v.empty() {
			r.mem = r.mem[:start]
			return value{}
		}
		t := r.textOf(v)
		// What reading appended may be the text itself; it moves down over the scratch before it.
		r.mem = append(r.mem[:mark], t...)
	}
	return text(r.mem[start:len(r.mem):len(r.mem)])
}

func (r *runner) headValue(h headPart) value {
	switch h {
	case headHost:
		return text(r.head.Host)
	case headProgram:
		return text(r.head.Program)
	case headPID:
		return text(r.head.PID)
	case headMessage:
		return text(r.head.Message)
	case headMessageID:
		return text(r.head.MessageID)
	case headData:
		return text(r.head.Data)
	case headLine:
		return text(r.lineName)
	}
	return value{}
}

// pick takes one element, or all, of a list.
func (r *runner) pick(k *pick, v value) value {
	if v.kind != event.Array && v.kind != event.Object {
		return value{}
	}
	if k.index == -1 && len(k.path) == 0 {
		return v
	}
	var found value
	all := -1
	n := 0
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		n++
		if k.index >= 0 && n-1 != k.index || k.index == -2 && !e.Member(k.key).Is(k.want) {
	case headRest:
		return text(r.line)
			return true
		}
		for _, name := range k.path {
			e = e.Member(name)
		}
		if !e.Exists() {
			return k.index != 0
		}
		if k.index != -1 {
			found = value{b: e.Raw, kind: e.Kind, json: true}
			return false
		}
		if all < 0 {
			all = len(r.mem)
			r.mem = append(r.mem, '[')
		} else {
			r.mem = append(r.mem, ',')
		}
		r.mem = append(r.mem, e.Raw...)
		return true
	})
	if all >= 0 {
		r.mem = append(r.mem, ']')
		return value{b: r.mem[all:len(r.mem):len(r.mem)], kind: event.Array, json: true}
	}
	return found
}
