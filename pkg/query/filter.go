package query

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"leat/pkg/lake"
)

// bounds is what the log knows of the rows of one file.
type bounds struct {
	dataset  string
	day      int64 // days since 1970
	min, max int64 // of @timestamp, in µs since 1970
	slack    int64 // µs by which times may be off
}

const (
	dayMicros = int64(24 * time.Hour / time.Microsecond)
	// now() is later when the statement runs than when it was planned. So much later, that a file that begins meanwhile is read too.
	planSlack = int64(time.Minute / time.Microsecond)
)

func boundsOf(f *lake.File) bounds {
	b := bounds{slack: planSlack, dataset: f.Dataset, min: floorDiv(f.MinTime, 1000), max: floorDiv(f.MaxTime, 1000)}
	if day, err := time.Parse(time.DateOnly, f.Date); err == nil {
		b.day = day.Unix() / 86400
	}
	return b
}

func floorDiv(a, b int64) int64 {
	if r := a % b; r < 0 {
		return a/b - 1
	}
	return a / b
}

// A filter of a plan is compiled to a function that tells whether it may be true of a row of a file, or to nil where that can't be told.
type may = func(*bounds) bool

// constant is a value in a plan.
type constant struct {
	Type struct {
		ID string `json:"id"`
	} `json:"type"`
	IsNull bool            `json:"is_null"`
	Value  json.RawMessage `json:"value"`
}

func (c *constant) text() (string, bool) {
	var s string
	return s, c.Type.ID == "VARCHAR" && !c.IsNull && json.Unmarshal(c.Value, &s) == nil
}

// micros returns a point in time in µs since 1970. Those near the ends of time, infinity among them, are none.
func (c *constant) micros() (int64, bool) {
	var n int64
	if c.IsNull || json.Unmarshal(c.Value, &n) != nil {
		return 0, false
	}
	switch c.Type.ID {
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE":
	case "DATE":
		if n < -1e7 || n > 1e7 {
			return 0, false
		}
		n *= dayMicros
	default:
		return 0, false
	}
	return n, n > -1e18 && n < 1e18
}

// tableFilter is a filter that the scan itself applies to one column.
type tableFilter struct {
	Type       string        `json:"filter_type"`
	Comparison string        `json:"comparison_type"`
	Constant   *constant     `json:"constant"`
	Values     []constant    `json:"values"`
	Children   []tableFilter `json:"child_filters"`
	Expr       *expr         `json:"expr"`
}

func (f *tableFilter) compile(column string) may {
	own := &expr{Class: "BOUND_REF"}
	switch f.Type {
	case "CONSTANT_COMPARISON":
		return compare(operand(own, func(int) string { return column }), f.Comparison, f.Constant)
	case "IN_FILTER":
		return oneOf(operand(own, func(int) string { return column }), f.Values)
	case "EXPRESSION_FILTER":
		if f.Expr != nil {
			return f.Expr.compile(func(int) string { return column })
		}
	case "CONJUNCTION_AND", "CONJUNCTION_OR":
		parts := make([]may, len(f.Children))
		for i := range f.Children {
			parts[i] = f.Children[i].compile(column)
		}
		return join(f.Type, parts)
	}
	return nil
}

// expr is an expression of a plan.
type expr struct {
	Class     string    `json:"expression_class"`
	Type      string    `json:"type"`
	Index     int       `json:"index"`
	Name      string    `json:"name"`
	Value     *constant `json:"value"`
	Left      *expr     `json:"left"`
	Right     *expr     `json:"right"`
	Child     *expr     `json:"child"`
	Children  []expr    `json:"children"`
	Input     *expr     `json:"input"`
	Lower     *expr     `json:"lower"`
	Upper     *expr     `json:"upper"`
	TryCast   bool      `json:"try_cast"`
	ReturnsAs struct {
		ID string `json:"id"`
	} `json:"return_type"`
}

func (e *expr) constant() *constant {
	if e == nil || e.Class != "BOUND_CONSTANT" {
		return nil
	}
	return e.Value
}

// compile turns e into a test of bounds; column names what its references mean.
func (e *expr) compile(column func(int) string) may {
	switch e.Class {
	case "BOUND_CONJUNCTION":
		parts := make([]may, len(e.Children))
		for i := range e.Children {
			parts[i] = e.Children[i].compile(column)
		}
		return join(e.Type, parts)
	case "BOUND_COMPARISON":
		if c := e.Right.constant(); c != nil {
			return compare(operand(e.Left, column), e.Type, c)
		}
		return compare(operand(e.Right, column), mirrored(e.Type), e.Left.constant())
	case "BOUND_BETWEEN":
		of := operand(e.Input, column)
		return join("CONJUNCTION_AND", []may{
			compare(of, "COMPARE_GREATERTHANOREQUALTO", e.Lower.constant()), compare(of, "COMPARE_LESSTHANOREQUALTO", e.Upper.constant()),
		})
	case "BOUND_OPERATOR":
		if e.Type == "COMPARE_IN" && len(e.Children) > 1 {
			return oneOf(operand(&e.Children[0], column), constants(e.Children[1:]))
		}
	case "BOUND_FUNCTION":
		if (e.Name == "prefix" || e.Name == "starts_with") && len(e.Children) == 2 && isColumn(&e.Children[0], column, "dataset") {
			if c := e.Children[1].constant(); c != nil {
				if s, ok := c.text(); ok {
					return func(b *bounds) bool { return strings.HasPrefix(b.dataset, s) }
				}
			}
		}
	}
	return nil
}

// constants returns the constants among list if all are; else nothing.
func constants(list []expr) []constant {
	var out []constant
	for i := range list {
		c := list[i].constant()
		if c == nil {
			return nil
		}
		out = append(out, *c)
	}
	return out
}

func join(kind string, parts []may) may {
	switch kind {
	case "CONJUNCTION_AND":
		parts = slices.DeleteFunc(parts, func(f may) bool { return f == nil })
		if len(parts) == 0 {
			return nil
		}
		return condition(parts).may
	case "CONJUNCTION_OR":
		if len(parts) == 0 || slices.ContainsFunc(parts, func(f may) bool { return f == nil }) {
			return nil
		}
		return func(b *bounds) bool {
			return slices.ContainsFunc(parts, func(f may) bool { return f(b) })
		}
	}
	return nil
}

func isColumn(e *expr, column func(int) string, name string) bool {
	return e != nil && e.Class == "BOUND_REF" && column(e.Index) == name
}

// side is one side of a comparison: the dataset, or a time between two, in µs.
type side struct {
	dataset bool
	within  func(*bounds) (lo, hi int64)
}

// operand reads a column, perhaps cast from one kind of time to another.
func operand(e *expr, column func(int) string) side {
	switch {
	case isColumn(e, column, "dataset"):
		return side{dataset: true}
	case isColumn(e, column, "@timestamp"):
		return side{within: func(b *bounds) (int64, int64) { return b.min - b.slack, b.max + b.slack }}
	case isColumn(e, column, "date"):
		// DuckDB itself leaves out the files of the days next to it.
		return side{within: func(b *bounds) (int64, int64) {
			off := min(b.slack, 1)
			return (b.day - off) * dayMicros, (b.day + off) * dayMicros
		}}
	case e == nil || e.Class != "BOUND_CAST" || e.TryCast:
		return side{}
	}
	from := operand(e.Child, column)
	if from.within == nil {
		return side{}
	}
	switch e.ReturnsAs.ID {
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": // of the zone UTC
		return from
	case "DATE":
		return side{within: func(b *bounds) (int64, int64) {
			lo, hi := from.within(b)
			return floorDiv(lo, dayMicros) * dayMicros, hi
		}}
	}
	return side{}
}

func mirrored(comparison string) string {
	switch comparison {
	case "COMPARE_LESSTHAN":
		return "COMPARE_GREATERTHAN"
	case "COMPARE_GREATERTHAN":
		return "COMPARE_LESSTHAN"
	case "COMPARE_LESSTHANOREQUALTO":
		return "COMPARE_GREATERTHANOREQUALTO"
	case "COMPARE_GREATERTHANOREQUALTO":
		return "COMPARE_LESSTHANOREQUALTO"
	}
	return comparison
}

func compare(of side, comparison string, c *constant) may {
	if c == nil {
		return nil
	}
	if of.dataset {
		s, ok := c.text()
		if !ok {
			return nil
		}
		return compareText(comparison, s)
	}
	t, ok := c.micros()
	if of.within == nil || !ok {
		return nil
	}
	switch comparison {
	case "COMPARE_EQUAL":
		return func(b *bounds) bool { lo, hi := of.within(b); return lo <= t && t <= hi }
	case "COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO":
		return func(b *bounds) bool { lo, _ := of.within(b); return lo <= t }
	case "COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO":
		return func(b *bounds) bool { _, hi := of.within(b); return hi >= t }
	}
	return nil
}

// compareText is for the dataset: all rows of a file have the one.
func compareText(comparison, s string) may {
	switch comparison {
	case "COMPARE_EQUAL":
		return func(b *bounds) bool { return b.dataset == s }
	case "COMPARE_LESSTHAN":
		return func(b *bounds) bool { return b.dataset < s }
	case "COMPARE_LESSTHANOREQUALTO":
		return func(b *bounds) bool { return b.dataset <= s }
	case "COMPARE_GREATERTHAN":
		return func(b *bounds) bool { return b.dataset > s }
	case "COMPARE_GREATERTHANOREQUALTO":
		return func(b *bounds) bool { return b.dataset >= s }
	}
	return nil
}

func oneOf(of side, values []constant) may {
	parts := make([]may, len(values))
	for i := range values {
		parts[i] = compare(of, "COMPARE_EQUAL", &values[i])
	}
	return join("CONJUNCTION_OR", parts)
}
