package parse

import (
	"strings"
	"time"
)

// Zone reads a zone: an offset such as +0100, -05:30, +1 or UTC+2, or a name of the IANA database. Where it can't, it
// returns fallback.
func Zone(s string, fallback *time.Location) *time.Location {
	s = strings.Trim(s, `"`)
	if s == "" {
		return fallback
	}
	if t := strings.TrimPrefix(strings.TrimPrefix(s, "UTC"), "GMT"); t == "" || t == "Z" {
		return time.UTC
	} else if t[0] == '+' || t[0] == '-' {
		digits := strings.ReplaceAll(t[1:], ":", "")
		if len(digits) <= 2 {
			digits += "00"
		}
		if len(digits) == 3 {
			digits = "0" + digits
		}
		n := number([]byte(digits))
		if n < 0 || len(digits) != 4 || n%100 > 59 || n > 1500 {
			return fallback
		}
		secs := n/100*3600 + n%100*60
		if t[0] == '-' {
			secs = -secs
		}
		return time.FixedZone("", secs)
	}
	if loc, err := time.LoadLocation(s); err == nil && s != "Local" {
		return loc
	}
	return fallback
}
