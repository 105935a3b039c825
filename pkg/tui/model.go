package tui

import (
	"strconv"
	"time"
)

// model is the whole state of the monitor. Keys, sizes and arrivals change it; view draws it. It does no I/O: what it
// wants done outside it leaves in effects.
type model struct {
	title   string // where the alerts come from
	command string // how this view can be started again
	palette Palette
	zone    *time.Location
	local   *time.Location
	width   int
	height  int

	now     time.Time
	keep    ring
	seq     uint64
	stats   counts
	left    uint64 // alerts that were never shown though they came
	rate    rates
	sparks  [len(levels)]spark
	steps   stepIndex
	ended   bool
	endedBy error

	filter    *filter // never nil
	filterOff bool
	hidden    *filter // what the switched-off filter was
	list      list
	paused    bool
	waiting   []*row
	search    *filter // nil = none

	groups  groups
	detail  detail
	help    bool
	helpTop int
	prompt  prompt
	note    string
	noteEnd time.Time

	effects effects
}

// effects are what the program has to do for the model.
type effects struct {
	quit bool
	copy string
}

// newModel makes the state of an empty screen.
func newModel(title string, palette Palette, maxRows, maxBytes int, zone *time.Location, now time.Time) *model {
	m := &model{title: title, palette: palette, zone: zone, local: zone, now: now, width: 80, height: 24, filter: &filter{}}
	m.keep = ring{maxRows: maxRows, maxBytes: maxBytes}
	m.list.follow = true
	m.steps.byAlert = map[string][]*row{}
	m.tickSparks()
	return m
}

// arrive takes what came since the last frame.
func (m *model) arrive(a arrival) {
	m.now = a.now
	m.stats = a.stats
	m.ended, m.endedBy = a.ended, a.err
	m.rate.update(a.stats, a.now)
	m.tickSparks()
	if !m.noteEnd.IsZero() && a.now.After(m.noteEnd) {
		m.note, m.noteEnd = "", time.Time{}
	}
	for _, s := range a.steps {
		m.steps.add(s)
		m.detail.stale = true
	}
	var perLevel [len(levels)]int
	for _, r := range a.rows {
		m.seq++
		r.seq = m.seq
		perLevel[r.level]++
	}
	for i, n := range perLevel {
		if n > 0 {
			m.sparks[i].add(n)
		}
	}
	if m.paused {
		m.wait(a.rows)
		return
	}
	m.admit(a.rows)
}

// wait holds rows back while the view is paused.
func (m *model) wait(rows []*row) {
	m.waiting = append(m.waiting, rows...)
	if n := len(m.waiting) - m.keep.maxRows; n > 0 {
		m.left += uint64(n)
		m.waiting = append(m.waiting[:0:0], m.waiting[n:]...)
	}
}

// admit puts rows into memory and, where they pass the filter, into the list.
func (m *model) admit(rows []*row) {
	for _, r := range rows {
		if gone := m.keep.add(r); gone > 0 {
			m.list.forget(gone)
		}
		if m.filter.match(r) {
			m.list.append(r)
		}
	}
	if len(rows) > 0 && m.groups.on {
		m.groups.rebuild(m.list.rows)
	}
}

func (m *model) tickSparks() {
	for i := range m.sparks {
		m.sparks[i].tick(m.now)
	}
}

// setFilter takes a filter and fills the list anew; the selected alert stays selected where it passes.
func (m *model) setFilter(f *filter) {
	m.filter = f
	var rows []*row
	for _, r := range m.keep.rows {
		if f.match(r) {
			rows = append(rows, r)
		}
	}
	m.list.replace(rows)
	if m.groups.on {
		m.groups.rebuild(rows)
	}
}

// applyFilter compiles and takes what was typed.
func (m *model) applyFilter(text string) error {
	f, err := parseFilter(text)
	if err != nil {
		return err
	}
	m.filterOff, m.hidden = false, nil
	m.setFilter(f)
	return nil
}

// narrow adds a term to the filter.
func (m *model) narrow(t string) {
	text := m.filter.text
	if text != "" {
		text += " "
	}
	if err := m.applyFilter(text + t); err != nil {
		m.say(err.Error())
		return
	}
	m.prompt.filter.open(m.filter.text)
	m.prompt.filter.done()
	m.groups.on = false
}

// say shows a short message in the last line for a while.
func (m *model) say(s string) {
	m.note = clean(s)
	m.noteEnd = m.now.Add(4 * time.Second)
}

// selected is the alert under the cursor, or nil.
func (m *model) selected() *row { return m.list.selected() }

// rates are arrivals per second over the last few seconds.
type rates struct {
	at       time.Time
	from     counts
	alerts   float64
	lines    float64
	measured bool
}

func (r *rates) update(c counts, now time.Time) {
	if r.at.IsZero() {
		r.at, r.from = now, c
		return
	}
	d := now.Sub(r.at).Seconds()
	if d < 1 {
		return
	}
	r.alerts = float64(c.alerts-r.from.alerts) / d
	r.lines = float64(c.lines-r.from.lines) / d
	r.at, r.from, r.measured = now, c, true
}

// stepIndex finds what respond told about an alert; it is bounded.
type stepIndex struct {
	byAlert map[string][]*row
	order   []string
}

const maxSteps = 4096

func (s *stepIndex) add(r *row) {
	id := r.stepOf
	if len(s.byAlert[id]) == 0 {
		s.order = append(s.order, id)
	}
	if len(s.byAlert[id]) < 32 {
		s.byAlert[id] = append(s.byAlert[id], r)
	}
	if len(s.order) > maxSteps {
		delete(s.byAlert, s.order[0])
		s.order = s.order[1:]
	}
}

// count writes a number with commas.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
