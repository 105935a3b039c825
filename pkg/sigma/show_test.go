package sigma

import (
	"strings"
	"testing"
)

func TestCondition(t *testing.T) {
	for text, want := range map[string]string{
		"s:\n  Image|endswith: ['\\CMD.exe', '\\pwsh.exe']\n  User: null\nf:\n  a|re: 'x+'\ncondition: s and not f": `(Image ends with "\\cmd.exe" or Image ends with "\\pwsh.exe") and User is null and not a matches "x+"`,
		"s:\n  - evil\n  - worse\ncondition: s":                                                `any value contains "evil" or any value contains "worse"`,
		"s:\n  ip|cidr: 10.0.0.0/8\n  n|gte: 5\n  a|fieldref|endswith: b\ncondition: s":        `ip is within 10.0.0.0/8 and n >= 5 and a ends with the value of b`,
		"s:\n  a|cased: X\n  b: 'x*y'\n  c|exists: false\n  t|hour: 3\n  d: '*'\ncondition: s": `a exactly is "X" and b is like "x*y" and c does not exist and t is of hour 3 and d is there`,
		"a:\n  x: 1\nb:\n  y: 2\nc:\n  z: 3\ncondition: a or b and c":                          `x is "1" or (y is "2" and z is "3")`,
		"a:\n  x: 1\nb:\n  y: 2\ncondition: not (a or b)":                                      `not (x is "1" or y is "2")`,
	} {
		if got := mustRule(t, text, Options{}).Condition(); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	r := mustRule(t, "s:\n  b|fieldref: z\n  a: 1\nk:\n  - word\ncondition: s or k", Options{})
	if got := strings.Join(r.FieldNames(), " "); got != "a b z" {
		t.Errorf("fields %s", got)
	}
}
