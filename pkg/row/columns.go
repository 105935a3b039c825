package row

import (
	"fmt"
	"strings"
)

// Type is the type of a column.
type Type uint8

// The types.
const (
	Text  Type = iota // VARCHAR
	Texts             // VARCHAR[]
	Int               // BIGINT
	Float             // DOUBLE
	Bool              // BOOLEAN
	Time              // TIMESTAMP, in UTC, of microseconds
)

var typeNames = [...]string{Text: "VARCHAR", Texts: "VARCHAR[]", Int: "BIGINT", Float: "DOUBLE", Bool: "BOOLEAN", Time: "TIMESTAMP"}

// SQL returns the type's name in SQL.
func (t Type) SQL() string { return typeNames[t] }

// Rest is the name of the column that holds what the others can't.
const Rest = "rest"

// Column is one field of ECS that has a column of its own.
type Column struct {
	Field string // dotted name; the levels above the last are STRUCTs
	Type  Type
}

// Columns is a compiled list of columns. It is immutable.
type Columns struct {
	list []Column
	keys [][]string // of each, its field's names from the top
	root *level
}

// Standard returns the columns of version 1 of the lake: the fields that security people query, after their use in the
// mappings and rules of the field. See docs/design/columns.md.
func Standard() *Columns {
	c, err := Compile(standard())
	if err != nil {
		panic(err) // the list is a constant, and tested
	}
	return c
}

// standard is in the order in which a person reads an event.
func standard() []Column {
	var list []Column
	add := func(t Type, prefix string, names ...string) {
		for _, n := range names {
			list = append(list, Column{prefix + n, t})
		}
	}
	add(Time, "", "@timestamp")
	add(Text, "", "message")
	add(Texts, "", "tags")
	add(Text, "event.", "id", "kind", "dataset", "module", "provider", "action", "outcome", "code", "reason", "original")
	add(Texts, "event.", "category", "type")
	add(Int, "event.", "severity", "duration")
	add(Float, "event.", "risk_score")
	add(Time, "event.", "created", "ingested", "start", "end")
	add(Text, "user.", "id", "name", "domain", "email", "full_name", "department", "title")
	add(Texts, "user.", "roles")
	add(Text, "user.office.", "name", "city", "country")
	add(Text, "user.target.", "id", "name")
	add(Text, "user.effective.", "name")
	for _, side := range []string{"source.", "destination."} {
		add(Text, side, "ip", "address", "domain", "mac")
		add(Int, side, "port", "bytes", "packets")
		add(Text, side, "geo.country_iso_code", "geo.city_name")
		add(Int, side, "as.number")
		add(Text, side, "as.organization.name")
		add(Text, side, "user.name")
	}
	add(Text, "host.", "id", "name", "hostname", "domain", "function", "owner")
	add(Texts, "host.", "ip")
	add(Text, "host.", "os.type", "os.name", "office.name", "office.city", "office.country")
	for _, p := range []string{"process.", "process.parent."} {
		add(Int, p, "pid")
		add(Text, p, "entity_id", "name", "executable", "command_line")
	}
	add(Texts, "process.", "args")
	add(Text, "process.", "hash.md5", "hash.sha256")
	add(Text, "file.", "path", "name", "extension", "hash.md5", "hash.sha256")
	add(Int, "file.", "size")
	add(Text, "registry.", "path", "value")
	add(Text, "url.", "original", "full", "domain", "path", "query")
	add(Text, "user_agent.", "original", "name")
	add(Text, "http.request.", "method", "referrer")
	add(Int, "http.response.", "status_code", "body.bytes")
	add(Text, "dns.", "question.name", "question.type", "response_code")
	add(Texts, "dns.", "resolved_ip")
	add(Text, "network.", "transport", "protocol", "application", "direction", "community_id")
	add(Int, "network.", "bytes")
	add(Text, "rule.", "id", "name", "version", "description")
	add(Texts, "threat.", "tactic.id", "tactic.name", "technique.id", "technique.name")
	add(Text, "error.", "type", "message", "code")
	add(Text, "log.", "level", "file.path")
	add(Text, "cloud.", "provider", "account.id", "region", "service.name")
	add(Text, "observer.", "vendor", "product", "name")
	add(Text, "service.", "name")
	add(Texts, "related.", "ip", "user", "hosts", "hash")
	add(Text, "leat.", "stage")
	add(Bool, "leat.", "escaped")
	add(Text, "ecs.", "version")
	return list
}

// Compile checks a list of columns: no field twice, none both a value and the level of another, none called [Rest], and at
// most 64 names at one level.
func Compile(list []Column) (*Columns, error) {
	notes := map[string]note{"@timestamp": noteTime, "event.kind": noteKind, "event.dataset": noteDataset}
	c := &Columns{list: list, root: &level{}}
	if len(list) > maxColumns {
		return nil, fmt.Errorf("%d columns; at most %d are possible", len(list), maxColumns)
	}
	for number, col := range list {
		l := c.root
		keys := strings.Split(col.Field, ".")
		c.keys = append(c.keys, keys)
		for i, k := range keys {
			last := i == len(keys)-1
			at := l.find(k)
			switch {
			case k == "", strings.ContainsAny(k, `"'\\`), l == c.root && k == Rest:
				return nil, fmt.Errorf("column %q: no such name is possible", col.Field)
			case at < 0:
				if len(l.members) == maxMembers {
					return nil, fmt.Errorf("column %q: more than %d names at one level", col.Field, maxMembers)
				}
				at = l.add(k, col.Type, !last)
				l.members[at].note = notes[col.Field]
				l.members[at].column = number
			case last || l.members[at].sub == nil:
				return nil, fmt.Errorf("column %q: the field, or one above it, is a column already", col.Field)
			}
			l = l.members[at].sub
		}
	}
	c.root.index()
	return c, nil
}

// List returns the columns in order. It must not be changed.
func (c *Columns) List() []Column { return c.list }

// TopLevel is one column of the table: a field of the event's own level.
type TopLevel struct {
	Name string
	// SQL is its type, for objects a STRUCT.
	SQL string
	// Expr, if given, is an expression on a table t that makes it of older columns (see Reading).
	Expr string
}

// Table returns the columns of the table, in order: one for each name at the event's own level, and rest.
func (c *Columns) Table() []TopLevel {
	var out []TopLevel
	for i := range c.root.members {
		out = append(out, TopLevel{Name: c.root.members[i].name, SQL: c.root.members[i].sql()})
	}
	return append(out, TopLevel{Name: Rest, SQL: Text.SQL()})
}

func (m *member) sql() string {
	if m.sub == nil {
		return m.typ.SQL()
	}
	var types []string
	for i := range m.sub.members {
		s := &m.sub.members[i]
		types = append(types, `"`+s.name+`" `+s.sql())
	}
	return "STRUCT(" + strings.Join(types, ", ") + ")"
}

// maxColumns is how many columns there may be: a cell says its column in one byte.
const maxColumns = 255
