package tui

import (
	"fmt"
	"strings"
)

// layout is how the screen is divided.
type layout struct {
	listRows    int // rows of the table, without its head
	listWidth   int
	detailRows  int
	detailWidth int
	side        bool
}

const (
	sideWidth = 120 // from this width on the detail stands beside the list
	minWidth  = 30
	minHeight = 6
)

func (m *model) layout() layout {
	body := max(m.height-3, 1) // header, sparklines, footer
	l := layout{listRows: max(body-1, 1), listWidth: m.width}
	switch {
	case !m.detail.open || m.groups.on:
	case m.detail.zoom || body < 8 && m.width < sideWidth:
		l.detailRows, l.detailWidth, l.listRows = body, m.width, 0
	case m.width >= sideWidth:
		l.side = true
		l.detailWidth = m.width * 45 / 100
		l.listWidth = m.width - l.detailWidth - 1
		l.detailRows = body
	default:
		l.detailWidth = m.width
		l.listRows = max((body-2)*2/5, 1)
		l.detailRows = max(body-2-l.listRows, 1)
	}
	return l
}

// view draws the screen: m.height lines of m.width cells.
func (m *model) view() string {
	if m.width < minWidth || m.height < minHeight {
		return fit("terminal too small", m.width)
	}
	lines := []string{m.header(), m.sparkline()}
	if m.help {
		lines = append(lines, m.helpLines(m.height-3)...)
	} else {
		lines = append(lines, m.body()...)
	}
	return strings.Join(append(lines, m.footer()), "\n")
}

func (m *model) body() []string {
	l := m.layout()
	if m.groups.on {
		return frame(m.groups.draw(m, m.width, m.height-3), m.width, m.height-3)
	}
	if m.detail.open && l.listRows == 0 {
		return m.detail.draw(m, l.detailWidth, l.detailRows)
	}
	list := m.tableLines(l)
	if !m.detail.open {
		return list
	}
	d := m.detail.draw(m, l.detailWidth, l.detailRows)
	if !l.side {
		return append(append(list, m.rule(l.detailWidth)), d...)
	}
	for i := range list {
		list[i] += m.palette.paint(styleDim, "│") + d[i]
	}
	return list
}

// rule is the line between list and detail.
func (m *model) rule(w int) string {
	label := " detail: tab scrolls, z zooms, enter closes "
	if m.detail.focus {
		label = " detail: j k scroll, tab goes back "
	}
	n := max(w-len(label)-2, 0)
	return m.palette.paint(styleDim, fit("──"+label+strings.Repeat("─", n), w))
}

// tableLines are the table's head and rows.
func (m *model) tableLines(l layout) []string {
	c := columnsFor(l.listWidth)
	lines := []string{tableHead(m.palette, c, m.zone)}
	rows := m.list.scroll(l.listRows)
	for i, r := range rows {
		k := drawKey{width: l.listWidth, right: m.list.right, palette: m.palette, zone: m.zone, mark: m.search != nil && m.search.match(r)}
		if m.list.top+i == m.list.cursor {
			lines = append(lines, r.drawSelected(k, c))
		} else {
			lines = append(lines, r.draw(k, c))
		}
	}
	if len(rows) == 0 {
		lines = append(lines, m.palette.paint(styleDim, fit(m.emptyText(), l.listWidth)))
	}
	return frame(lines, l.listWidth, l.listRows+1)
}

func (m *model) emptyText() string {
	switch {
	case len(m.keep.rows) > 0:
		return "  no alert passes the filter (esc clears it, f switches it off)"
	case m.ended && m.stats.lines > 0:
		return "  the input ended without an alert"
	case m.stats.lines > 0:
		return "  no alert yet in " + count(m.stats.lines) + " lines"
	}
	return "  waiting for alerts from " + m.title
}

// header says where alerts come from, how fast, and how much of them is seen.
func (m *model) header() string {
	p := m.palette
	shown, kept := uint64(len(m.list.rows)), uint64(len(m.keep.rows))
	parts := []string{rateText(m.rate.alerts) + " alerts/s", "shown " + count(shown) + " of " + count(max(m.stats.alerts, kept))}
	if left := m.left + m.stats.left; left > 0 {
		parts = append(parts, "left out "+count(left))
	}
	if m.stats.bad > 0 {
		parts = append(parts, "not JSON "+count(m.stats.bad))
	}
	if m.stats.lines > m.stats.alerts {
		parts = append(parts, rateText(m.rate.lines)+" lines/s")
	}
	if kept < m.stats.alerts {
		parts = append(parts, "kept "+count(kept))
	}
	state := "live"
	switch {
	case m.paused:
		state = "PAUSED, " + count(uint64(len(m.waiting))) + " waiting"
	case m.endedBy != nil:
		state = "ended: " + clean(m.endedBy.Error())
	case m.ended:
		state = "end of input"
	case !m.list.follow && !m.groups.on:
		state = "G follows"
		if n := len(m.list.rows) - 1 - m.list.cursor; n > 0 {
			state = count(uint64(n)) + " newer, " + state
		}
	}
	left := " leat  " + clean(m.title) + "  " + strings.Join(parts, " · ")
	right := "  " + state + " "
	room := m.width - textWidth(right)
	if room < 10 {
		return p.paint(styleBar, fit(left, m.width))
	}
	bar := p.paint(styleBar, fit(left, room))
	if m.paused || m.endedBy != nil {
		return bar + p.paint(styleSelected, right)
	}
	return bar + p.paint(styleBar, right)
}

func rateText(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 10:
		return fmt.Sprintf("%.1f", f)
	}
	return count(uint64(f + 0.5))
}

// sparkline is the second line: arrivals of the last minutes by level, gravest first.
func (m *model) sparkline() string {
	order := []int{4, 3, 2, 1, 0}
	if m.sparks[levelUnknown].total > 0 {
		order = append(order, levelUnknown)
	}
	each := m.width / len(order)
	cells := max(min(each-9, sparkCells), 3)
	var top uint32
	for i := range m.sparks {
		top = max(top, m.sparks[i].top(cells))
	}
	s, used := "", 0
	for _, i := range order {
		bar := style(i)
		if bar == styleCritical {
			bar = styleSpark
		}
		s += m.palette.paint(style(i), " "+letters[i:i+1]+" ") + m.palette.paint(bar, m.sparks[i].draw(cells, top)) + fit(" "+short(m.sparks[i].total), each-3-cells)
		used += each
	}
	return s + pad(m.width-used)
}

// short writes a number in at most five cells.
func short(n uint64) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// footer is the line being typed, a message, or the filter and the keys.
func (m *model) footer() string {
	p := m.palette
	if m.prompt.kind != promptNone {
		return m.prompt.draw(p, m.width)
	}
	if m.note != "" {
		return p.paint(styleWarn, fit(" "+m.note, m.width))
	}
	var left string
	switch {
	case m.filterOff:
		left = " filter off: " + m.hidden.text + " "
	case m.filter.text != "":
		left = " filter: " + m.filter.text + " "
	}
	if m.search != nil {
		left += " search: " + m.search.text + " "
	}
	left = clean(left)
	keys, width := m.footerKeys(m.width)
	if left == "" {
		return keys + pad(m.width-width)
	}
	if textWidth(left)+width > m.width {
		return p.paint(styleKey, fit(left, m.width-8)) + p.paint(styleDim, fit(" ? help", 8))
	}
	return p.paint(styleKey, left) + keys + pad(m.width-width-textWidth(left))
}

// footerKeys are the short hints of the key map.
func (m *model) footerKeys(room int) (s string, width int) {
	for _, sec := range keymap {
		for _, b := range sec.bindings {
			if b.short == "" {
				continue
			}
			k := b.keys[0]
			if width+len(k)+len(b.short)+3 > room {
				return s, width
			}
			s += " " + m.palette.paint(styleKey, k) + " " + m.palette.paint(styleDim, b.short) + " "
			width += len(k) + len(b.short) + 3
		}
	}
	return s, width
}
