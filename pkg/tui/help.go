package tui

import "strings"

// filterHelp explains the filter's words.
var filterHelp = []string{
	`severity>=high user=anna* host=a|b`,
	`source=10.0.0.0/8 event.code=4625`,
	`"two words" rule~^ssh -rule=noise`,
	`any field; = != ~ > >= < <=; - hides`,
}

// helpKey handles a key while the help is there: it scrolls or goes away. It tells whether that was all.
func (m *model) helpKey(name string) bool {
	switch name {
	case "down", "j", "pgdown":
		m.helpTop++
	case "up", "k", "pgup":
		m.helpTop = max(m.helpTop-1, 0)
	case "q", "ctrl+c":
		return false
	default:
		m.help, m.helpTop = false, 0
	}
	return true
}

// helpLines is the overlay, made from the key map: h lines of the screen's width, in two columns where one is too long.
func (m *model) helpLines(h int) []string {
	lines := m.helpColumn(m.width)
	if len(lines) > h && m.width >= 80 {
		w := m.width / 2
		all := m.helpColumn(w)
		half := (len(all) + 1) / 2
		lines = lines[:0]
		for i := range half {
			right := pad(m.width - w)
			if half+i < len(all) {
				right = all[half+i] + pad(m.width-2*w)
			}
			lines = append(lines, all[i]+right)
		}
	}
	m.helpTop = max(min(m.helpTop, len(lines)-h), 0)
	return frame(lines[m.helpTop:min(m.helpTop+h, len(lines))], m.width, h)
}

func (m *model) helpColumn(w int) []string {
	p := m.palette
	var lines []string
	for _, s := range keymap {
		lines = append(lines, p.paint(styleHead, fit(" "+s.title, w)))
		for _, b := range s.bindings {
			lines = append(lines, p.paint(styleKey, fit("  "+strings.Join(b.keys, " "), 15))+fit(" "+b.long, w-15))
		}
	}
	lines = append(lines, p.paint(styleHead, fit(" Filter and search", w)))
	for _, l := range filterHelp {
		lines = append(lines, p.paint(styleLabel, fit("  "+l, w)))
	}
	return lines
}
