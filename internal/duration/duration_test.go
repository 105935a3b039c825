package duration

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "8w": 1344 * time.Hour, "7y": 7 * 8760 * time.Hour, "6mo": 4320 * time.Hour, "90s": 90 * time.Second, "5m": 5 * time.Minute,
	} {
		got, err := Parse(in)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v %v", in, time.Duration(got), err)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%s prints as %s", in, got)
		}
	}
	for _, in := range []string{"", "30", "d", "-1d", "1.5d", "9999999999y", "soon"} {
		if a, err := Parse(in); err == nil {
			t.Errorf("%q was read as %v", in, a)
		}
	}
}
