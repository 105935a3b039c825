package normalize

import (
	"regexp/syntax"
	"slices"
)

// beginning tells by the first bytes of a text that an anchored expression can't match it, which is what most texts tell of most
// expressions: a table of states, a step a byte, where a try of the expression costs twenty times as much. It says no only where the
// expression would; what it can't tell (assertions, characters that are not ASCII, what lies far behind) it leaves to the expression.
type beginning struct {
	next [][0x80]uint8 // by state and byte; empty: nothing is known
}

const (
	noMatch  = 0 // the state of a text that can't match
	perhaps  = 1 // and of one that the expression must be asked for
	startsAt = 2

	maxBeginning = 64 // bytes
	maxStates    = 40
)

// admits is false where no text that begins as t does can match.
func (b *beginning) admits(t []byte) bool {
	if len(b.next) == 0 {
		return true
	}
	t = t[:min(len(t), maxBeginning)]
	state := uint8(startsAt)
	for _, c := range t {
		if c >= 0x80 {
			return true
		}
		if state = b.next[state][c]; state <= perhaps {
			return state == perhaps
		}
	}
	return len(t) == maxBeginning
}

// beginningOf makes the table for an expression that regexp compiles. One that is not anchored asks nothing.
func beginningOf(expr string) *beginning {
	b := &beginning{}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return b
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || prog.StartCond()&syntax.EmptyBeginText == 0 {
		return b
	}
	reads := make([][2]uint64, len(prog.Inst))
	for i := range prog.Inst {
		for c := range byte(0x80) {
			if readsRune(&prog.Inst[i]) && prog.Inst[i].MatchRune(rune(c)) {
				reads[i][c>>6] |= 1 << (c & 63)
			}
		}
	}
	first := reachable(prog, []uint32{uint32(prog.Start)})
	if first == nil {
		return b
	}
	states := [][]uint32{nil, nil, first}
	b.next = make([][0x80]uint8, len(states), maxStates)
	for s := startsAt; s < len(states); s++ {
		for c := range byte(0x80) {
			var to []uint32
			for _, i := range states[s] {
				if reads[i][c>>6]>>(c&63)&1 != 0 {
					to = append(to, prog.Inst[i].Out)
				}
			}
			if to == nil {
				continue
			}
			to = reachable(prog, to)
			at := slices.IndexFunc(states[startsAt:], func(o []uint32) bool { return slices.Equal(o, to) }) + startsAt
			switch {
			case to == nil || at < startsAt && len(states) == maxStates:
				at = perhaps
			case at < startsAt:
				at = len(states)
				states, b.next = append(states, to), append(b.next, [0x80]uint8{})
			}
			b.next[s][c] = uint8(at)
		}
	}
	return b
}

// reachable lists the instructions that read a character and may come next; nil where the expression may be matched before.
func reachable(prog *syntax.Prog, from []uint32) []uint32 {
	reading := []uint32{}
	seen := map[uint32]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		switch in := &prog.Inst[n]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			todo = append(todo, in.Out) // what an assertion asks is left to the expression
		case syntax.InstMatch:
			return nil
		case syntax.InstFail:
		default:
			reading = append(reading, n)
		}
	}
	slices.Sort(reading)
	return reading
}

func readsRune(in *syntax.Inst) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}
