// Package duration reads the ages that policies speak of, which Go's durations don't: days, weeks, months, years.
package duration

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Age is a span of time written as 12h, 30d, 8w, 6mo or 7y. A month has 30 days, a year 365: retention is a bound, not a
// calendar.
type Age time.Duration

var units = []struct {
	suffix string
	unit   time.Duration
}{
	{"mo", 30 * 24 * time.Hour}, {"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour},
	{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second},
}

// Parse reads an age.
func Parse(s string) (Age, error) {
	for _, u := range units {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(num, 10, 64)
		if err != nil || n < 0 || n > int64(1<<62)/int64(u.unit) {
			break
		}
		return Age(time.Duration(n) * u.unit), nil
	}
	return 0, fmt.Errorf("%q is no age; expected such as 12h, 30d, 8w, 6mo or 7y", s)
}

// UnmarshalYAML reads an age.
func (a *Age) UnmarshalYAML(n *yaml.Node) error {
	v, err := Parse(n.Value)
	*a = v
	return err
}

// String writes the age in the largest unit that divides it.
func (a Age) String() string {
	for _, u := range []string{"y", "d", "h", "m", "s"} {
		for _, have := range units {
			if have.suffix == u && time.Duration(a) >= have.unit && time.Duration(a)%have.unit == 0 {
				return strconv.FormatInt(int64(time.Duration(a)/have.unit), 10) + u
			}
		}
	}
	return time.Duration(a).String()
}
