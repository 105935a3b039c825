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
//	list[name~host].value            the same, in whatever case the member is written
//	{first} {last}                   a text with members in it; all must be there
//	"text"                           the text itself
type source struct {
	text   string
	slot   int32 // of the record, or -1
	head   headPart
	picks  []pick
	calls  []call
	parts  []part // a text with members
	item   bool   // the element that an object is built of
	below  []string
	object *objectSource
	fills  bool // a function gives a value where there is none
}

type part struct {
	lit []byte
	src *source
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
	headRest
	headTime
	headZone
)

var headParts = map[string]headPart{
	"header.host": headHost, "header.program": headProgram, "header.pid": headPID, "header.message": headMessage,
	"header.message_id": headMessageID, "header.data": headData, "line": headLine, "rest": headRest,
	"header.time": headTime, "header.zone": headZone,
}

// compileSource reads an expression; slots are asked of p.
func (p *plan) compileSource(text string, tables map[string]*lookup) (*source, error) {
	if n := len(text); n > 2 && text[0] == '"' && text[n-1] == '"' {
		return &source{text: text, slot: -1, parts: []part{{lit: []byte(text[1 : n-1])}}}, nil
	}
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
	} else if path == "it" && p.inObject {
		s.item = true
	} else if rest, ok := strings.CutPrefix(path, "it."); ok && p.inObject {
		s.item, s.below = true, splitPath(rest)
	} else if err := s.compilePath(p, path); err != nil {
		return nil, err
	}
	for _, st := range stages[1:] {
		st = strings.TrimSpace(st)
		c, done, err := p.compileLess(st, tables)
		if !done {
			c, done, err = p.compileBeside(st, tables)
		}
		if !done {
			c, err = compileCall(st, tables)
		}
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
	keys, picks, err := parsePath(path)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("source %q has no name in front of '['", path)
	}
	s.slot, s.picks = p.slot(keys), picks
	return nil
}

// parsePath splits a.b[sel].c[sel].d into the keys in front of the first '[' and the picks behind it.
func parsePath(path string) (keys []string, picks []pick, err error) {
	for rest := path; ; {
		head, behind, more := strings.Cut(rest, "[")
		if head = strings.TrimPrefix(head, "."); head != "" {
			parsed, err := event.ParsePath(head)
			if err != nil {
				return nil, nil, err
			}
			if len(picks) == 0 {
				keys = parsed.Keys()
			} else {
				picks[len(picks)-1].path = parsed.Keys()
			}
		}
		if !more {
			return keys, picks, nil
		}
		sel, after, closed := strings.Cut(behind, "]")
		if !closed {
			return nil, nil, fmt.Errorf("source %q has '[' without ']'", path)
		}
		k := pick{index: -1}
		if sel != "" {
			if i := strings.IndexAny(sel, "=~"); i >= 0 {
				k.index, k.key, k.want, k.fold = -2, sel[:i], sel[i+1:], sel[i] == '~'
			} else if _, err := fmt.Sscanf(sel, "%d", &k.index); err != nil || k.index < 0 {
				return nil, nil, fmt.Errorf("source %q: %q is neither a number nor key=value", path, sel)
			}
		}
		picks = append(picks, k)
		rest = after
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
	case s.object != nil:
		return r.build(s.object), parse.None
	case s.item:
		v = r.itemValue(s.below)
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
	if len(s.picks) > 0 && v.kind == event.String && r.plan.noneJSON(v.b) {
		v = value{}
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
	case headTime:
		return text(r.head.Time)
	case headZone:
		return r.headerZone()
	case headRest:
		return text(r.line)
	case headLine:
		return text(r.lineName)
	}
	return value{}
}
