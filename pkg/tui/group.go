package tui

import (
	"fmt"
	"slices"
	"strings"
)

// groups is the view of alerts by rule and entity.
type groups struct {
	on     bool
	all    []group
	cursor int
	top    int
}

// group is the alerts of one rule about one entity.
type group struct {
	rule, ruleID, entity string
	user, host, source   string
	level, n             int
	last                 *row
}

type groupKey struct{ rule, entity string }

// rebuild counts the rows anew. The cursor stays on its group.
func (g *groups) rebuild(rows []*row) {
	was := groupKey{}
	if g.cursor < len(g.all) {
		was = g.all[g.cursor].key()
	}
	index := map[groupKey]int{}
	g.all = g.all[:0]
	for _, r := range rows {
		k := groupKey{r.rule, r.entity()}
		i, ok := index[k]
		if !ok {
			i = len(g.all)
			index[k] = i
			g.all = append(g.all, group{rule: r.rule, ruleID: r.ruleID, entity: k.entity, user: r.user, host: r.host, source: r.source, level: levelUnknown})
		}
		x := &g.all[i]
		x.n++
		x.last = r
		if r.level != levelUnknown && (x.level == levelUnknown || r.level > x.level) {
			x.level = r.level
		}
	}
	slices.SortStableFunc(g.all, func(a, b group) int {
		if la, lb := rank(a.level), rank(b.level); la != lb {
			return lb - la
		}
		if a.n != b.n {
			return b.n - a.n
		}
		return strings.Compare(a.rule+a.entity, b.rule+b.entity)
	})
	g.cursor = max(min(g.cursor, len(g.all)-1), 0)
	for i := range g.all {
		if g.all[i].key() == was {
			g.cursor = i
		}
	}
}

func rank(level int) int {
	if level == levelUnknown {
		return -1
	}
	return level
}

func (g group) key() groupKey { return groupKey{g.rule, g.entity} }

func (g *groups) move(n int) { g.cursor = max(min(g.cursor+n, len(g.all)-1), 0) }

// term is the filter that shows the group's alerts.
func (g group) term() string {
	t := "rule=" + quote(g.rule)
	switch {
	case g.user != "" && g.host != "":
		t += " user=" + quote(g.user) + " host=" + quote(g.host)
	case g.user != "":
		t += " user=" + quote(g.user)
	case g.host != "":
		t += " host=" + quote(g.host)
	case g.source != "":
		t += " source=" + quote(g.source)
	}
	return t
}

// draw returns the lines of the view, head included.
func (g *groups) draw(m *model, w, h int) []string {
	ruleW := max((w-21)*2/5, 8)
	entityW := max((w-21)/3, 8)
	whatW := max(w-ruleW-entityW-21, 0)
	lines := []string{m.palette.paint(styleHead, fit(fmt.Sprintf(" %6s S %s %s %s %s", "COUNT", fit("RULE", ruleW), fit("WHO / WHERE", entityW), "LAST    ", fit("WHAT", whatW)), w))}
	h--
	if g.cursor < g.top {
		g.top = g.cursor
	}
	if g.cursor >= g.top+h {
		g.top = g.cursor - h + 1
	}
	g.top = max(min(g.top, len(g.all)-h), 0)
	for i := g.top; i < min(g.top+h, len(g.all)); i++ {
		x := &g.all[i]
		letter := letters[x.level : x.level+1]
		head := fmt.Sprintf("%6d ", x.n)
		tail := fit(x.rule, ruleW)
		rest := " " + fit(x.entity, entityW) + " " + x.last.clock(m.zone) + " " + fit(x.last.message, whatW)
		if i == g.cursor {
			lines = append(lines, m.palette.paint(styleSelected, fit("▸"+head+letter+" "+tail+rest, w)))
			continue
		}
		p := m.palette
		lines = append(lines, " "+head+p.paint(style(x.level), letter)+" "+p.paint(style(x.level), tail)+fit(rest, w-10-ruleW))
	}
	return lines
}
