package parse

import "time"

// Minute remembers the minute of the RFC 3164 time that was read last, because most lines are of the minute of the line before:
// only their seconds are read. It is not safe for concurrent use.
type Minute struct {
	text  [12]byte // "Jan _2 15:04"
	zone  *time.Location
	now   time.Time
	start int64
	known bool
}

// Time is c.Time(s).
func (m *Minute) Time(c Clock, s []byte) (ns int64, ok bool) {
	if len(s) != 15 || s[12] != ':' || s[13]-'0' > 5 || s[14]-'0' > 9 {
		return c.Time(s)
	}
	sec := int64(s[13]-'0')*10 + int64(s[14]-'0')
	if m.known && m.text == [12]byte(s) && m.zone == c.Zone && m.now == c.Now {
		return m.start + sec*1e9, true
	}
	if ns, ok = c.Time(s); !ok {
		return ns, ok
	}
	m.start = ns - sec*1e9
	m.text, m.zone, m.now = [12]byte(s), c.Zone, c.Now
	// Where a minute lies half within aheadOfNow, its seconds may be of different years.
	limit := c.Now.Add(aheadOfNow).UnixNano()
	m.known = limit < m.start || limit >= m.start+60e9
	return ns, true
}
