package parse

import (
	"testing"
	"time"
)

// TestCiscoHeader reads the ways in which Cisco's devices order counter, host, time and zone.
func TestCiscoHeader(t *testing.T) {
	clock := Clock{Now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	for in, want := range map[string][4]string{
		"<189>4711: sw1: Oct 21 05:12:05.185 PDT: %SYS-5-X: text": {"sw1", "PDT", "2026-10-21T12:12:05.185Z", "%SYS-5-X: text"},
		"sw1: Mar 6 2023 08:04:45.866 CET: %LINK-3-UPDOWN: text":  {"sw1", "CET", "2023-03-06T07:04:45.866Z", "%LINK-3-UPDOWN: text"},
		"<189>17: *Mar  1 18:48:50.483 UTC: %SYS-5-X: y":          {"", "UTC", "2026-03-01T18:48:50.483Z", "%SYS-5-X: y"},
		"Oct 19 18:29:00.044: %DMI-5-X: y":                        {"", "", "2026-10-19T18:29:00.044Z", "%DMI-5-X: y"},
		"<166>Nov 24 2026 08:00:00 fw1 : %ASA-6-1: y":             {"fw1", "", "2026-11-24T08:00:00Z", "%ASA-6-1: y"},
		"<189>: 2016 Apr 20 10:10:10 CEST: %VSHD-5-X: y":          {"", "", "", ""},
		"<189>n9: 2016 Apr 20 10:10:10 CEST: %VSHD-5-X: y":        {"n9", "CEST", "2016-04-20T08:10:10Z", "%VSHD-5-X: y"},
	} {
		h, ok := ParseHeader([]byte(in))
		if want[3] == "" {
			continue
		}
		clock.Zone = Zone(string(h.Zone), time.UTC)
		ns, _ := clock.Time(h.Time)
		got := [4]string{string(h.Host), string(h.Zone), time.Unix(0, ns).UTC().Format(time.RFC3339Nano), string(h.Message)}
		if !ok || got != want {
			t.Errorf("%s: got %q", in, got)
		}
	}
}

// TestCiscoHeaderNot leaves lines alone that only look alike.
func TestCiscoHeaderNot(t *testing.T) {
	for _, in := range []string{": %", "a b: %X", "1: 2: 3: %X-1-Y: z", "Nov 24 08:00:00 fw1 prog: %d items", "x: Nov 24 08:00:00 a b: %X"} {
		if h, ok := ciscoHeader([]byte(in)); ok {
			t.Errorf("%q: got %+v", in, h)
		}
	}
}

func FuzzCiscoHeader(f *testing.F) {
	f.Add([]byte("4711: sw1: *Oct 21 05:12:05.185 PDT: %SYS-5-X: text"))
	f.Add([]byte("a: b: .: %"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if h, ok := ciscoHeader(in); ok && (len(h.Time) == 0 || len(h.Message) == 0 || h.Message[0] != '%') {
			t.Errorf("%q: %+v", in, h)
		}
	})
}
