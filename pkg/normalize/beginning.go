package normalize

import (
	"regexp/syntax"
)

// maxBeginning is how many bytes of a text are looked at before a regular expression is tried.
const maxBeginning = 8

// beginning is what the first bytes of a text must be so that an anchored expression can match: for each place the bytes that may stand there.
// A look at them costs a fiftieth of a try.
type beginning []byteSet

type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

// admits is false where no text that begins as t does can match.
func (b beginning) admits(t []byte) bool {
	for i := range b {
		if i == len(t) || !b[i].has(t[i]) {
			return false
		}
	}
	return true
}

// beginningOf finds what an expression, which regexp compiles, asks of a text's first bytes. One that is not anchored asks nothing.
func beginningOf(expr string) beginning {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || prog.StartCond()&syntax.EmptyBeginText == 0 {
		return nil
	}
	var b beginning
	for at := []uint32{uint32(prog.Start)}; len(b) < maxBeginning; {
		insts, ends := reachable(prog, at)
		if ends {
			return b
		}
		var set byteSet
		wide := false
		at = at[:0]
		for _, in := range insts {
			for c := range byte(0x80) {
				if in.MatchRune(rune(c)) {
					set.add(c)
				}
			}
			wide = wide || beyondASCII(in)
			at = append(at, in.Out)
		}
		if wide {
			set[2], set[3] = ^uint64(0), ^uint64(0)
		}
		b = append(b, set)
		if wide {
			return b // a character may be several bytes: from here on places are not known
		}
	}
	return b
}

// reachable lists the instructions that read a character and may come next; ends tells that the expression may be matched before.
func reachable(prog *syntax.Prog, from []uint32) (insts []*syntax.Inst, ends bool) {
	seen := map[uint32]bool{}
	for todo := append([]uint32(nil), from...); len(todo) > 0; {
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
			todo = append(todo, in.Out) // what an empty assertion asks is left to the expression
		case syntax.InstMatch:
			return nil, true
		case syntax.InstFail:
		default:
			insts = append(insts, in)
		}
	}
	return insts, false
}

// beyondASCII tells whether an instruction may read a character that is not ASCII.
func beyondASCII(in *syntax.Inst) bool {
	if in.Op == syntax.InstRuneAny || in.Op == syntax.InstRuneAnyNotNL || syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
		return true
	}
	return len(in.Rune) == 0 || in.Rune[len(in.Rune)-1] >= 0x80
}
