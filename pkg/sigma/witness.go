package sigma

import (
	"math"
	"slices"
	"strings"
)

// never is the cost of what can't wake a rule.
const never = math.MaxFloat64

// witness is a set of predicates and fields of which one must be there for a condition to hold; with its cost: how often
// one of them will be, as far as that can be guessed.
type witness struct {
	preds []int32
	slots []int32
	cost  float64
}

func (w *witness) add(o witness) {
	if w.cost == never || o.cost == never {
		*w = witness{cost: never}
		return
	}
	w.preds, w.slots, w.cost = append(w.preds, o.preds...), append(w.slots, o.slots...), w.cost+o.cost
}

func (p *planner) present(slot int32) witness {
	return witness{slots: []int32{slot}, cost: 50}
}

// cost guesses how often events hold a predicate that the scan finds: the shorter its text and the more rules ask for
// it, the more often.
func (p *planner) cost(id int32) float64 {
	pr := &p.ix.preds[id]
	n := float64(len(pr.text)) + 0.5
	base := 1 / n
	switch pr.op {
	case opContains:
		base = 2 / n / n
		if pr.slot == keywordSlot {
			base *= 4
		}
	case opExact:
		if n < 6 {
			base = 0.3 // numbers and flags
		}
	}
	return base * (1 + math.Sqrt(float64(p.uses[id])))
}

// wake notes by what a rule becomes a candidate.
func (p *planner) wake(rule int32, w witness) {
	ix := p.ix
	if w.cost == never {
		ix.always = append(ix.always, rule)
		return
	}
	for _, q := range w.preds {
		for int(q) >= len(ix.wakes) {
			ix.wakes = append(ix.wakes, nil)
		}
		if !slices.Contains(ix.wakes[q], rule) {
			ix.wakes[q] = append(ix.wakes[q], rule)
		}
	}
	for _, s := range w.slots {
		for int(s) >= len(ix.slotWakes) {
			ix.slotWakes = append(ix.slotWakes, nil)
		}
		if !slices.Contains(ix.slotWakes[s], rule) {
			ix.slotWakes[s] = append(ix.slotWakes[s], rule)
		}
	}
}

// scanners files every predicate that a scan finds under its field.
func (p *planner) scanners() {
	ix := p.ix
	ix.marks = append(ix.marks, make([][]int32, len(ix.preds)-len(ix.marks))...)
	ix.wakes = append(ix.wakes, make([][]int32, len(ix.preds)-len(ix.wakes))...)
	ix.slotWakes = append(ix.slotWakes, make([][]int32, len(ix.fields.names)-len(ix.slotWakes))...)
	needles := make([][]gramRef, len(ix.fields.names)+1)
	ix.scan = make([]scanner, len(ix.fields.names)+1)
	for id := range ix.preds {
		pr := &ix.preds[id]
		if !pr.eager() || len(ix.marks[id]) == 0 {
			continue
		}
		at := pr.slot + 1
		if pr.op == opContains {
			if pr.slot == keywordSlot && strings.IndexByte(pr.text, valueEnd) >= 0 {
				continue // in no UTF-8 text; where values lie side by side it could seem to be
			}
			needles[at] = append(needles[at], gramRef{text: pr.text, id: int32(id)})
		} else {
			ix.scan[at].anchors.add(pr.op, pr.text, int32(id))
		}
	}
	for at, list := range needles {
		ix.scan[at].anchors.build()
		if len(list) > 0 {
			ix.scan[at].grams = newGrams(list)
		}
	}
}

// scanner is what is looked for in one field.
type scanner struct {
	anchors anchors
	grams   *grams
}

// eager tells whether the scan of the field's folded text finds the predicate.
func (p *predicate) eager() bool { return p.op <= opContains && !p.cased }
