package parse

import (
	"testing"
	"time"
)

// TestMinuteIsTheClock reads many times with a Minute that remembers, and each with the Clock alone.
func TestMinuteIsTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no zone database")
	}
	now := time.Date(2026, 11, 24, 8, 12, 30, 0, time.UTC)
	var m Minute
	for _, c := range []Clock{{Now: now}, {Zone: berlin, Now: now}, {Now: now.Add(time.Second)}, {Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}} {
		for _, s := range []string{
			"Nov 24 08:12:03", "Nov 24 08:12:04", "Nov 24 08:12:59", "Nov 24 08:12:60", "Nov 24 08:13:00", "Nov  4 08:12:03", "Oct 25 02:30:00",
			"Oct 25 02:30:59", "Mar 29 02:30:10", "Mar 29 02:30:11", "Nov 25 20:12:29", "Nov 25 20:12:30", "Nov 25 20:12:31", "Nov 25 20:12:59",
			"Nov 25 20:13:00", "Feb 29 01:02:03", "Feb 29 01:02:04", "Feb 30 01:02:03", "Feb 30 01:02:04", "Nov 24 08:12:0x", "Nov 24 08:12:03 ", "Dec 31 23:59:59",
			"2026-11-24T08:12:03Z", "Nov 24 25:12:03", "Nov 24 25:12:04", "", "Jan 01 00:00:00", "Jan 01 00:00:01", "Jan 1 10:00:01x",
		} {
			want, wantOK := c.Time([]byte(s))
			got, ok := m.Time(c, []byte(s))
			if ok != wantOK || ok && got != want {
				t.Errorf("%q at %v in %v: %d %v, want %d %v", s, c.Now, c.Zone, got, ok, want, wantOK)
			}
		}
	}
}

func FuzzMinute(f *testing.F) {
	f.Add("Nov 24 08:12:03", "Nov 24 08:12:04", int64(1795507950))
	f.Add("Nov 25 20:12:03", "Nov 25 20:12:59", int64(1795507950))
	f.Fuzz(func(t *testing.T, a, b string, now int64) {
		c := Clock{Now: time.Unix(now%4e9, 0).UTC()}
		var m Minute
		m.Time(c, []byte(a))
		want, wantOK := c.Time([]byte(b))
		if got, ok := m.Time(c, []byte(b)); ok != wantOK || ok && got != want {
			t.Fatalf("%q behind %q at %v: %d %v, want %d %v", b, a, c.Now, got, ok, want, wantOK)
		}
	})
}
