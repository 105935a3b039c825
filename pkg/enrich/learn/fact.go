package learn

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

// fact is a compiled FactConfig. Its number is its rank: of two facts of one instant the lower number wins.
type fact struct {
	id       string // name and columns: what a snapshot knows it by
	when     []condition
	unless   []condition
	key      *expression
	cols     []int // columns of cells, alphabetical by name; -1: a column that only facts which end have
	names    []string
	from     []*expression
	person   []bool // the fact does not hold where this cell is refused
	binds    int    // place in cols of the column that says whose the key is; -1: none
	validity int64  // ns
	lasts    *expression
	ends     bool
	weak     bool
	counts   int // place in cols of the shared column; -1: none
}

type condition struct {
	path   int      // of the table's fields
	values []string // exact
	globs  []string
	any    bool // the field is there
}

// compile makes the facts of c, whose Check found nothing.
func (t *Table) compile(c *Config) error {
	who := &accounts{}
	for _, p := range c.ServiceAccounts {
		who.service = append(who.service, strings.ToLower(p))
	}
	for _, fc := range c.facts() {
		f, err := t.compileFact(&fc, who)
		if err != nil {
			return err
		}
		t.facts = append(t.facts, f)
	}
	t.byDataset = map[string][]uint16{}
	for i, f := range t.facts {
		datasets, ok := f.datasets(t.dataset)
		if !ok {
			t.anyDataset = append(t.anyDataset, uint16(i))
			continue
		}
		for _, d := range datasets {
			t.byDataset[d] = append(t.byDataset[d], uint16(i))
		}
	}
	return nil
}

func (t *Table) compileFact(fc *FactConfig, who *accounts) (*fact, error) {
	f := &fact{binds: -1, counts: -1, ends: fc.Ends, weak: fc.Weak}
	var err error
	if f.key, err = t.expression(fc.Key, who); err != nil {
		return nil, err
	}
	fixed, lasts, err := parseFor(fc.For)
	if err != nil {
		return nil, err
	}
	f.validity = int64(fixed)
	if lasts != nil {
		lasts.path = t.pathOf(lasts.field)
		f.lasts = lasts
	}
	for col := range fc.Set {
		f.names = append(f.names, col)
	}
	slices.Sort(f.names)
	for i, col := range f.names {
		x, err := t.expression(fc.Set[col], who)
		if err != nil {
			return nil, err
		}
		f.from = append(f.from, x)
		f.cols = append(f.cols, t.column(col))
		f.person = append(f.person, strings.Contains(fc.Set[col], "| person") || strings.Contains(fc.Set[col], "| machine"))
		if col == fc.Binds {
			f.binds = i
		}
		if col == t.shared.Column && !fc.Ends {
			f.counts = i
		}
	}
	if f.binds >= 0 {
		f.counts = -1 // one lease after the other is no sharing
	}
	f.id = fc.id() + "(" + strings.Join(f.names, ",") + ")"
	if f.when, err = t.conditions(fc.When); err != nil {
		return nil, err
	}
	if f.unless, err = t.conditions(fc.Unless); err != nil {
		return nil, err
	}
	return f, nil
}

// conditions compiles fields with their values.
func (t *Table) conditions(fields map[string]Names) (out []condition, err error) {
	for name, values := range fields {
		p, err := event.ParsePath(name)
		if err != nil {
			return nil, err
		}
		cond := condition{path: t.pathOf(p)}
		for _, v := range values {
			switch {
			case v == "*":
				cond.any = true
			case strings.ContainsAny(v, "*?"):
				cond.globs = append(cond.globs, v)
			default:
				cond.values = append(cond.values, v)
			}
		}
		out = append(out, cond)
	}
	// event.action and event.code before what is in the dataset's own fields.
	slices.SortFunc(out, func(a, b condition) int {
		return strings.Compare(t.fields[a.path].path.String(), t.fields[b.path].path.String())
	})
	return out, nil
}

// says tells whether e is an event that teaches the fact.
func (f *fact) says(e *event.Event, t *Table) bool {
	for i := range f.when {
		if !f.when[i].holds(t.value(e, f.when[i].path), t.condition) {
			return false
		}
	}
	for i := range f.unless {
		if f.unless[i].holds(t.value(e, f.unless[i].path), t.condition) {
			return false
		}
	}
	return true
}

// expression parses s and numbers its field.
func (t *Table) expression(s string, who *accounts) (*expression, error) {
	x, err := parseExpression(s, who)
	if err == nil {
		x.path = t.pathOf(x.field)
	}
	return x, err
}

// datasets returns those that the fact is for, and takes that condition from it; ok is false where they can't be listed.
func (f *fact) datasets(field int) ([]string, bool) {
	for i, c := range f.when {
		if c.path == field && len(c.globs) == 0 && !c.any {
			f.when = slices.Delete(f.when, i, i+1)
			return c.values, true
		}
	}
	return nil, false
}

func (c *condition) holds(v event.Value, buf []byte) bool {
	for el := range v.Elements {
		if el.Kind == event.Null {
			continue
		}
		if c.any {
			return true
		}
		text := el.Text(buf)
		for _, v := range c.values {
			if v == string(text) {
				return true
			}
		}
		for _, g := range c.globs {
			if wildcard.MatchBytes(g, text) {
				return true
			}
		}
	}
	return false
}

// appendRow appends the cells of e: for each column of the fact its length and its JSON text. ok is false where the event
// does not teach the fact.
func (f *fact) appendRow(dst []byte, e *event.Event, t *Table) (row []byte, ok bool) {
	some := false
	for i, x := range f.from {
		v := t.value(e, x.path)
		if v.Kind == event.Array {
			for el := range v.Elements {
				v = el
				break
			}
		}
		var text []byte
		got := v.Kind >= event.False && v.Kind <= event.String
		if got && len(x.steps) > 0 {
			if text, t.text, got = x.eval(v, t.text); got {
				t.cell = event.AppendString(t.cell[:0], text)
				text = t.cell
			}
		} else if got {
			text = v.Raw
			got = v.Kind != event.String || len(text) > 2
		}
		if !got && f.person[i] {
			return dst, false
		}
		if !got || len(text) > maxCell {
			text = nil
		}
		some = some || len(text) > 0
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return dst, some || len(f.from) == 0 || f.ends
}

// lasting returns for how long the fact of e holds, in ns.
func (f *fact) lasting(e *event.Event, t *Table) int64 {
	if f.lasts == nil {
		return f.validity
	}
	var text []byte
	var ok bool
	if text, t.text, ok = f.lasts.eval(t.value(e, f.lasts.path), t.text); !ok {
		return f.validity
	}
	n, ok := wholeNumber(text)
	if !ok || n == 0 {
		return f.validity
	}
	return min(n, int64(maxFor/time.Second)) * int64(time.Second)
}

// wholeNumber reads digits up to a point: a lease of 3600.0 seconds.
func wholeNumber(t []byte) (n int64, ok bool) {
	for _, c := range t {
		if c == '.' && ok {
			return n, true
		}
		if c -= '0'; c > 9 || n > 1<<40 {
			return 0, false
		}
		n, ok = n*10+int64(c), true
	}
	return n, ok
}

// cellAt returns the i-th cell of a row; empty where there is none.
func cellAt(row string, i int) string {
	for {
		n, k := uvarint(row)
		if i == 0 {
			return row[k : k+n]
		}
		row = row[k+n:]
		i--
	}
}

// uvarint reads the length before a cell: at most maxCell, so two bytes at most.
func uvarint(s string) (n, size int) {
	if s[0] < 0x80 {
		return int(s[0]), 1
	}
	return int(s[0]&0x7f) | int(s[1])<<7, 2
}
