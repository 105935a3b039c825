package event

import (
	"strings"
	"testing"
)

func TestParseUTC(t *testing.T) {
	want, _ := ParseTime([]byte("2026-11-24T08:00:00.123Z"))
	for _, text := range []string{"2026-11-24 08:00:00.123", "2026-11-24T08:00:00.123", "2026-11-24T08:00:00.123Z", "2026-11-24 09:00:00.123+01:00"} {
		if got, ok := ParseUTC([]byte(text)); !ok || got != want {
			t.Errorf("%s: %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2026-11-24", "2026-11-24 08:00", "yesterday", "2026-11-24 08:00:00." + strings.Repeat("1", 60)} {
		if _, ok := ParseUTC([]byte(text)); ok {
			t.Errorf("%s is a time", text)
		}
	}
	if n := testing.AllocsPerRun(100, func() { ParseUTC([]byte("2026-11-24 08:00:00.123")) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}
