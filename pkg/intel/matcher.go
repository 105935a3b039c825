package intel

import (
	"bytes"

	"leat/pkg/event"
)

// MatchOptions say how events are matched.
type MatchOptions struct {
	// Exact: a domain stands for itself only, not for the names below it.
	Exact bool
	// Related: also related.ip, related.hosts and related.hash are looked at, which repeat other fields.
	Related bool
}

// Hit is an indicator that an event has.
type Hit struct {
	Row   int    // of the set's table
	Field string // of the event
	at    int    // of its value in the matcher's memory
	end   int
}

// Matcher looks for the indicators of a Set in all usual fields of an event. It is for one goroutine, and allocates nothing for an event
// without a hit.
type Matcher struct {
	set     *Set
	opt     MatchOptions
	targets []target
	fields  *event.Fields
	domain  int // slot of url.domain
	values  []event.Value
	hits    []Hit
	found   []byte // values of the hits
	key     []byte
	text    []byte
	last    [2][]byte // texts of the event that were looked up as hosts or addresses: other fields repeat them
	out     writer
}

// NewMatcher returns a matcher of s.
func NewMatcher(s *Set, opt MatchOptions) *Matcher {
	m := &Matcher{set: s, opt: opt, targets: targets(opt.Related), out: newWriter(), key: make([]byte, 0, maxValue)}
	m.fields = event.MustFields(MatchFields(opt.Related)...)
	m.values = make([]event.Value, m.fields.Len())
	for i, t := range m.targets {
		if t.field == "url.domain" {
			m.domain = i
		}
	}
	return m
}

// Match returns the indicators that e has, in the order of the fields, each once. They are valid until the next call.
func (m *Matcher) Match(e *event.Event) []Hit {
	m.hits, m.found, m.last = m.hits[:0], m.found[:0], [2][]byte{}
	m.fields.Read(e, m.values)
	for i := range m.targets {
		v := m.values[i]
		switch v.Kind {
		case event.String:
			m.lookUp(i, v)
		case event.Array:
			m.lookUpAll(i, v)
		}
	}
	return m.hits
}

// lookUpAll is apart from Match so that the closure costs only events with lists.
func (m *Matcher) lookUpAll(i int, v event.Value) {
	for el := range v.Elements {
		if el.Kind == event.String {
			m.lookUp(i, el)
		}
	}
}

// maxHits bounds what one event can be made to carry.
const maxHits = 64

func (m *Matcher) lookUp(i int, v event.Value) {
	var text []byte
	if v.Escaped() {
		m.text = v.Text(m.text)
		text = m.text
	} else {
		text = v.Text(nil)
	}
	if len(text) == 0 || len(m.hits) >= maxHits {
		return
	}
	l := m.targets[i].look
	if l <= lookHost {
		if bytes.Equal(text, m.last[0]) || bytes.Equal(text, m.last[1]) {
			return
		}
		if (m.addr(i, text) || l == lookHost && m.host(i, text)) && !v.Escaped() {
			m.last[0], m.last[1] = text, m.last[0]
		}
		return
	}
	switch l {
	case lookURL:
		m.url(i, text)
	case lookHash:
		if k := hashKind(len(text)); k != Unknown && m.set.has[k] && m.canonical(text, k) {
			m.hit(i, m.set.find(k, m.key))
		}
	case lookEmail:
		if m.canonical(text, Email) && !m.hit(i, m.set.find(Email, m.key)) {
			m.key = m.key[bytes.LastIndexByte(m.key, '@')+1:]
			m.hit(i, m.set.findHost(m.key, !m.opt.Exact))
		}
	case lookCertificate:
		m.plain(i, text, Certificate)
	case lookJA3:
		m.plain(i, text, JA3)
	}
}

func (m *Matcher) plain(i int, text []byte, k Kind) {
	if m.set.has[k] && m.canonical(text, k) {
		m.hit(i, m.set.find(k, m.key))
	}
}

// canonical writes the canonical form to m.key; it is false where text is none of that kind.
func (m *Matcher) canonical(text []byte, k Kind) bool {
	m.key = AppendCanonical(m.key[:0], text, k)
	return len(m.key) > 0
}

// host looks up a name; it is false where text is none.
func (m *Matcher) host(i int, text []byte) bool {
	if !m.set.has[Domain] || !m.canonical(text, Domain) {
		return false
	}
	m.hit(i, m.set.findHost(m.key, !m.opt.Exact))
	return true
}

// addr looks up an address; it is false where text is none.
func (m *Matcher) addr(i int, text []byte) bool {
	a, ok := parseAddr(text)
	if !ok {
		return false
	}
	m.key = a.AppendTo(m.key[:0])
	m.hit(i, m.set.findAddr(a, m.key))
	return true
}

// url looks up an URL; its host too, where the event does not name it in a field of its own.
func (m *Matcher) url(i int, text []byte) {
	named := m.values[m.domain].Kind != event.Missing && m.targets[i].field != "http.request.referrer"
	if named && !m.set.has[URL] || !m.canonical(text, URL) || m.set.has[URL] && m.hit(i, m.set.find(URL, m.key)) {
		return
	}
	if !named {
		host := hostOf(m.key)
		if a, ok := parseAddr(host); ok {
			m.hitValue(i, m.set.findAddr(a, host), host)
		} else {
			m.hitValue(i, m.set.findHost(host, !m.opt.Exact), host)
		}
	}
}

func (m *Matcher) hit(i, row int) bool { return m.hitValue(i, row, m.key) }

// hitValue notes a row, unless another field had it before.
func (m *Matcher) hitValue(i, row int, value []byte) bool {
	if row < 0 {
		return false
	}
	for _, h := range m.hits {
		if h.Row == row {
			return true
		}
	}
	at := len(m.found)
	m.found = append(m.found, value...)
	m.hits = append(m.hits, Hit{Row: row, Field: m.targets[i].field, at: at, end: len(m.found)})
	return true
}

// Value returns the event's value, in canonical form, that made a hit of the last Match.
func (m *Matcher) Value(h Hit) []byte { return m.found[h.at:h.end] }
