package query_test

import (
	"strings"
	"testing"

	"leat/pkg/query"
)

// TestSchema: every column is described, can be asked for by its name, and has the type that is said.
func TestSchema(t *testing.T) {
	q := open(t, newLake(t, sample...))
	var names, want []string
	for _, f := range query.Schema() {
		if f.Meaning == "" {
			t.Errorf("%s has no meaning in meanings.txt", f.Name)
		}
		name := f.Name
		if strings.HasPrefix(name, "@") {
			name = `"` + name + `"`
		}
		names, want = append(names, name), append(want, f.Type)
	}
	_, types, _ := table(t, q, "SELECT "+strings.Join(names, ", ")+" FROM events")
	if got := strings.Split(types, " "); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("types\n%v\nwant\n%v", got, want)
	}
}
