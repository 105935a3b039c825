package intel

import (
	"math"
	"strings"
	"time"
)

// decayed is the confidence that is left of one of this age: confidence × 2^(-age / half-life). Without a half-life it does not decay.
func decayed(confidence int, age, halfLife time.Duration) float64 {
	if halfLife <= 0 {
		return float64(confidence)
	}
	return float64(confidence) * math.Exp2(-float64(age)/float64(halfLife))
}

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
