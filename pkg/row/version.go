package row

import "strings"

// Version is the number of the newest set of columns. A file of the lake says which set it has (lake.File.Columns).
const Version = 1

// added says in which version a column came. Those that are not named are there since version 1.
func added() map[string]int { return map[string]int{} }

// AsOf returns the columns of a version, or nil where this program does not know it: a file of it has columns whose values are nowhere
// else, so that reading it as if they were not there would lose them.
func AsOf(version int) *Columns {
	if version > Version {
		return nil
	}
	since := added()
	var list []Column
	for _, c := range standard() {
		if since[c.Field] <= max(version, 1) {
			list = append(list, c)
		}
	}
	c, err := Compile(list)
	if err != nil {
		panic(err) // the list is a constant, and tested
	}
	return c
}

// Expr is one column of a table and the expression that reads it from a table t.
type Expr struct{ Name, SQL string }

// Reading returns c's table as expressions on a table t that has the columns of old: those that old lacks are read from rest, which has
// what they would hold.
func (c *Columns) Reading(old *Columns) []Expr {
	var out []Expr
	for i := range c.root.members {
		m := &c.root.members[i]
		if n := old.root.find(m.name); n >= 0 && old.root.members[n].same(m) {
			out = append(out, Expr{m.name, `t."` + m.name + `"`})
		} else {
			out = append(out, Expr{m.name, m.reading(old.root, `t`, "$")})
		}
	}
	return append(out, Expr{Rest, "t." + Rest})
}

// same tells whether two columns have one SQL type.
func (m *member) same(o *member) bool {
	if (m.sub == nil) != (o.sub == nil) || m.name != o.name {
		return false
	}
	if m.sub == nil {
		return m.typ == o.typ
	}
	if len(m.sub.members) != len(o.sub.members) {
		return false
	}
	for i := range m.sub.members {
		if !m.sub.members[i].same(&o.sub.members[i]) {
			return false
		}
	}
	return true
}

// reading is the expression for m, given the level of the old columns that it is in, nil if there is none.
func (m *member) reading(old *level, prefix, path string) string {
	prefix += `."` + m.name + `"`
	path += `."` + m.name + `"`
	var o *member
	if old != nil {
		if at := old.find(m.name); at >= 0 {
			o = &old.members[at]
		}
	}
	if m.sub == nil {
		if o != nil && o.sub == nil && o.typ == m.typ {
			return prefix
		}
		return fromRest(m.typ, "'"+path+"'")
	}
	var below *level
	if o != nil {
		below = o.sub
	}
	var members []string
	for i := range m.sub.members {
		s := &m.sub.members[i]
		members = append(members, "'"+s.name+"': "+s.reading(below, prefix, path))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// fromRest reads the value at a JSON path of rest as the encoder would cast it. What it does not is NULL: an array of one, and a text
// with one of rest's escapes.
func fromRest(t Type, path string) string {
	text := "(t.rest->>" + path + ")"
	kind := "json_type(t.rest, " + path + ")"
	when := func(kinds, value string) string {
		return "CASE WHEN " + kind + " IN (" + kinds + ") THEN " + value + " END"
	}
	const numbers = "'BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT'"
	switch t {
	case Texts:
		return "CASE WHEN " + kind + " = 'ARRAY' THEN TRY_CAST(json_extract(t.rest, " + path + ") AS VARCHAR[]) " +
			"WHEN " + kind + " = 'VARCHAR' AND NOT contains(" + text + ", chr(26)) THEN [" + text + "] END"
	case Int:
		return when("'BIGINT', 'UBIGINT', 'VARCHAR'", "CASE WHEN regexp_full_match("+text+", '-?[0-9]+') THEN TRY_CAST("+text+" AS BIGINT) END")
	case Float:
		return when(numbers+", 'VARCHAR'", "CASE WHEN regexp_full_match("+text+", '[-+0-9.eE]+') THEN TRY_CAST("+text+" AS DOUBLE) END")
	case Bool:
		return when("'BOOLEAN'", "TRY_CAST("+text+" AS BOOLEAN)")
	case Time:
		return when("'VARCHAR'", "CAST(TRY_CAST("+text+" AS TIMESTAMPTZ) AS TIMESTAMP)")
	}
	return when(numbers+", 'BOOLEAN', 'VARCHAR'", "CASE WHEN NOT contains("+text+", chr(26)) THEN "+text+" END")
}
