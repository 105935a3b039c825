package correlate

// groups are those of a rule, by number. They lie in chunks, so that a new one never moves the others: a slice of a hundred
// thousand takes milliseconds to grow, in which no event would go on.
type groups struct {
	chunks []*[chunk]group
	n      int32
}

const chunk = 512

func (g *groups) at(i int32) *group { return &g.chunks[i/chunk][i%chunk] }

// add makes room for another and returns its number.
func (g *groups) add() int32 {
	if int(g.n) == len(g.chunks)*chunk {
		g.chunks = append(g.chunks, new([chunk]group))
	}
	g.n++
	return g.n - 1
}
