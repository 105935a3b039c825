package tui

import (
	"strings"
	"time"
)

// binding is what some keys do. Footer and help are made from the list.
type binding struct {
	keys  []string
	short string // for the footer; "" = not there
	long  string // for the help
	do    func(*model)
}

// section is a part of the help.
type section struct {
	title    string
	bindings []binding
}

// keymap is every key outside the line editor.
var keymap = []section{
	{"Move", []binding{
		{[]string{"down", "j"}, "", "next alert", func(m *model) { m.move(1) }},
		{[]string{"up", "k"}, "", "alert before", func(m *model) { m.move(-1) }},
		{[]string{"pgdown", "ctrl+f"}, "", "a page down", func(m *model) { m.move(m.page()) }},
		{[]string{"pgup", "ctrl+b"}, "", "a page up", func(m *model) { m.move(-m.page()) }},
		{[]string{"home", "g"}, "", "oldest alert", (*model).home},
		{[]string{"end", "G"}, "", "newest alert, and follow", (*model).end},
		{[]string{"right", "l"}, "", "text to the right", func(m *model) { m.list.right += 8 }},
		{[]string{"left", "h"}, "", "text to the left", func(m *model) { m.list.right = max(m.list.right-8, 0) }},
	}},
	{"Look", []binding{
		{[]string{"enter"}, "detail", "detail (groups: filter)", (*model).enter},
		{[]string{"tab"}, "", "scroll detail or list", (*model).toggleFocus},
		{[]string{"z"}, "", "detail, full screen", (*model).zoom},
		{[]string{"r"}, "group", "group by rule and entity", (*model).toggleGroups},
		{[]string{"t"}, "", "local time or UTC", (*model).toggleZone},
	}},
	{"Choose", []binding{
		{[]string{"/"}, "filter", "filter (up recalls)", func(m *model) { m.prompt.start(promptFilter, m.filter.text) }},
		{[]string{"f"}, "", "filter off and on", (*model).toggleFilter},
		{[]string{"x"}, "", "hide alerts of this rule", (*model).excludeRule},
		{[]string{"u"}, "", "only this user", func(m *model) { m.only("user") }},
		{[]string{"o"}, "", "only this host", func(m *model) { m.only("host") }},
		{[]string{"!"}, "", "only high and critical", func(m *model) { m.narrow("severity>=high") }},
		{[]string{"esc"}, "", "close; clear the filter", (*model).escape},
	}},
	{"Find", []binding{
		{[]string{"s"}, "search", "search; hides nothing", func(m *model) { m.prompt.start(promptSearch, "") }},
		{[]string{"n"}, "", "next match", func(m *model) { m.findNext(1) }},
		{[]string{"N"}, "", "match before", func(m *model) { m.findNext(-1) }},
	}},
	{"Do", []binding{
		{[]string{"space", "p"}, "pause", "pause; alerts wait", (*model).togglePause},
		{[]string{"y"}, "copy", "copy the alert's JSON", (*model).copyAlert},
		{[]string{"Y"}, "", "copy this view's command", (*model).copyCommand},
		{[]string{"?"}, "help", "this help", func(m *model) { m.help = !m.help }},
		{[]string{"q", "ctrl+c"}, "quit", "quit", func(m *model) { m.effects.quit = true }},
	}},
}

// key handles one key: its name (as the terminal library calls it; space for a space), or typed text.
func (m *model) key(name string, typed []rune) {
	if m.prompt.kind != promptNone {
		m.promptKey(name, typed)
		return
	}
	if m.help && m.helpKey(name) {
		return
	}
	for _, s := range keymap {
		for _, b := range s.bindings {
			for _, k := range b.keys {
				if k == name {
					b.do(m)
					return
				}
			}
		}
	}
}

func (m *model) page() int { return max(m.layout().listRows-1, 1) }

func (m *model) move(n int) {
	switch {
	case m.detail.open && m.detail.focus:
		m.detail.top = max(m.detail.top+n, 0)
	case m.groups.on:
		m.groups.move(n)
	default:
		m.list.move(n)
	}
}

func (m *model) home() {
	switch {
	case m.detail.open && m.detail.focus:
		m.detail.top = 0
	case m.groups.on:
		m.groups.cursor = 0
	default:
		m.list.home()
	}
}

func (m *model) end() {
	switch {
	case m.detail.open && m.detail.focus:
		m.detail.top = 1 << 30 // the view stops at the end
	case m.groups.on:
		m.groups.cursor = max(len(m.groups.all)-1, 0)
	default:
		m.list.end()
	}
}

func (m *model) enter() {
	if m.groups.on {
		if m.groups.cursor < len(m.groups.all) {
			m.narrow(m.groups.all[m.groups.cursor].term())
		}
		return
	}
	m.detail.open = !m.detail.open
	m.detail.focus, m.detail.zoom = false, false
}

func (m *model) toggleFocus() {
	if m.detail.open {
		m.detail.focus = !m.detail.focus
	}
}

func (m *model) zoom() {
	m.detail.zoom = !m.detail.zoom
	m.detail.open = m.detail.open || m.detail.zoom
	m.detail.focus = m.detail.zoom
}

func (m *model) toggleGroups() {
	m.groups.on = !m.groups.on
	m.detail.open = false
	if m.groups.on {
		m.groups.rebuild(m.list.rows)
	}
}

func (m *model) toggleZone() {
	if m.zone == time.UTC {
		m.zone = m.local
	} else {
		m.zone = time.UTC
	}
}

func (m *model) toggleFilter() {
	switch {
	case m.filterOff:
		f := m.hidden
		m.filterOff, m.hidden = false, nil
		m.setFilter(f)
	case m.filter.text != "":
		m.filterOff, m.hidden = true, m.filter
		m.setFilter(&filter{})
	default:
		m.say("no filter; / types one")
	}
}

func (m *model) excludeRule() {
	if r := m.selected(); r != nil {
		m.narrow("-rule=" + quote(r.rule))
	}
}

func (m *model) only(field string) {
	r := m.selected()
	if r == nil {
		return
	}
	v := r.user
	if field == "host" {
		v = r.host
	}
	if v == "" {
		m.say("this alert names no " + field)
		return
	}
	m.narrow(field + "=" + quote(v))
}

func (m *model) escape() {
	switch {
	case m.detail.open:
		m.detail.open, m.detail.focus, m.detail.zoom = false, false, false
	case m.groups.on:
		m.groups.on = false
	case m.search != nil:
		m.search = nil
	case m.filter.text != "" || m.filterOff:
		m.filterOff, m.hidden = false, nil
		m.setFilter(&filter{})
	}
}

func (m *model) findNext(step int) {
	switch {
	case m.search == nil:
		m.say("no search; s begins one")
	case !m.list.find(m.search, step):
		m.say("not found: " + m.search.text)
	}
}

func (m *model) togglePause() {
	m.paused = !m.paused
	if !m.paused {
		rows := m.waiting
		m.waiting = nil
		m.admit(rows)
	}
}

// maxCopy is what terminals take by OSC 52 in practice, in bytes before base64.
const maxCopy = 74_000

func (m *model) copyAlert() {
	r := m.selected()
	if r == nil {
		return
	}
	if len(r.raw) > maxCopy {
		m.say("too long for the clipboard: " + count(uint64(len(r.raw))) + " bytes")
		return
	}
	m.effects.copy = string(r.raw)
	m.say("copied " + count(uint64(len(r.raw))) + " bytes (if the terminal takes OSC 52)")
}

func (m *model) copyCommand() {
	m.effects.copy = m.viewCommand()
	m.say("copied: " + m.effects.copy)
}

// viewCommand is the shell command that opens this view again.
func (m *model) viewCommand() string {
	if m.filter.text == "" {
		return m.command
	}
	return m.command + " --filter '" + strings.ReplaceAll(m.filter.text, "'", `'\''`) + "'"
}
