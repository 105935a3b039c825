package sigma

import (
	"math"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// units are the letters of a timespan. Months and years are pySigma's, with its lengths: a twelfth of, and the mean
// Gregorian year.
var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2_629_746 * time.Second, 'y': 31_556_952 * time.Second,
}

// maxTimespan is the longest time that a correlation may look back.
const maxTimespan = 10 * 31_556_952 * time.Second

func (h *header) timespan(v *yaml.Node, key string) time.Duration {
	s := h.text(v, key)
	if s == "" {
		return 0
	}
	unit, ok := units[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	switch {
	case !ok || err != nil:
		h.fault(v, key, "%q is no number with one of the letters s, m, h, d, w, M (months), y: 90m", s)
		return 0
	case n == 0 || float64(n)*float64(unit) > float64(maxTimespan):
		h.fault(v, key, "%s is not from 1s to 10y", s)
		return 0
	}
	return time.Duration(n) * unit
}

func finite(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}
