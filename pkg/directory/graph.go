package directory

import (
	"slices"
	"strings"

	"leat/pkg/event"
)

// graph answers of which groups an entry is a member: by the groups' member lists and by primary groups, at any depth.
type graph struct {
	names []string  // of the entries, by their place
	top   []bool    // the groups that rule the domain
	up    [][]int32 // the groups that each entry is directly in

	seen  []uint32 // in which walk each group was met
	walk  uint32
	stack []int32
	found []int32
	// answers are by the groups that an entry is directly in, since many have the same.
	answers map[string]*membership
}

// membership is what follows from being in certain groups.
type membership struct {
	direct, all []byte // names of the groups, sorted: JSON
	privileged  bool
}

// maxAnswers bounds what is remembered.
const maxAnswers = 1 << 16

func newGraph(n int) *graph {
	return &graph{names: make([]string, n), top: make([]bool, n), up: make([][]int32, n), seen: make([]uint32, n), answers: map[string]*membership{}}
}

// add says that the entry is a member of the group.
func (g *graph) add(entry, group int32) {
	if !slices.Contains(g.up[entry], group) {
		g.up[entry] = append(g.up[entry], group)
	}
}

// of returns the membership of an entry, nil where it is in no group. Groups that contain each other end no walk twice.
func (g *graph) of(entry int32) *membership {
	direct := g.up[entry]
	if len(direct) == 0 {
		return nil
	}
	slices.Sort(direct)
	var key strings.Builder
	for _, d := range direct {
		key.Write([]byte{byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24)})
	}
	if m := g.answers[key.String()]; m != nil {
		return m
	}
	g.walk++
	g.found, g.stack = g.found[:0], append(g.stack[:0], direct...)
	m := &membership{}
	for len(g.stack) > 0 {
		group := g.stack[len(g.stack)-1]
		g.stack = g.stack[:len(g.stack)-1]
		if g.seen[group] == g.walk {
			continue
		}
		g.seen[group] = g.walk
		g.found = append(g.found, group)
		m.privileged = m.privileged || g.top[group]
		g.stack = append(g.stack, g.up[group]...)
	}
	m.direct, m.all = g.list(direct), g.list(g.found)
	if len(g.answers) == maxAnswers {
		clear(g.answers)
	}
	g.answers[key.String()] = m
	return m
}

func (g *graph) list(places []int32) []byte {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = g.names[p]
	}
	return jsonList(names, true)
}

// jsonList is a JSON array of texts, without repetitions; nothing of none.
func jsonList(list []string, sorted bool) []byte {
	if sorted {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	var out []byte
	for _, s := range list {
		if s == "" {
			continue
		}
		if out == nil {
			out = append(out, '[')
		} else {
			out = append(out, ',')
		}
		out = event.AppendString(out, s)
	}
	if out == nil {
		return nil
	}
	return append(out, ']')
}
