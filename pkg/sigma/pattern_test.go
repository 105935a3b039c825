package sigma

import (
	"encoding/base64"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParsePattern(t *testing.T) {
	star, one := part{kind: any0}, part{kind: any1}
	for text, want := range map[string]pattern{
		``:          nil,
		`abc`:       {{literal, "abc"}},
		`*a*`:       {star, {literal, "a"}, star},
		`a**b`:      {{literal, "a"}, star, {literal, "b"}},
		`a??`:       {{literal, "a"}, one, one},
		`\*`:        {{literal, "*"}},
		`\\*`:       {{literal, `\`}, star},
		`\\\*`:      {{literal, `\*`}},
		`\a\`:       {{literal, `\a\`}},
		`C:\\Win\x`: {{literal, `C:\Win\x`}},
	} {
		if got := parsePattern(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// What a pattern prints as is read as the same pattern.
func FuzzPatternSource(f *testing.F) {
	for _, s := range []string{`a\\*b?`, `\\\\`, `\*\?\\`, `x\`, `a*\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := parsePattern(s)
		if again := parsePattern(p.source()); !reflect.DeepEqual(p, again) {
			t.Errorf("%q is printed as %q: %v, %v", s, p.source(), p, again)
		}
	})
}

// expression is a pattern as a regular expression over a whole text.
func (p pattern) expression() *regexp.Regexp {
	var b strings.Builder
	for _, q := range p {
		switch q.kind {
		case any0:
			b.WriteString(".*")
		case any1:
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(q.text))
		}
	}
	return regexp.MustCompile(`(?s)^` + b.String() + `$`)
}

func TestPatternMatchesLikeAnExpression(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string, n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString(from[rnd.IntN(len(from))])
		}
		return b.String()
	}
	for range 20_000 {
		p := parsePattern(pick([]string{"a", "b", "é", "*", "?"}, 8))
		text := pick([]string{"a", "b", "é", "ab"}, 9)
		if got, want := p.match([]byte(text)), p.expression().MatchString(text); got != want {
			t.Fatalf("%q on %q: %v, want %v", p.source(), text, got, want)
		}
	}
}

func TestFoldIsEqualFold(t *testing.T) {
	for r := rune(0); r < 0x1F000; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := "x" + string(r)
		if !strings.EqualFold(s, fold(s)) {
			t.Fatalf("%U folds to %q", r, fold(s))
		}
		if u := strings.ToUpper(s); strings.EqualFold(u, s) && fold(u) != fold(s) {
			t.Fatalf("%U and %q fold to %q and %q", r, u, fold(s), fold(u))
		}
	}
	for n := range 40 {
		s := strings.Repeat("@AMZ[`amz{", 4)[:n]
		if got := fold(s); got != strings.ToLower(s) {
			t.Errorf("%q folds to %q", s, got)
		}
	}
	if got := fold("a\xffB\xc3"); got != "a\xffb\xc3" {
		t.Errorf("what is not UTF-8 became %q", got)
	}
}

// Whatever stands before and behind a text, one of its three forms is in the encoding of the whole.
func TestBase64Offsets(t *testing.T) {
	for _, s := range []string{"ab", "abc", "http://", "\x00\xff\x10"} {
		for before := range 7 {
			for behind := range 4 {
				whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x81", before) + s + strings.Repeat("z", behind)))
				found := 0
				for _, form := range base64Offsets(s) {
					if strings.Contains(whole, form) {
						found++
					}
				}
				if found == 0 {
					t.Errorf("%q behind %d and before %d bytes: none of %q in %q", s, before, behind, base64Offsets(s), whole)
				}
			}
		}
	}
}

func TestWindash(t *testing.T) {
	got, err := windash(parsePattern(`*-a /b c-d*`))
	if err != nil || len(got) != 25 {
		t.Fatalf("%d forms, %v", len(got), err)
	}
	if _, err := windash(parsePattern(strings.Repeat(" -a", 7))); err == nil {
		t.Error("78,125 forms are not refused")
	}
	for s, want := range map[string][]string{
		"-a":      {"", "a"},
		"--a":     {"-", "a"},
		"a-b":     {"a-b"},
		"x -":     {"x -"},
		"/ä":      {"", "ä"},
		"http://": {"http://"},
	} {
		if got := splitFlags(s); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestLiterals(t *testing.T) {
	for expr, want := range map[string][][]string{
		`foo`:                      {{"foo"}},
		`(?i)FOO.*ba`:              {{"foo"}, {"ba"}},
		`a+barbar\d(x|y)`:          {{"barbar"}},
		`(abc|defg)+`:              {{"abc", "defg"}},
		`(abc|d)`:                  nil,
		`.{1000,}`:                 nil,
		`(hello)?`:                 nil,
		`x{2,}hello`:               {{"hello"}},
		`(?:a1b2|c3d4e5)\.exe`:     {{"a1b2", "c3d4e5"}, {".exe"}},
		`\^.*a.*\^`:                {{"^"}, {"^"}},
		`(ab.*longer.*x|cd.*more)`: {{"longer", "more"}},
	} {
		if got := literalsOf(expr); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	if literalsOf("(") != nil {
		t.Error("literals of what is no expression")
	}
}

// Every text that an expression matches holds one of its literals.
func FuzzLiterals(f *testing.F) {
	f.Add(`(abc|defg)+x`, "xxdefgx")
	f.Add(`(?i)ſtraße`, "STRAßE")
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil || !utf8.ValidString(text) || !re.MatchString(text) {
			return
		}
		for _, set := range literalsOf(expr) {
			if !slices.ContainsFunc(set, func(l string) bool { return strings.Contains(fold(text), l) }) {
				t.Errorf("%q matches %q without any of %q", expr, text, set)
			}
		}
	})
}
