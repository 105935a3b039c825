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
	if hours, ok := zoneHours[s]; ok {
		return time.FixedZone(s, int(hours*3600))
	}
	if loc, err := time.LoadLocation(s); err == nil && s != "Local" {
		return loc
	}
	return fallback
}

// zoneHours has the abbreviations of zones that logs write: those of RFC 5322 section 4.3, and others that mean one offset only.
var zoneHours = map[string]float64{
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
	"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"BRT": -3, "BRST": -2, "JST": 9, "KST": 9, "SGT": 8, "HKT": 8, "AWST": 8, "ACST": 9.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}
