package querycmd

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"

	"leat/pkg/ecs"
	"leat/pkg/query"
)

var (
	unknown = regexp.MustCompile(`(?:Referenced (?:column|table)|Could not find key|does not have a column named|Could not find column) "([^"]+)"`)
	dotted  = regexp.MustCompile(`(?:"[^"]+"|[\pL_@][\pL\pN_@]*)(?:\.(?:"[^"]+"|[\pL_][\pL\pN_]*))*`)
)

// hint adds to what DuckDB says of a name that it does not know: where in the statement it stands, if DuckDB does not show that, and
// what may have been meant.
func hint(sql, message string) string {
	m := unknown.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	at, name := find(sql, m[1])
	if at < 0 {
		return message
	}
	if !strings.Contains(message, "\nLINE ") {
		message += "\n\n" + caret(sql, at)
	}
	return message + "\n" + meant(name)
}

// find returns where in a statement the first dotted name stands of which word is a part, and the name without quotes.
func find(sql, word string) (at int, name string) {
	for _, span := range dotted.FindAllStringIndex(sql, -1) {
		name := strings.ReplaceAll(sql[span[0]:span[1]], `"`, "")
		for part := range strings.SplitSeq(name, ".") {
			if strings.EqualFold(part, word) {
				return span[0], name
			}
		}
	}
	return -1, ""
}

// caret shows a place of a statement as DuckDB does.
func caret(sql string, at int) string {
	line := strings.Count(sql[:at], "\n") + 1
	start := strings.LastIndexByte(sql[:at], '\n') + 1
	text, _, _ := strings.Cut(sql[start:], "\n")
	head := fmt.Sprintf("LINE %d: ", line)
	return head + text + "\n" + strings.Repeat(" ", len(head)+runewidth.StringWidth(sql[start:at])) + "^"
}

// meant says what a name may have been meant for. A first part may be the name of a table.
func meant(name string) string {
	_, after, _ := strings.Cut(name, ".")
	columns := map[string]bool{}
	for _, f := range query.Schema() {
		columns[f.Name] = true
	}
	for _, n := range []string{name, after} {
		if near := ecs.Nearest(n); columns[near] && n != "" {
			return "did you mean " + near + "?"
		}
	}
	if !strings.Contains(name, ".") {
		return "`leat query --schema` lists the columns"
	}
	return fmt.Sprintf("`leat query --schema` lists the columns; a field without one is in rest: rest->>'$.%s'", name)
}
