package normalize

import (
	"regexp"
	"testing"
)

func TestBeginningOf(t *testing.T) {
	for expr, want := range map[string]struct {
		places int
		admits string
		not    string
	}{
		`abc`:                       {0, "x", ""},
		`(^|x)a`:                    {0, "x", ""},
		`^\d{4}-\d\d-\d\d `:         {8, "2026-11-24 08:00:00", "192.0.2.1 - -"},
		`^\[\d{4}-\d\d`:             {8, "[2026-11-24", "192.0.2.1"},
		`^ ?[A-Z]:`:                 {2, " A:", "a:"},
		`^(http|h2) `:               {3, "h2 x", "x2 x"},
		`^\S+ x`:                    {1, "ähm", " x"},
		`^(?i)k`:                    {1, "K", "x"},
		`^.`:                        {1, "\x00", "\n"},
		`^[é]x`:                     {1, "é", "e"},
		`^a*`:                       {0, "", ""},
		`^(?:|a)b`:                  {1, "ab", "c"},
		`\Aab\b`:                    {2, "ab", "ac"},
		`^CEF:\d\|F5\||^[12]\.0\|F`: {0, "3.0|F5", ""},
	} {
		b := beginningOf(expr)
		if len(b) != want.places {
			t.Errorf("%s: %d places, want %d", expr, len(b), want.places)
		}
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
