package parse

import (
	"fmt"
	"strings"
	"time"
)

// layoutDirectives are the strptime directives that a layout may use, as CheckLayout tells them.
const layoutDirectives = "%Y %y %m %d %e %b %B %a %A %j %H %I %M %S %f %p %z %Z %s %T %F %n %%"

// CheckLayout tells what is wrong with a strptime layout.
func CheckLayout(layout string) error {
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			continue
		}
		i++
		if i == len(layout) || !strings.Contains("YymdebBaAjHIMSfpzZsTFn%", string(layout[i])) {
			return fmt.Errorf("time layout %q: unknown directive at byte %d; expected %s", layout, i-1, layoutDirectives)
		}
	}
	return nil
}

// broken is a time in parts.
type broken struct {
	year, month, day, hour, min, sec, yday int
	ns                                     int
	pm, hasPM, hasYear, hasZone            bool
	offset                                 int
}

// Layout reads s by a strptime layout: the whole of s. %f takes an optional fraction with its point; %d also a day with a
// leading space; %z an offset as +hhmm, +hh:mm, +hh or Z; %Z a zone's abbreviation, of which those count that mean one offset only (CET, not
// IST), and UTC or GMT with an offset behind it.
func (c Clock) Layout(s []byte, layout string) (ns int64, ok bool) {
	var b broken
	b.day, b.month = 1, 1
	for i := 0; i < len(layout); i++ {
		d := layout[i]
		if d != '%' {
			if d == ' ' {
				if len(s) == 0 || s[0] != ' ' {
					return 0, false
				}
				for len(s) > 0 && s[0] == ' ' {
					s = s[1:]
				}
				continue
			}
			if len(s) == 0 || s[0] != d {
				return 0, false
			}
			s = s[1:]
			continue
		}
		i++
		if i == len(layout) {
			return 0, false
		}
		if s, ok = b.read(s, layout[i]); !ok {
			return 0, false
		}
	}
	if len(s) > 0 {
		return 0, false
	}
	return c.join(&b)
}

func (c Clock) join(b *broken) (int64, bool) {
	if b.hasPM {
		if b.hour > 12 {
			return 0, false
		}
		b.hour %= 12
		if b.pm {
			b.hour += 12
		}
	}
	zone := c.Zone
	if zone == nil || b.hasZone {
		zone = time.UTC
	}
	year := b.year
	if !b.hasYear {
		year = c.Now.In(zone).Year()
	}
	if b.month < 1 || b.month > 12 || b.day < 1 || b.hour > 23 || b.min > 59 || b.sec > 60 || year < 1678 || year > 2261 {
		return 0, false
	}
	if b.yday > 0 {
		b.month, b.day = 1, b.yday
	} else if b.day > daysIn(year, b.month) {
		if b.hasYear || b.month != 2 || b.day != 29 {
			return 0, false
		}
		// A leap day without a year is of the last leap year.
		for year--; daysIn(year, 2) < 29; year-- {
		}
	}
	t := time.Date(year, time.Month(b.month), b.day, b.hour, b.min, b.sec, b.ns, zone)
	if !b.hasYear && t.Sub(c.Now) > aheadOfNow {
		t = time.Date(year-1, time.Month(b.month), b.day, b.hour, b.min, b.sec, b.ns, zone)
	}
	return t.UnixNano() - int64(b.offset)*1e9, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// read takes what directive d wants from s.
func (b *broken) read(s []byte, d byte) (rest []byte, ok bool) {
	switch d {
	case 'Y':
		b.year, s, ok = digits(s, 4, 4)
		b.hasYear = true
	case 'y':
		b.year, s, ok = digits(s, 2, 2)
		b.hasYear = true
		if b.year += 2000; b.year >= 2069 {
			b.year -= 100
		}
	case 'm':
		b.month, s, ok = digits(s, 1, 2)
	case 'd', 'e':
		if len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		b.day, s, ok = digits(s, 1, 2)
	case 'j':
		b.yday, s, ok = digits(s, 1, 3)
	case 'H', 'I':
		b.hour, s, ok = digits(s, 1, 2)
	case 'M':
		b.min, s, ok = digits(s, 2, 2)
	case 'S':
		b.sec, s, ok = digits(s, 2, 2)
	case 'f':
		s, ok = b.fraction(s)
	case 'b', 'B':
		if b.month = monthOf(s); b.month > 0 {
			s, ok = letters(s), true
		}
	case 'a', 'A':
		n := len(s)
		s = letters(s)
		ok = len(s) < n
	case 'p':
		if len(s) > 1 && s[1]|0x20 == 'm' && (s[0]|0x20 == 'a' || s[0]|0x20 == 'p') {
			b.hasPM, b.pm = true, s[0]|0x20 == 'p'
			s, ok = s[2:], true
		}
	case 'z', 'Z':
		s, ok = b.zone(s, d == 'Z')
	case 'T', 'F', 's', 'n', '%':
		return b.readMore(s, d)
	}
	return s, ok
}

func (b *broken) readMore(s []byte, d byte) (rest []byte, ok bool) {
	parts := ""
	switch d {
	case '%':
		return s[min(1, len(s)):], len(s) > 0 && s[0] == '%'
	case 'n':
		n := len(s)
		for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
			s = s[1:]
		}
		return s, len(s) < n
	case 's':
		i := 0
		for i < len(s) && s[i]-'0' < 10 {
			i++
		}
		ns, ok := Epoch(s[:i])
		if !ok {
			return s, false
		}
		t := time.Unix(0, ns).UTC()
		b.year, b.month, b.day, b.hour, b.min, b.sec, b.ns = t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()
		b.hasYear, b.hasZone = true, true
		return s[i:], true
	case 'T':
		parts = "H:M:S"
	case 'F':
		parts = "Y-m-d"
	}
	for i := range len(parts) {
		if p := parts[i]; p == ':' || p == '-' {
			if len(s) == 0 || s[0] != p {
				return s, false
			}
			s = s[1:]
		} else if s, ok = b.read(s, p); !ok {
			return s, false
		}
	}
	return s, true
}

func (b *broken) fraction(s []byte) ([]byte, bool) {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' {
		return s, true
	}
	i, scale := 1, 100_000_000
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		b.ns += int(s[i]-'0') * scale
		scale /= 10
	}
	return s[i:], i > 1
}

func (b *broken) zone(s []byte, names bool) ([]byte, bool) {
	if len(s) > 0 && s[0] == 'Z' {
		b.hasZone = true
		return s[1:], true
	}
	if names {
		rest := letters(s)
		name := s[:len(s)-len(rest)]
		if string(name) == "UTC" || string(name) == "GMT" {
			b.hasZone = true
			if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
				return b.zone(rest, false)
			}
		} else if hours, ok := zoneHours[string(name)]; ok {
			b.hasZone, b.offset = true, int(hours*3600)
		}
		return rest, len(name) > 0
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return s, false
	}
	neg := s[0] == '-'
	h, rest, ok := digits(s[1:], 2, 2)
	if !ok {
		return s, false
	}
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[1:]
	}
	m := 0
	if len(rest) > 1 && rest[0]-'0' < 10 {
		if m, rest, ok = digits(rest, 2, 2); !ok {
			return s, false
		}
	}
	b.hasZone, b.offset = true, h*3600+m*60
	if neg {
		b.offset = -b.offset
	}
	return rest, true
}

func digits(s []byte, least, most int) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i]-'0' < 10 {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least
}

func letters(s []byte) []byte {
	for len(s) > 0 && s[0]|0x20-'a' < 26 {
		s = s[1:]
	}
	return s
}
