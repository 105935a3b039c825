package intel

import (
	"strings"

	"leat/pkg/event"
)

// collector merges the records of all feeds into one entry a value. Ten million entries are few large pieces of memory without pointers.
type collector struct {
	entries []entry
	values  arena
	details []detail
	texts   texts
	feeds   sets
	index   index
	json    []byte // memory of a list's JSON
}

// entry is a value with what the record of the highest confidence says of it. Times are in seconds since 1970.
type entry struct {
	value                                   ref
	validFrom, validTo, firstSeen, lastSeen uint32
	detail                                  uint32
	feeds                                   uint32 // set of feeds that have it
	feed                                    uint16 // that of detail
	kind                                    Kind
	confidence, severity                    uint8
	tlp                                     uint8 // as tlpStrict orders them, over all feeds
}

// detail is what many indicators of a feed have in common.
type detail struct {
	reference, description, id, name, tags, provider ref
}

// texts keeps equal texts once as far as a bounded memory of them goes.
type texts struct {
	arena
	known map[string]ref
}

const maxKnown = 1 << 16

func (t *texts) add(text []byte) ref {
	if r, ok := t.known[string(text)]; ok {
		return r
	}
	r := t.arena.add(text)
	if len(t.known) < maxKnown && len(text) < 256 {
		if t.known == nil {
			t.known = map[string]ref{}
		}
		t.known[string(text)] = r
	}
	return r
}

// sets numbers sets of feeds. Set 0 is empty.
type sets struct {
	list [][]uint16
	at   map[string]uint32
}

// with returns the set that has one feed more; the order is that of coming.
func (s *sets) with(set uint32, feed uint16) uint32 {
	if s.at == nil {
		s.list, s.at = [][]uint16{nil}, map[string]uint32{"": 0}
	}
	var key strings.Builder
	for _, f := range s.list[set] {
		if f == feed {
			return set
		}
		key.WriteString(string(rune(f)))
	}
	key.WriteString(string(rune(feed)))
	n, ok := s.at[key.String()]
	if !ok {
		n = uint32(len(s.list))
		s.list = append(s.list, append(append([]uint16(nil), s.list[set]...), feed))
		s.at[key.String()] = n
	}
	return n
}

// seconds is a time as an entry has it; times before 1970 count as the first second, those behind 2106 as the last.
func seconds(ns int64) uint32 {
	if ns == 0 {
		return 0
	}
	return uint32(min(max(ns/1e9, 1), 1<<32-1))
}

// add merges a live record. value is canonical, confidence 0 to 100.
func (c *collector) add(feed uint16, value []byte, kind Kind, i *indicator, confidence int) {
	if c.index.key == nil {
		c.index.key = func(row uint32) (Kind, []byte) { return c.entries[row].kind, c.values.get(c.entries[row].value) }
	}
	row, found := c.index.find(kind, value)
	if !found {
		row = uint32(len(c.entries))
		e := entry{value: c.values.add(value), kind: kind, tlp: uint8(tlpStrict(i.tlp)) + known(i.tlp), feeds: c.feeds.with(0, feed)}
		c.fill(&e, feed, i, confidence)
		e.firstSeen, e.lastSeen = seconds(i.firstSeen), seconds(i.lastSeen)
		c.entries = append(c.entries, e)
		c.index.insert(row)
		return
	}
	e := &c.entries[row]
	e.feeds = c.feeds.with(e.feeds, feed)
	e.tlp = max(e.tlp, uint8(tlpStrict(i.tlp))+known(i.tlp))
	if last := seconds(i.lastSeen); confidence > int(e.confidence) || confidence == int(e.confidence) && last > e.lastSeen {
		c.fill(e, feed, i, confidence)
	}
	if first := seconds(i.firstSeen); first != 0 && (e.firstSeen == 0 || first < e.firstSeen) {
		e.firstSeen = first
	}
	e.lastSeen = max(e.lastSeen, seconds(i.lastSeen))
}

// known sets a marking apart from none: 0 is none, 1 is CLEAR.
func known(tlp string) uint8 {
	if tlp == "" {
		return 0
	}
	return 1
}

// fill makes i what e says.
func (c *collector) fill(e *entry, feed uint16, i *indicator, confidence int) {
	e.feed, e.confidence = feed, uint8(confidence)
	e.validFrom, e.validTo = seconds(i.validFrom), seconds(i.validTo)
	if e.severity = uint8(min(i.severity, 100)); e.severity == 0 {
		e.severity = uint8(severityOf(confidence))
	}
	d := detail{
		reference: c.text(i.reference), description: c.text(i.description), id: c.text(i.id), name: c.text(i.name),
		provider: c.text(i.provider), tags: c.tags(i.tags),
	}
	if n := len(c.details); n == 0 || c.details[n-1] != d {
		c.details = append(c.details, d)
	}
	e.detail = uint32(len(c.details) - 1)
}

// maxText bounds what is kept of a description: hostile feeds are free text.
const maxText = 2048

func (c *collector) text(s string) ref {
	if s == "" {
		return 0
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return c.texts.add([]byte(s))
}

// maxTags bounds the tags that are kept of one record.
const maxTags = 64

func (c *collector) tags(tags []string) ref {
	if len(tags) == 0 {
		return 0
	}
	c.json = append(c.json[:0], '[')
	for n, t := range tags[:min(len(tags), maxTags)] {
		if len(t) > 256 {
			t = strings.ToValidUTF8(t[:256], "")
		}
		if n > 0 {
			c.json = append(c.json, ',')
		}
		c.json = event.AppendString(c.json, t)
	}
	c.json = append(c.json, ']')
	return c.texts.add(c.json)
}
