package parse

import (
	"testing"
	"time"
)

var testNow = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestClockTime(t *testing.T) {
	budapest, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Skip("skipped: no zone database here")
	}
	for _, c := range []struct {
		in   string
		zone *time.Location
		want string
	}{
		{"2026-11-24T08:00:00Z", nil, "2026-11-24T08:00:00Z"},
		{"2026-11-24T08:00:00.123456789+01:00", nil, "2026-11-24T07:00:00.123456789Z"},
		{"2026-11-24 08:00:00.5", nil, "2026-11-24T08:00:00.5Z"},
		{"2026-11-24 08:00:00", budapest, "2026-11-24T07:00:00Z"},
		{"2026-07-24 08:00:00", budapest, "2026-07-24T06:00:00Z"},
		{"2026/11/24 08:00:00", nil, "2026-11-24T08:00:00Z"},
		{"1795506001", nil, "2026-11-24T07:40:01Z"},
		{"1795506001.104512", nil, "2026-11-24T07:40:01.104512Z"},
		{"1795506001104", nil, "2026-11-24T07:40:01.104Z"},
		{"1795506001104512", nil, "2026-11-24T07:40:01.104512Z"},
		{"1795506001104512999", nil, "2026-11-24T07:40:01.104512999Z"},
		{"24/Nov/2026:08:12:03 +0100", nil, "2026-11-24T07:12:03Z"},
		// Without a year it is this year's, unless that is well in the future: then last year's.
		{"Jan  1 10:00:00", nil, "2026-01-01T10:00:00Z"},
		{"Jan  3 10:00:00", nil, "2026-01-03T10:00:00Z"},
		{"Dec 31 23:59:59", nil, "2025-12-31T23:59:59Z"},
		{"Feb 29 10:00:00", nil, "2024-02-29T10:00:00Z"},
		{"Nov 24 2026 08:00:00", nil, "2026-11-24T08:00:00Z"},
		{"Tue Nov 24 08:12:03.5 2026", nil, "2026-11-24T08:12:03.5Z"},
		{"", nil, ""}, {"yesterday", nil, ""}, {"2026-13-01T00:00:00Z", nil, ""}, {"2026-02-30 10:00:00", nil, ""},
		{"99999999999999999999", nil, ""}, {"Foo 12 10:00:00", nil, ""}, {"12.5.5", nil, ""},
	} {
		ns, ok := Clock{Zone: c.zone, Now: testNow}.Time([]byte(c.in))
		got := ""
		if ok {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct{ layout, in, want string }{
		{"%d.%m.%y %I:%M %p", "24.11.26 08:05 PM", "2026-11-24T20:05:00Z"},
		{"%d.%m.%y %I:%M %p", "24.11.26 12:05 AM", "2026-11-24T00:05:00Z"},
		{"%FT%T%f%z", "2026-11-24T08:00:00.25-0530", "2026-11-24T13:30:00.25Z"},
		{"%Y%j", "2026033", "2026-02-02T00:00:00Z"},
		{"%s", "1795506001", "2026-11-24T07:40:01Z"},
		{"%A, %d %B %Y %T %Z", "Tuesday, 24 November 2026 08:00:00 GMT", "2026-11-24T08:00:00Z"},
		{"%b %d %Y %T%f %Z", "Nov 24 2026 08:00:00.250 CET", "2026-11-24T07:00:00.25Z"},
		{"%b %d %Y %T %Z", "Nov 24 2026 08:00:00 AEDT", "2026-11-23T21:00:00Z"},
		{"%b %d %Y %T %Z", "Nov 24 2026 08:00:00 GMT+01:30", "2026-11-24T06:30:00Z"},
		{"%b %d %Y %T %Z", "Nov 24 2026 08:00:00 IST", "2026-11-24T08:00:00Z"}, // Irish, Israeli or Indian
		{"%H:%M", "25:00", ""},
		{"%Y-%m-%d", "2026-11-24 more", ""},
	} {
		if err := CheckLayout(c.layout); err != nil {
			t.Error(err)
		}
		ns, ok := Clock{Now: testNow}.Layout([]byte(c.in), c.layout)
		got := ""
		if ok {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s of %q: got %q, want %q", c.layout, c.in, got, c.want)
		}
	}
	if CheckLayout("%Y-%q") == nil || CheckLayout("%") == nil {
		t.Error("a bad layout was taken")
	}
}

func TestZone(t *testing.T) {
	for in, want := range map[string]int{"+0100": 3600, "-05:30": -19800, "UTC+2": 7200, "Z": 0, "GMT": 0, `"+0200"`: 7200, "+1": 3600, "nowhere": 42, "+99": 42, "": 42} {
		_, got := testNow.In(Zone(in, time.FixedZone("", 42))).Zone()
		if got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

// Whatever a layout reads must be a time that its clock can write: no panic, no overflow.
func FuzzLayout(f *testing.F) {
	f.Add("%Y-%m-%d %H:%M:%S%f %z", "2026-11-24 08:00:00.5 +0100")
	f.Add("%b %e %T", "Nov  4 08:00:00")
	f.Fuzz(func(t *testing.T, layout, in string) {
		if CheckLayout(layout) != nil {
			return
		}
		ns, ok := Clock{Now: testNow}.Layout([]byte(in), layout)
		if y := time.Unix(0, ns).UTC().Year(); ok && (y < 1677 || y > 2262) {
			t.Fatalf("%q of %q: year %d", layout, in, y)
		}
	})
}
