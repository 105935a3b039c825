package query

import (
	_ "embed"
	"strings"

	"leat/pkg/row"
)

// Field is one thing that the views can be asked for.
type Field struct {
	Name    string `json:"name"` // dotted, as it is written in SQL
	Type    string `json:"type"` // SQL type
	Meaning string `json:"meaning"`
}

//go:embed meanings.txt
var meanings string

// Schema lists what the views have: every column, members of objects one by one.
func Schema() []Field {
	means := map[string]string{}
	for line := range strings.Lines(meanings) {
		name, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		means[name] = text
	}
	var out []Field
	add := func(name, sql string) { out = append(out, Field{name, sql, means[name]}) }
	for _, c := range row.Standard().List() {
		add(c.Field, c.Type.SQL())
	}
	add(row.Rest, row.Text.SQL())
	add("dataset", "VARCHAR")
	add("date", "DATE")
	return out
}
