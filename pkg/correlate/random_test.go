package correlate

import (
	"math/rand/v2"
	"time"

	"leat/pkg/sigma"
)

// randomRule makes a correlation of small numbers, over seconds.
func randomRule(rnd *rand.Rand) *sigma.Correlation {
	c := &sigma.Correlation{
		Type:     sigma.CorrelationType(rnd.IntN(8)),
		Timespan: time.Duration(1+rnd.IntN(12)) * time.Second,
		Rules:    make([]sigma.Reference, 1+rnd.IntN(4)),
	}
	c.Title = "random"
	ops := []string{"gte", "gt", "lt", "lte", "eq", "neq"}
	bound := func(n int) {
		op := ops[rnd.IntN(2)]
		if rnd.IntN(3) == 0 {
			op = ops[rnd.IntN(6)]
		}
		c.Bounds = append(c.Bounds, sigma.Bound{Op: op, Value: float64(n)})
	}
	switch c.Type {
	case sigma.EventCount, sigma.ValueCount:
		bound(1 + rnd.IntN(5))
		if rnd.IntN(4) == 0 {
			bound(3 + rnd.IntN(5))
		}
	case sigma.Temporal, sigma.TemporalOrdered:
		if rnd.IntN(2) == 0 {
			c.Expr = randomExpr(rnd, len(c.Rules), 3)
		} else if rnd.IntN(2) == 0 {
			bound(1 + rnd.IntN(len(c.Rules)))
		} else {
			c.Bounds = []sigma.Bound{{Op: "gte", Value: float64(len(c.Rules))}}
		}
	case sigma.ValuePercentile:
		bound(10 + rnd.IntN(60))
	default:
		bound(rnd.IntN(30))
	}
	return c
}

func randomExpr(rnd *rand.Rand, rules, depth int) *sigma.Expr {
	if depth == 0 || rnd.IntN(3) == 0 {
		return &sigma.Expr{Ref: rnd.IntN(rules)}
	}
	x := &sigma.Expr{Op: sigma.ExprOp(1 + rnd.IntN(3))}
	if x.Op == sigma.ExprNot && rnd.IntN(2) == 0 {
		x.Op = sigma.ExprOr
	}
	n := 2
	if x.Op == sigma.ExprNot {
		n = 1
	}
	for range n {
		x.Kids = append(x.Kids, randomExpr(rnd, rules, depth-1))
	}
	return x
}
