package query

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
)

// TestLiteral: a parameter is one only where SQL has one.
func TestLiteral(t *testing.T) {
	params := map[string]string{"a": "x'y", "b": "2"}
	for in, want := range map[string]string{
		"SELECT $a":                           "SELECT 'x''y'",
		"SELECT $a, $b + $a":                  "SELECT 'x''y', '2' + 'x''y'",
		"SELECT '$a', \"$b\", $a":             "SELECT '$a', \"$b\", 'x''y'",
		"SELECT 'it''s $a' -- $b\n, $b":       "SELECT 'it''s $a' -- $b\n, '2'",
		"SELECT e'\\'$a' , $b /* $a */":       "SELECT e'\\'$a' , '2' /* $a */",
		"SELECT /* /* */ $a */ $b":            "SELECT /* /* */ $a */ '2'",
		"SELECT $$ $a $$, $b":                 "SELECT $$ $a $$, '2'",
		"SELECT $t$ $a $$ $t$, $b":            "SELECT $t$ $a $$ $t$, '2'",
		"SELECT a$a, $b":                      "SELECT a'x''y', '2'", // nothing that DuckDB takes
		"SELECT '$a":                          "SELECT '$a",
		"SELECT rest->>'$.a' WHERE x = $b::T": "SELECT rest->>'$.a' WHERE x = '2'::T",
	} {
		if got, _ := literal(in, params); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if _, found := literal("SELECT $b, $a, $b, '$c'", params); strings.Join(found, " ") != "a b" {
		t.Errorf("found %v", found)
	}
}

func TestBody(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT 1": "SELECT 1", "SELECT 1;": "SELECT 1", "SELECT 1 ; -- x\n ;": "SELECT 1", "SELECT 1 /* ; */": "SELECT 1", "SELECT ';'": "SELECT ';'",
		"SELECT 1; SELECT 2;": "SELECT 1; SELECT 2", "-- only": "", "": "", "SELECT 1 -- ;\n+ 1;": "SELECT 1 -- ;\n+ 1", "SELECT \";\"": "SELECT \";\"",
	} {
		if got := body(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzToken(f *testing.F) {
	f.Add("SELECT $a, '$b', \"c\", e'\\'' /* /* */ */ -- x\n $$ $t$ é")
	f.Fuzz(func(t *testing.T, sql string) {
		text, _ := literal(sql, map[string]string{"a": "1"})
		if !strings.Contains(sql, "$") && text != sql {
			t.Errorf("%q became %q", sql, text)
		}
		for i := 0; i < len(sql); {
			n := token(sql[i:])
			if n < 1 || i+n > len(sql) {
				t.Fatalf("a token of %d bytes at %d of %q", n, i, sql)
			}
			i += n
		}
	})
}

// FuzzReadPlan: a plan that is other than we know leaves out nothing, and breaks nothing.
func FuzzReadPlan(f *testing.F) {
	f.Add(`{"error":false,"plans":[{"type":"LOGICAL_FILTER","expressions":[{"expression_class":"BOUND_COMPARISON","type":"COMPARE_EQUAL"}],"children":[{"type":"LOGICAL_GET","names":["@timestamp"],"column_indexes":[{"index":0}],"table_filters":{"filters":[{"key":0,"value":{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL"}}]},"function_data":{"table":"events"}}]}]}`)
	f.Add(`{"plans":[{"type":"LOGICAL_GET","table_filters":{"filters":[{"key":-1,"value":{"filter_type":"EXPRESSION_FILTER","expr":{"expression_class":"BOUND_BETWEEN"}}}]}}]}`)
	f.Add(`{"plans":[{"other":{"type":"LOGICAL_GET"}}]}`)
	f.Fuzz(func(t *testing.T, plan string) {
		b := boundsOf(&lake.File{Dataset: "x", Date: "2026-11-24", MinTime: 1, MaxTime: 2})
		for _, scans := range readPlan([]byte(plan)) {
			for _, s := range scans {
				s.may(&b)
			}
		}
	})
}

func TestParams(t *testing.T) {
	q := timed(t, time.Now())
	for _, tt := range []struct {
		sql    string
		params map[string]string
		want   error
	}{
		{"SELECT $a", nil, ErrParam}, {"SELECT 1", map[string]string{"a": "1"}, ErrParam}, {"SELECT $a", map[string]string{"a": "1", "b": "2"}, ErrParam},
		{"SELECT ?", map[string]string{"1": "x"}, ErrParam}, {"SELECT $1", map[string]string{"1": "x"}, ErrParam}, {"SELECT '$a'", nil, nil},
		{"SELECT $a_1", map[string]string{"a_1": "x"}, nil},
	} {
		r, err := q.SelectWith(t.Context(), tt.sql, tt.params)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s %v: %v", tt.sql, tt.params, err)
		}
		var bad *StatementError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%s: %v is no StatementError", tt.sql, err)
		}
		if err == nil {
			_ = r.Close()
		}
	}
	// A value is a value, whatever it says; and it leaves out files as a constant does.
	stmt := `SELECT event.id FROM everything WHERE dataset = $d`
	all, s := ids(t, q, stmt, map[string]string{"d": "linux.auth"}, false)
	if n := len(s.files("everything")); n == 0 || n == len(q.files) || all == "" {
		t.Errorf("%d of %d files", n, len(q.files))
	}
	if got, _ := ids(t, q, stmt, map[string]string{"d": "' OR '1'='1"}, false); got != "" {
		t.Errorf("a value became SQL: %s", got)
	}
}

// TestManyRows: a result that comes in many chunks is whole and in order.
func TestManyRows(t *testing.T) {
	q := timed(t, time.Now())
	r, err := q.Select(t.Context(), "SELECT i, repeat('x', (i % 7)::INT * 1000) FROM range(20000, 0, -1) t(i) ORDER BY i DESC")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 20000
	for {
		row, ok, err := r.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if row[0] != strconv.Itoa(n) {
			t.Fatalf("row %s, want %d", row[0], n)
		}
		n--
	}
	if n != 0 {
		t.Errorf("%d rows are missing", n)
	}
}
