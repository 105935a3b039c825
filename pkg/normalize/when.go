package normalize

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"leat/pkg/normalize/parse"
)

// sign is one way to recognise a record: every condition in it must hold.
type sign struct {
	programs []string // globs; any
	keys     []keySign
	starts   []string // any
	contains []string // all
	match    *regexp.Regexp
	begins   func() *beginning // of match
	lines    bool              // a line pattern must match
	zeek     []string          // globs of the log's name (#path); any
	w3c      []string          // columns that #Fields must name; all
	score    int
}

type keySign struct {
	path []string
	top  int32    // number of path[0] in the index
	want []string // globs, any; "*" = there
}

// namesOnly tells whether the sign asks for nothing but names of a JSON record's own members.
func (s *sign) namesOnly() bool {
	for i := range s.keys {
		k := &s.keys[i]
		if len(k.path) > 1 || len(k.want) > 0 && !slices.Contains(k.want, "*") {
			return false
		}
	}
	return len(s.keys) > 0 && len(s.programs) == 0 && len(s.starts) == 0 && len(s.contains) == 0 && s.match == nil && !s.lines
}

// when reads one sign, or a list of them of which any will do.
func (c *compiler) when(n *yaml.Node) {
	nodes := []*yaml.Node{n}
	switch n.Kind {
	case 0:
		return
	case yaml.SequenceNode:
		nodes = n.Content
	}
	for _, e := range nodes {
		if s, ok := c.sign(e); ok {
			c.plan.signs = append(c.plan.signs, s)
		}
	}
}

func (c *compiler) sign(n *yaml.Node) (s sign, ok bool) {
	keys, vals := c.entries(n, "when")
	for i, k := range keys {
		v := vals[i]
		switch k.Value {
		case "program":
			s.programs = values(c.scalars(v, "when.program"))
			s.score += 40
		case "keys":
			names, wants := c.entries(v, "when.keys")
			for j, name := range names {
				want := values(c.scalars(wants[j], "when.keys"))
				s.keys = append(s.keys, keySign{path: splitPath(name.Value), want: want})
				s.score += 10
				if len(want) > 0 && want[0] != "*" {
					s.score += 10
				}
			}
		case "starts":
			s.starts = values(c.scalars(v, "when.starts"))
			s.score += 20 + len(strings.Join(s.starts, ""))/max(1, len(s.starts))
		case "contains":
			s.contains = values(c.scalars(v, "when.contains"))
			s.score += 10 + len(strings.Join(s.contains, ""))/2
		case "match":
			re, err := regexp.Compile(v.Value)
			if err != nil {
				c.fault(v, "when.match: %v", err)
				continue
			}
			s.match, s.begins = re, sync.OnceValue(func() *beginning { return beginningOf(v.Value) })
			s.score += 15
		case "lines":
			s.lines = true
			s.score += 12
		case "zeek":
			s.zeek = values(c.scalars(v, "when.zeek"))
			s.score += 40
		case "w3c":
			s.w3c = values(c.scalars(v, "when.w3c"))
			s.score += 10 * len(s.w3c)
		case "score":
			plus, err := strconv.Atoi(v.Value)
			if err != nil {
				c.fault(v, "when.score: expected a whole number, found %q", v.Value)
			}
			s.score += plus
		default:
			c.fault(k, "when: unknown key %q; expected program, keys, starts, contains, match, lines, zeek, w3c, score", k.Value)
		}
	}
	return s, len(keys) > 0
}

func splitPath(s string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '.':
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(out, b.String())
}

// step is one parser of the chain.
type step struct {
	kind stepKind
	from []string // path of the text; empty = the message, or the line
	into []byte   // object for what it finds; empty = the record itself
	kv   parse.KV
	csv  parse.CSV
	keys parse.Keys
	zeek parse.ZeekTSV // the mapping's own columns
}

// renamed gives the pairs that a parser found, from that cell on, the names that the mapping asks for.
func (r *runner) renamed(s *step, from int, ok bool) bool {
	if s == r.plan.nameStep {
		r.learn()
	}
	s.keys.Rename(&r.rec, from)
	return ok
}

type stepKind uint8

const (
	stepText stepKind = iota
	stepJSON
	stepKV
	stepCSV
	stepCEF
	stepLEEF
	stepLines
	stepZeek
	stepW3C
	stepWinlog
	stepSD
	stepXML
	stepAudit
)

var stepNames = map[string]stepKind{
	"text": stepText, "json": stepJSON, "kv": stepKV, "csv": stepCSV, "cef": stepCEF, "leef": stepLEEF,
	"lines": stepLines, "zeek": stepZeek, "w3c": stepW3C, "winlog": stepWinlog, "sd": stepSD, "xml": stepXML, "audit": stepAudit,
}

// parsers reads `parse: json`, {kv: {options}}, or a list of such.
func (c *compiler) parsers(n *yaml.Node, from string) {
	if n.Kind == 0 {
		return
	}
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	c.plan.steps = nil
	for i, e := range nodes {
		name, opts := e, (*yaml.Node)(nil)
		if e.Kind == yaml.MappingNode && len(e.Content) == 2 {
			name, opts = e.Content[0], e.Content[1]
		}
		kind, ok := stepNames[name.Value]
		if !ok || name.Kind != yaml.ScalarNode {
			c.fault(name, "parse: unknown parser %q; expected text, json, kv, csv, cef, leef, lines, sd, zeek, w3c, winlog, xml, audit", name.Value)
			continue
		}
		st := step{kind: kind}
		if from != "" && i == 0 {
			st.from = splitPath(from)
		}
		if opts != nil {
			c.options(&st, opts)
		}
		if kind == stepZeek {
			st.zeekColumns()
		}
		c.plan.steps = append(c.plan.steps, st)
	}
}

func (c *compiler) options(st *step, n *yaml.Node) {
	keys, vals := c.entries(n, "parse")
	for i, k := range keys {
		v := vals[i]
		char := func() byte {
			if s := v.Value; len(s) == 1 {
				return s[0]
			}
			if v.Value == `\t` {
				return '\t'
			}
			c.fault(v, "parse.%s: expected one character, found %q", k.Value, v.Value)
			return 0
		}
		switch k.Value {
		case "from":
			st.from = splitPath(v.Value)
		case "into":
			st.into = []byte(v.Value)
		case "pair":
			if len(v.Value) > 1 && v.Value != `\t` {
				st.kv.Between = []byte(v.Value)
			} else {
				st.kv.Pair = char()
			}
		case "value":
			st.kv.Value = char()
		case "separator":
			st.csv.Separator = char()
		case "columns":
			c.columns(st, v)
		case "by":
			by, err := strconv.Atoi(v.Value)
			if err != nil || by < 1 {
				c.fault(v, "parse.by: expected the number of a column, from 1, found %q", v.Value)
			}
			st.csv.By = by
		case "labels":
			st.keys.Labels = v.Value == "true"
		case "strip":
			for _, s := range c.scalars(v, "parse.strip") {
				st.keys.Strip = append(st.keys.Strip, []byte(s.Value))
			}
		default:
			c.fault(k, "parse: unknown option %q; expected from, into, pair, value, separator, columns, by, labels, strip", k.Value)
		}
	}
}

// columns reads the names of CSV columns: a list, or, where the text of a column chooses them, a list for each of its texts (several stand
// in one key, with spaces between); that of '*' stands in front of the others.
func (c *compiler) columns(st *step, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		st.csv.Columns = c.columnNames(n)
		return
	}
	st.csv.Types = map[string][][]byte{}
	keys, vals := c.entries(n, "parse.columns")
	for i, k := range keys {
		if k.Value == "*" {
			st.csv.Columns = c.columnNames(vals[i])
		}
	}
	for i, k := range keys {
		if k.Value == "*" {
			continue
		}
		names := append(slices.Clone(st.csv.Columns), c.columnNames(vals[i])...)
		for _, text := range strings.Fields(k.Value) {
			st.csv.Types[text] = names
		}
	}
}

// columnNames reads names that are separated by spaces, also over several texts.
func (c *compiler) columnNames(n *yaml.Node) (names [][]byte) {
	for _, s := range c.scalars(n, "parse.columns") {
		for _, name := range strings.Fields(s.Value) {
			names = append(names, []byte(name))
		}
	}
	return names
}
