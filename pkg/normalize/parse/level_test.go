package parse

import "testing"

func TestNoHeaderBehindATime(t *testing.T) {
	for line, isHeader := range map[string]bool{
		"2026-11-24T08:12:03.390Z warning vpxd[7879] [x] text":  false,
		"2026-11-24T08:12:03.390Z INFO server[697:t-9] text":    false,
		"2026-11-24T08:12:03.390Z warn1 vpxd[7879]: text":       true,
		"2026-11-24T08:12:03.390Z informant vpxd[7879]: text":   true,
		"<14>2026-11-24T08:12:03.390Z warning vpxd[7879]: text": true, // a sender that writes priorities writes hosts
		"2026-11-24T08:12:03.390+0000: 1234.5: [GC (x)]":        false,
		"Nov 24 08:12:03 error sshd[7]: text":                   true,
	} {
		h, ok := ParseHeader([]byte(line))
		if ok != isHeader {
			t.Errorf("%q: header %v, want %v", line, ok, isHeader)
		}
		if !ok && string(h.Message) != line {
			t.Errorf("%q: message %q", line, h.Message)
		}
	}
}
