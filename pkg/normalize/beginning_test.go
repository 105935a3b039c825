package normalize

import (
	"regexp"
	"strings"
	"testing"
)

func TestBeginningOf(t *testing.T) {
	for expr, want := range map[string]struct{ admits, not string }{
		`abc`:                                  {"x", ""},
		`(^|x)a`:                               {"x", ""},
		`^\d{4}-\d\d-\d\d `:                    {"2026-11-24 08:00:00", "192.0.2.1 - -"},
		`^\[\d{4}-\d\d`:                        {"[2026-11-24", "192.0.2.1"},
		`^ ?[A-Z]:`:                            {" A:", "a:"},
		`^ ?[^ ]+:\d+ \[`:                      {"a:b:5 [", "192.0.2.1 - - ["},
		`^(http|h2) `:                          {"h2 x", "h3 x"},
		`^\S+ x`:                               {"ähm", " x"},
		`^(?i)k`:                               {"K", "x"},
		`^.`:                                   {"\x00", "\n"},
		`^[é]x`:                                {"é", "e"},
		`^a*`:                                  {"", ""},
		`^(?:|a)b`:                             {"ab", "c"},
		`\Aab\b`:                               {"ab", "ac"},
		`^a$`:                                  {"a", ""},
		`^abc`:                                 {"abc", "ab"},
		`^[ab]*c`:                              {strings.Repeat("ab", maxBeginning), strings.Repeat("ab", maxBeginning/2-1) + "x"},
		`^(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)c{40}`: {"abbaabcccccc" + strings.Repeat("c", 40), "abbaabd"},
	} {
		b := beginningOf(expr)
		if !b.admits([]byte(want.admits)) {
			t.Errorf("%s does not admit %q", expr, want.admits)
		}
		if want.not != "" && b.admits([]byte(want.not)) {
			t.Errorf("%s admits %q", expr, want.not)
		}
	}
}

// What matches is admitted: a line of every mapping by every expression of a sign.
func TestWhatMatchesIsAdmitted(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	lines := ownRecords(t, m)
	for _, ref := range m.index.signs {
		if ref.sign.match == nil {
			continue
		}
		for _, line := range lines {
			if ref.sign.match.MatchString(line) && !ref.sign.begins().admits([]byte(line)) {
				t.Errorf("%s matches %q, which it does not admit", ref.sign.match, line)
			}
		}
	}
}

func FuzzBeginning(f *testing.F) {
	f.Add(`^\d{4}-\d\d`, "2026-11")
	f.Add(`(?i)^st`, "\u017ft") // LATIN SMALL LETTER LONG S folds to s
	f.Add(`^[^a]b`, "\xffb")
	f.Add(`(?m)^a|^b+c`, "x\nbc")
	f.Add(`\A(|x)(?:[a-c]|\w\b)*?k`, "k")
	f.Fuzz(func(t *testing.T, expr, text string) {
		if re, err := regexp.Compile(expr); err == nil && re.MatchString(text) && !beginningOf(expr).admits([]byte(text)) {
			t.Fatalf("%s matches %q, which it does not admit", expr, text)
		}
	})
}
