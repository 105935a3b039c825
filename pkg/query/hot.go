package query

import (
	"fmt"
	"strings"

	"leat/internal/duck"
	"leat/pkg/persist"
	"leat/pkg/row"
)

// longLine is the length of a row above which it is read apart from the others: DuckDB's reader takes memory by its longest line.
const longLine = 1 << 20

// hotSQL is a SELECT of the rows of copied spills with the columns of cols, dataset and date.
func hotSQL(cols *row.Columns, files []persist.HotFile) string {
	var small, big []string
	longest := longLine
	for _, f := range files {
		if f.Longest > longLine {
			big, longest = append(big, f.Path), max(longest, f.Longest)
		} else {
			small = append(small, f.Path)
		}
	}
	var types, names []string
	for _, t := range cols.Table() {
		types = append(types, duck.Text(t.Name)+": "+duck.Text(t.SQL))
		names = append(names, duck.Name(t.Name))
	}
	var parts []string
	for _, g := range []struct {
		paths   []string
		longest int
	}{{small, longLine}, {big, longest}} {
		if len(g.paths) > 0 {
			parts = append(parts, fmt.Sprintf("SELECT %s, dataset, date FROM read_json(%s, columns = {%s}, format = 'newline_delimited', "+
				"compression = 'uncompressed', maximum_object_size = %d, hive_partitioning = true, hive_types = {'dataset': VARCHAR, 'date': DATE})",
				strings.Join(names, ", "), duck.List(g.paths), strings.Join(types, ", "), g.longest+64))
		}
	}
	return strings.Join(parts, " UNION ALL ")
}
