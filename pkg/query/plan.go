package query

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"leat/internal/duck"
	"leat/pkg/row"
)

// planner is a DuckDB whose tables have the views' names and columns and no rows. It tells, before anything is read, whether a statement is
// a good one and which conditions each view is read under.
type planner struct{ duck *duck.DB }

// planOptimizers are what brings a condition to the scan that it is about: WHERE through subqueries, joins and CTEs, with now() and
// arithmetic made constants. Those that change a plan by statistics would make nothing of empty tables.
var planOptimizers = [...]string{"expression_rewriter", "filter_pullup", "filter_pushdown", "cte_inlining"}

// newPlanner makes one. A statement may name files of the lake, and then needs their columns.
func newPlanner(ctx context.Context, cols *row.Columns, files []string) (*planner, error) {
	db, err := duck.Open(ctx, duck.Config{MemoryLimit: 128 << 20, Threads: 1, Files: files, Optimizers: planOptimizers[:]})
	if err != nil {
		return nil, err
	}
	p := &planner{db}
	for _, v := range views() {
		if _, err := db.Exec(ctx, "CREATE TABLE "+v.name+" AS "+empty(cols)); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("plan %s: %w", v.name, err)
		}
	}
	if err := functions(ctx, db, cols); err != nil {
		_ = db.Close()
		return nil, err
	}
	return p, nil
}

// scans are how a statement reads each view: one for each place where it is read.
type scans map[string][]viewScan

// viewScan is one reading of a view: what it asks for, and the columns of the table that it needs.
type viewScan struct {
	condition
	columns []string
}

// condition is a conjunction of filters on the columns that the log knows of each file. Where nothing is known it has none.
type condition []func(*bounds) bool

func (c condition) may(b *bounds) bool {
	for _, f := range c {
		if !f(b) {
			return false
		}
	}
	return true
}

// plan returns how stmt reads the views; nil where that can't be told, and then every file has to be read.
func (p *planner) plan(ctx context.Context, stmt string) scans {
	rows, err := p.duck.Query(ctx, "SELECT CAST(json_serialize_plan("+duck.Text(stmt)+
		// Nothing skipped: of a list of column numbers, skip_default drops the one that is 0.
		", optimize := true) AS VARCHAR)")
	if err != nil {
		return nil
	}
	defer rows.Close()
	var text string
	if !rows.Next() || rows.Scan(&text) != nil {
		return nil
	}
	return readPlan([]byte(text))
}

// node is an operator of DuckDB's logical plan, as its function json_serialize_plan says it.
type node struct {
	Type          string   `json:"type"`
	Children      []node   `json:"children"`
	Names         []string `json:"names"`
	Projection    []int    `json:"projection_ids"`
	ColumnIndexes []struct {
		Index uint64 `json:"index"`
	} `json:"column_indexes"`
	Function struct {
		Table string `json:"table"`
	} `json:"function_data"`
	Filters struct {
		Filters []struct {
			Key   int         `json:"key"`
			Value tableFilter `json:"value"`
		} `json:"filters"`
	} `json:"table_filters"`
	Expressions []expr `json:"expressions"`
}

func readPlan(text []byte) scans {
	var plan struct {
		Error bool   `json:"error"`
		Plans []node `json:"plans"`
	}
	if json.Unmarshal(text, &plan) != nil || plan.Error {
		return nil
	}
	out, seen := scans{}, 0
	for i := range plan.Plans {
		seen += out.walk(&plan.Plans[i], nil)
	}
	// Were one overlooked, its files would be missing. A string of the statement can't hold this: its quotes are escaped.
	if seen != strings.Count(string(text), `"type":"LOGICAL_GET"`) {
		return nil
	}
	return out
}

// walk notes the scans at and below n and returns their number. above is the filter right above n.
func (s scans) walk(n *node, above []expr) (gets int) {
	if n.Type == "LOGICAL_GET" {
		v := viewScan{condition: n.condition(above)}
		for _, c := range n.ColumnIndexes {
			if c.Index < uint64(len(n.Names)) {
				v.columns = append(v.columns, n.Names[c.Index])
			}
		}
		for _, f := range n.Filters.Filters {
			if f.Key >= 0 && f.Key < len(n.Names) {
				v.columns = append(v.columns, n.Names[f.Key])
			}
		}
		s[n.Function.Table] = append(s[n.Function.Table], v)
		return 1
	}
	above = nil
	if n.Type == "LOGICAL_FILTER" && len(n.Children) == 1 {
		above = n.Expressions
	}
	for i := range n.Children {
		gets += s.walk(&n.Children[i], above)
	}
	return gets
}

// condition is what a scan and the filter above it ask for.
func (n *node) condition(above []expr) condition {
	var c condition
	for _, f := range n.Filters.Filters {
		if f.Key >= 0 && f.Key < len(n.Names) {
			if may := f.Value.compile(n.Names[f.Key]); may != nil {
				c = append(c, may)
			}
		}
	}
	for i := range above {
		if may := above[i].compile(n.output); may != nil {
			c = append(c, may)
		}
	}
	return c
}

// output returns the name of a scan's output column, or "".
func (n *node) output(i int) string {
	if len(n.Projection) > 0 {
		if i < 0 || i >= len(n.Projection) {
			return ""
		}
		i = n.Projection[i]
	}
	if i < 0 || i >= len(n.ColumnIndexes) || n.ColumnIndexes[i].Index >= uint64(len(n.Names)) {
		return ""
	}
	return n.Names[n.ColumnIndexes[i].Index]
}
