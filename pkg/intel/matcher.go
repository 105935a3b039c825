package intel

import (
	"bytes"
	"net/netip"

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
	keys    []byte // canonical values of the questions
	asked   []question
	group   uint32
	touched uint64 // keeps the compiler from leaving the touch out
	text    []byte
	last    [2][]byte // texts of the event that were looked up as hosts or addresses: other fields repeat them
	out     writer
}

// question is one value to be looked up. All of an event are gathered before the first is answered: the processor then waits for their
// lines of memory at once.
type question struct {
	hash   uint64
	addr   netip.Addr // of an address: it may also be in a block
	whole  uint32     // where the event's value begins in keys,
	start  uint32     // and the part of it that is asked for;
	end    uint32     // where both end
	group  uint32     // of the questions of one group the first that has an answer counts
	target uint8
	kind   Kind
	may    bool
}

// NewMatcher returns a matcher of s.
func NewMatcher(s *Set, opt MatchOptions) *Matcher {
	m := &Matcher{set: s, opt: opt, targets: targets(opt.Related), out: newWriter(), keys: make([]byte, 0, maxValue)}
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
	m.group = 0
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
	m.answer()
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

const (
	// maxHits bounds what one event can be made to carry.
	maxHits = 64
	// maxAsked bounds the questions that wait.
	maxAsked = 64
)

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
	if len(m.asked) >= maxAsked {
		m.answer()
	}
	m.group++
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
		m.plain(i, text, hashKind(len(text)))
	case lookEmail:
		m.plain(i, text, Email)
		if at := bytes.LastIndexByte(text, '@'); at > 0 {
			m.host(i, text[at+1:])
		}
	case lookCertificate:
		m.plain(i, text, Certificate)
	case lookJA3:
		m.plain(i, text, JA3)
	}
}

// ask notes a question about the part from start of the canonical value that keys ends with.
func (m *Matcher) ask(i int, k Kind, whole, start int, a netip.Addr) {
	m.asked = append(m.asked, question{hash: m.set.index.hash(k, m.keys[start:]), addr: a, whole: uint32(whole), start: uint32(start),
		end: uint32(len(m.keys)), group: m.group, target: uint8(i), kind: k})
}

// plain asks for the value as a whole; it is false where text is none of that kind, or there are no indicators of it.
func (m *Matcher) plain(i int, text []byte, k Kind) bool {
	if !m.set.has[k] {
		return false
	}
	start := len(m.keys)
	if m.keys = AppendCanonical(m.keys, text, k); len(m.keys) == start {
		return false
	}
	m.ask(i, k, start, start, netip.Addr{})
	return true
}

// addr asks for an address; it is false where text is none.
func (m *Matcher) addr(i int, text []byte) bool {
	a, ok := parseAddr(text)
	if !ok {
		return false
	}
	start, k := len(m.keys), IPv6
	if a.Is4() {
		k = IPv4
	}
	m.keys = a.AppendTo(m.keys)
	if m.set.has[k] || m.set.has[CIDR] {
		m.ask(i, k, start, start, a)
	}
	return true
}

// host asks for a name and, unless names stand for themselves only, for those above it; it is false where text is none.
func (m *Matcher) host(i int, text []byte) bool {
	if !m.set.has[Domain] {
		return false
	}
	start := len(m.keys)
	if m.keys = AppendCanonical(m.keys, text, Domain); len(m.keys) == start {
		return false
	}
	m.ask(i, Domain, start, start, netip.Addr{})
	if m.opt.Exact {
		return true
	}
	part := start
	for dots := countDots(m.keys[start:]); dots > 1; dots-- { // a registry's name is no indicator
		part += bytes.IndexByte(m.keys[part:], '.') + 1
		m.ask(i, Domain, start, part, netip.Addr{})
	}
	return true
}

// url asks for an URL; then for its host, where the event does not name it in a field of its own.
func (m *Matcher) url(i int, text []byte) {
	named := m.values[m.domain].Kind != event.Missing && m.targets[i].field != "http.request.referrer"
	if named && !m.set.has[URL] {
		return
	}
	start := len(m.keys)
	if m.keys = AppendCanonical(m.keys, text, URL); len(m.keys) == start {
		return
	}
	if m.set.has[URL] {
		m.ask(i, URL, start, start, netip.Addr{})
	}
	if !named {
		if host := hostOf(m.keys[start:]); !m.addr(i, host) {
			m.host(i, host)
		}
	}
}

// answer looks up what was asked.
func (m *Matcher) answer() {
	s := m.set
	m.touched = 0
	for i := range m.asked {
		m.touched ^= s.filter.block(m.asked[i].hash)[0] // the lines are on their way while the first is looked at
	}
	for i := range m.asked {
		m.asked[i].may = s.filter.may(m.asked[i].hash)
	}
	answered := uint32(0)
	for i := range m.asked {
		q := &m.asked[i]
		if q.group == answered {
			continue
		}
		value := m.keys[q.start:q.end]
		row := -1
		if q.may {
			if n, ok := s.index.probe(q.hash, q.kind, value); ok {
				row = int(n)
			}
		}
		if row < 0 && s.near != nil && q.addr.IsValid() && s.near.may(q.addr) {
			row = s.blocks.Find(value, 0)
		}
		if row >= 0 {
			answered = q.group
			m.hit(int(q.target), row, m.keys[q.whole:q.end])
		}
	}
	m.asked, m.keys = m.asked[:0], m.keys[:0]
}

// hit notes a row, unless another field had it before.
func (m *Matcher) hit(i, row int, value []byte) {
	for _, h := range m.hits {
		if h.Row == row {
			return
		}
	}
	if len(m.hits) >= maxHits {
		return
	}
	at := len(m.found)
	m.found = append(m.found, value...)
	m.hits = append(m.hits, Hit{Row: row, Field: m.targets[i].field, at: at, end: len(m.found)})
}

// Value returns the event's value, in canonical form, that made a hit of the last Match.
func (m *Matcher) Value(h Hit) []byte { return m.found[h.at:h.end] }

func countDots(value []byte) int {
	n := 0
	for _, c := range value {
		if c == '.' {
			n++
		}
	}
	return n
}
