package tui

import (
	"time"
)

// columns are the widths of the table for a width of the screen; 0 = not shown.
type columns struct{ time, rule, user, host, source, message int }

func columnsFor(w int) columns {
	c := columns{time: 8}
	rest := w - 1 - c.time - 1 - 1 - 1 // marker, time, gap, letter, gap
	switch {
	case w >= 150:
		c.rule, c.user, c.host, c.source = 30, 18, 18, 15
	case w >= 110:
		c.rule, c.user, c.host, c.source = 26, 14, 14, 15
	case w >= 90:
		c.rule, c.user, c.host = 24, 14, 14
	case w >= 60:
		c.rule, c.user, c.host = 18, 11, 10
	default:
		c.rule = max(rest*2/5, 4)
	}
	for _, n := range []int{c.rule, c.user, c.host, c.source} {
		if n > 0 {
			rest -= n + 1
		}
	}
	c.message = max(rest, 0)
	return c
}

// drawKey is what a drawn row depends on; a row is drawn anew when it differs.
type drawKey struct {
	width, right int
	palette      Palette
	zone         *time.Location
	mark         bool
}

// draw returns the row's line of the table, exactly k.width cells wide.
func (r *row) draw(k drawKey, c columns) string {
	if r.drawnFor == k && r.drawn != "" {
		return r.drawn
	}
	mark := " "
	if k.mark {
		mark = k.palette.paint(styleWarn, "•")
	}
	s := mark + k.palette.paint(styleDim, r.clock(k.zone)) + " " + k.palette.paint(style(r.level), letters[r.level:r.level+1]) + " "
	s += r.cells(c, k.right, func(text string) string { return k.palette.paint(style(r.level), text) })
	r.drawn, r.drawnFor = s, k
	return s
}

// drawSelected is draw for the row under the cursor: all in reverse.
func (r *row) drawSelected(k drawKey, c columns) string {
	return k.palette.paint(styleSelected, "▸"+r.clock(k.zone)+" "+letters[r.level:r.level+1]+" "+r.cells(c, k.right, func(s string) string { return s }))
}

func (r *row) cells(c columns, right int, paintRule func(string) string) string {
	s := paintRule(fit(r.rule, c.rule))
	for _, col := range []struct {
		text string
		w    int
	}{{r.user, c.user}, {r.host, c.host}, {r.source, c.source}, {shift(r.message, right), c.message}} {
		if col.w > 0 {
			s += " " + fit(col.text, col.w)
		}
	}
	return s
}

func (r *row) clock(zone *time.Location) string {
	if r.time == 0 {
		return "--:--:--"
	}
	return time.Unix(0, r.time).In(zone).Format("15:04:05")
}

// tableHead is the line above the table.
func tableHead(p Palette, c columns, zone *time.Location) string {
	name := "TIME"
	if zone == time.UTC {
		name = "TIME UTC"
	}
	s := " " + fit(name, c.time) + " S " + fit("RULE", c.rule)
	for _, col := range []struct {
		text string
		w    int
	}{{"USER", c.user}, {"HOST", c.host}, {"SOURCE", c.source}, {"WHAT", c.message}} {
		if col.w > 0 {
			s += " " + fit(col.text, col.w)
		}
	}
	return p.paint(styleHead, s)
}
