package parse

import "bytes"

type xmlKind uint8

const (
	xmlBad xmlKind = iota
	xmlOpen
	xmlClose
	xmlText
	xmlEnd
)

// xmlToken is a tag, or the text up to the next one.
type xmlToken struct {
	kind  xmlKind
	name  []byte // without its prefix
	attrs []byte // of an opening tag, as they stand
	empty bool   // <name/>
	text  []byte
	cdata bool // text is what it says, without references
}

// xmlReader reads tokens one by one.
type xmlReader struct {
	rest     []byte
	elements int
}

var (
	xmlCommentStart, xmlCommentEnd = []byte("<!--"), []byte("-->")
	xmlDataStart, xmlDataEnd       = []byte("<![CDATA["), []byte("]]>")
	xmlInstruction, xmlInstrEnd    = []byte("<?"), []byte("?>")
	keyXMLText                     = []byte("#text")
)

// next reads a token. Comments and processing instructions are passed over.
func (x *xmlReader) next() xmlToken {
	for {
		s := x.rest
		switch {
		case len(s) == 0:
			return xmlToken{kind: xmlEnd}
		case s[0] != '<':
			end := bytes.IndexByte(s, '<')
			if end < 0 {
				end = len(s)
			}
			x.rest = s[end:]
			return xmlToken{kind: xmlText, text: s[:end]}
		case bytes.HasPrefix(s, xmlDataStart):
			end := bytes.Index(s, xmlDataEnd)
			if end < 0 {
				return xmlToken{}
			}
			x.rest = s[end+len(xmlDataEnd):]
			return xmlToken{kind: xmlText, text: s[len(xmlDataStart):end], cdata: true}
		case bytes.HasPrefix(s, xmlCommentStart):
			if !x.skip(len(xmlCommentStart), xmlCommentEnd) {
				return xmlToken{}
			}
		case bytes.HasPrefix(s, xmlInstruction):
			if !x.skip(len(xmlInstruction), xmlInstrEnd) {
				return xmlToken{}
			}
		default:
			return x.tag()
		}
	}
}

func (x *xmlReader) skip(from int, end []byte) bool {
	i := bytes.Index(x.rest[from:], end)
	if i < 0 {
		return false
	}
	x.rest = x.rest[from+i+len(end):]
	return true
}

// tag reads <name attributes>, <name/> or </name>; <!DOCTYPE and its like are none.
func (x *xmlReader) tag() xmlToken {
	s := x.rest
	t := xmlToken{kind: xmlOpen}
	i := 1
	if i < len(s) && s[i] == '/' {
		t.kind = xmlClose
		i++
	}
	start := i
	for i < len(s) && !isXMLSpace(s[i]) && s[i] != '>' && s[i] != '/' {
		if s[i] == '<' || s[i] == '!' || s[i] == '"' || s[i] == '\'' || s[i] == '&' {
			return xmlToken{}
		}
		i++
	}
	if t.name = withoutPrefix(s[start:i]); len(t.name) == 0 {
		return xmlToken{}
	}
	start = i
	quote := byte(0)
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return xmlToken{}
		case c == '>':
			t.attrs = s[start:i]
			if n := len(t.attrs); n > 0 && t.attrs[n-1] == '/' {
				t.attrs, t.empty = t.attrs[:n-1], true
			}
			t.attrs = bytes.TrimSpace(t.attrs)
			if t.kind == xmlClose && (t.empty || len(t.attrs) > 0) {
				return xmlToken{}
			}
			x.rest = s[i+1:]
			x.elements++
			return t
		}
	}
	return xmlToken{}
}

// root reads the opening tag of the document's only element.
func (x *xmlReader) root() (t xmlToken, ok bool) {
	for t = x.next(); t.kind == xmlText && len(bytes.TrimSpace(t.text)) == 0; t = x.next() {
	}
	return t, t.kind == xmlOpen
}

// ended tells whether only blanks are left.
func (x *xmlReader) ended() bool {
	t := x.next()
	for t.kind == xmlText && len(bytes.TrimSpace(t.text)) == 0 {
		t = x.next()
	}
	return t.kind == xmlEnd
}

// attribute cuts the next name="value" off attrs; ok is false where there is none, or none that is well-formed.
func attribute(attrs []byte) (name, val, rest []byte, ok bool) {
	attrs = bytes.TrimLeft(attrs, " \t\r\n")
	eq := bytes.IndexByte(attrs, '=')
	if eq <= 0 {
		return nil, nil, nil, false
	}
	name = bytes.TrimSpace(attrs[:eq])
	v := bytes.TrimLeft(attrs[eq+1:], " \t\r\n")
	if len(v) < 2 || v[0] != '"' && v[0] != '\'' || len(name) == 0 {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(v[1:], v[0])
	if end < 0 {
		return nil, nil, nil, false
	}
	return name, v[1 : end+1], v[end+2:], true
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isNamespace(attr []byte) bool { return bytes.HasPrefix(attr, []byte("xmlns")) }

func withoutPrefix(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }
