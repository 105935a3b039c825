package parse

import (
	"time"

	"leat/pkg/event"
)

// Clock says how to read a time that does not say all: the zone of one without an offset, and what "now" is for one
// without a year.
type Clock struct {
	Zone *time.Location // nil = UTC
	Now  time.Time
}

// aheadOfNow is how far a time without a year may lie in the future before it must be last year's: clocks and zones
// differ, but December's lines are read in January.
const aheadOfNow = 36 * time.Hour

// Time reads s, the text of a time in one of the usual forms: RFC 3339; the same without an offset, or with a space;
// seconds, milliseconds, microseconds or nanoseconds since 1970 (told apart by magnitude); RFC 3164's with or without a
// year; Apache's. The result is in nanoseconds since 1970.
func (c Clock) Time(s []byte) (ns int64, ok bool) {
	if len(s) < 8 {
		return 0, false
	}
	if ns, ok := event.ParseTime(s); ok {
		return ns, true
	}
	if s[0]-'0' < 10 || s[0] == '-' {
		if ns, ok := Epoch(s); ok {
			return ns, true
		}
		if len(s) > 4 && (s[4] == '-' || s[4] == '/') {
			for _, l := range isoLayouts {
				if ns, ok := c.Layout(s, l); ok {
					return ns, true
				}
			}
			return 0, false
		}
		if len(s) > 4 && s[4] == ' ' {
			return c.Layout(s, "%Y %b %d %H:%M:%S%f")
		}
		return c.Layout(s, "%d/%b/%Y:%H:%M:%S %z")
	}
	if monthOf(s) > 0 {
		for _, l := range bsdLayouts {
			if ns, ok := c.Layout(s, l); ok {
				return ns, true
			}
		}
		return 0, false
	}
	return c.Layout(s, "%a %b %d %H:%M:%S%f %Y")
}

var (
	isoLayouts = [...]string{
		"%Y-%m-%dT%H:%M:%S%f", "%Y-%m-%d %H:%M:%S%f", "%Y-%m-%d %H:%M:%S%f %z", "%Y-%m-%dT%H:%M:%S%f%z",
		"%Y/%m/%d %H:%M:%S%f", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S%f UTC",
	}
	bsdLayouts = [...]string{"%b %d %H:%M:%S%f", "%b %d %Y %H:%M:%S%f", "%b %d %H:%M:%S%f %Y"}
)

// Epoch reads a number (with a fraction, if it counts seconds) since 1970-01-01: seconds below 1e11, milliseconds below
// 1e14, microseconds below 1e17, else nanoseconds.
func Epoch(s []byte) (ns int64, ok bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	i, whole := 0, int64(0)
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		if i == 19 {
			return 0, false
		}
		whole = whole*10 + int64(s[i]-'0')
	}
	if i == 0 {
		return 0, false
	}
	var unit int64
	switch {
	case whole < 1e11:
		unit = 1e9
	case whole < 1e14:
		unit = 1e6
	case whole < 1e17:
		unit = 1e3
	default:
		unit = 1
	}
	if whole < 0 || whole > (1<<63-1)/unit-1 {
		return 0, false
	}
	ns = whole * unit
	if i < len(s) {
		if s[i] != '.' || i+1 == len(s) {
			return 0, false
		}
		for i++; i < len(s); i++ {
			if s[i]-'0' > 9 {
				return 0, false
			}
			unit /= 10
			ns += int64(s[i]-'0') * unit
		}
	}
	if neg {
		ns = -ns
	}
	return ns, true
}

func number(s []byte) int {
	n := 0
	if len(s) == 0 {
		return -1
	}
	for _, c := range s {
		if c-'0' > 9 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// monthOf returns the month whose English abbreviation s begins with, or 0.
func monthOf(s []byte) int {
	if len(s) < 3 {
		return 0
	}
	a, b, c := s[0]|0x20, s[1]|0x20, s[2]|0x20
	for m := 0; m < 12; m++ {
		if months[3*m] == a && months[3*m+1] == b && months[3*m+2] == c {
			return m + 1
		}
	}
	return 0
}
