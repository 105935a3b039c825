package duck

import (
	"strings"
	"testing"
)

func TestParams(t *testing.T) {
	db, err := Open(t.Context(), Config{Optimizers: []string{"expression_rewriter", "filter_pushdown"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for stmt, want := range map[string]string{
		"SELECT $b, $a, $b": "a b", "SELECT 1": "", "SELECT ?, ?": "1 2", "SELECT '$a', $$ $b $$": "",
	} {
		if got, err := db.Params(t.Context(), stmt); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v", stmt, got, err)
		}
	}
	if _, err := db.Params(t.Context(), "SELECT FROM"); err == nil {
		t.Error("no error")
	}
	var s string
	rows, err := db.Query(t.Context(), "SELECT $a || current_setting('disabled_optimizers')", Named(map[string]string{"a": "'; x"})...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() || rows.Scan(&s) != nil || !strings.HasPrefix(s, "'; x") || !strings.Contains(s, "top_n") || strings.Contains(s, ",filter_pushdown") {
		t.Errorf("got %q", s)
	}
}
