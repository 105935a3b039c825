package tui

// What is being typed in the last line.
const (
	promptNone = iota
	promptFilter
	promptSearch
)

// prompt is the line editor for filter and search; each has its own history.
type prompt struct {
	kind   int
	filter edit
	search edit
	fault  string // why the line was not taken
}

func (p *prompt) start(kind int, text string) {
	p.kind, p.fault = kind, ""
	p.line().open(text)
}

func (p *prompt) line() *edit {
	if p.kind == promptSearch {
		return &p.search
	}
	return &p.filter
}

// promptKey handles a key while a line is typed.
func (m *model) promptKey(name string, typed []rune) {
	p := &m.prompt
	switch name {
	case "enter":
		m.promptDone()
	case "esc", "ctrl+c":
		p.kind, p.fault = promptNone, ""
	default:
		p.fault = ""
		p.line().key(name, typed)
	}
}

func (m *model) promptDone() {
	p := &m.prompt
	text := string(p.line().text)
	if p.kind == promptFilter {
		if err := m.applyFilter(text); err != nil {
			p.fault = err.Error()
			return
		}
	} else {
		f, err := parseFilter(text)
		if err != nil {
			p.fault = err.Error()
			return
		}
		m.search = f
		if text == "" {
			m.search = nil
		}
	}
	p.line().done()
	searching := p.kind == promptSearch && m.search != nil
	p.kind = promptNone
	if searching {
		m.findNext(-1)
	}
}

// draw returns the line with a cursor, at most w cells.
func (p *prompt) draw(pal Palette, w int) string {
	l := p.line()
	label := "filter: "
	if p.kind == promptSearch {
		label = "search: "
	}
	before, under, after := clean(string(l.text[:l.at])), " ", ""
	if l.at < len(l.text) {
		under, after = clean(string(l.text[l.at:l.at+1])), clean(string(l.text[l.at+1:]))
	}
	room := w - len(label) - textWidth(under)
	if over := textWidth(before) - room + 1; over > 0 {
		before = shift(before, over)
	}
	rest := max(room-textWidth(before), 0)
	hint := ""
	if p.fault != "" {
		hint = "  " + p.fault
	} else if len(l.text) == 0 && p.kind == promptFilter {
		hint = "  severity>=high user=anna* -rule=noise source=10.0.0.0/8 \"two words\" process.name~^cmd"
	}
	tail := fit(after+hint, rest)
	if n := textWidth(after); p.fault != "" && n < rest {
		tail = after + pal.paint(styleWarn, fit(hint, rest-n))
	} else if hint != "" {
		tail = pal.paint(styleDim, tail)
	}
	return pal.paint(styleKey, label) + before + pal.paint(styleSelected, under) + tail
}
