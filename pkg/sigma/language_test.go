package sigma

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

// ruleText puts a detection into a whole rule.
func ruleText(detection string) string {
	body := strings.ReplaceAll(strings.Trim(detection, "\n"), "\n", "\n  ")
	return "title: t\nid: 00000000-0000-4000-8000-000000000001\nlogsource:\n  product: test\ndetection:\n  " + body + "\n"
}

func mustRule(t testing.TB, detection string, opt Options) *Rule {
	t.Helper()
	rules, faults := ParseFile("t.yml", []byte(ruleText(detection)), opt)
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults[0], ruleText(detection))
	}
	return rules[0]
}

func parsed(t testing.TB, line string) *event.Event {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

type languageCase struct {
	name      string
	detection string
	yes, no   []string
}

func (c *languageCase) run(t *testing.T, opt Options) {
	t.Helper()
	r := mustRule(t, c.detection, opt)
	ix, err := NewIndex([]*Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ix.NewMatcher()
	check := func(line string, want bool) {
		t.Helper()
		e := parsed(t, line)
		if got := len(m.Match(e)) == 1; got != want {
			t.Errorf("matches %v, want %v: %s", got, want, line)
		}
		if _, got := m.Explain(0); got != want {
			t.Errorf("explained as %v, want %v: %s", got, want, line)
		}
	}
	for _, l := range c.yes {
		check(l, true)
	}
	for _, l := range c.no {
		check(l, false)
	}
}

// values are the specification's chapters on values, wildcards, escapes and lists.
var values = []languageCase{
	{"text is compared without case", "s:\n  a: Foo\ncondition: s",
		[]string{`{"a":"foo"}`, `{"a":"FOO"}`}, []string{`{"a":"foo "}`, `{"a":""}`, `{}`, `{"A":"foo"}`}},
	{"Unicode case", "s:\n  a: STRASSE Ärger ΣΊΣΥΦΟΣ\ncondition: s",
		[]string{`{"a":"strasse ärger σίσυφος"}`, `{"a":"\u0053trasse \u00c4rger σίσυφοσ"}`}, []string{`{"a":"strasse arger σίσυφος"}`}},
	{"the Kelvin sign is a k", "s:\n  a|contains: '1K'\ncondition: s", []string{`{"a":"at 1\u212a"}`, `{"a":"1k"}`}, []string{`{"a":"1c"}`}},
	{"numbers equal numeric texts", "s:\n  a: 4688\ncondition: s",
		[]string{`{"a":4688}`, `{"a":"4688"}`}, []string{`{"a":46880}`, `{"a":"x4688"}`}},
	{"a numeric text equals a number", "s:\n  a: '9389'\ncondition: s", []string{`{"a":9389}`}, []string{`{"a":938}`}},
	{"numbers of other bases are numbers", "s:\n  a: 0x1F\ncondition: s", []string{`{"a":31}`}, []string{`{"a":"0x1F"}`}},
	{"truth values", "s:\n  a: True\ncondition: s", []string{`{"a":true}`, `{"a":"True"}`}, []string{`{"a":false}`, `{"a":1}`}},
	{"null is absent or null", "s:\n  a: null\ncondition: s", []string{`{}`, `{"a":null}`, `{"a":[]}`}, []string{`{"a":""}`, `{"a":0}`}},
	{"the empty text is not null", "s:\n  a: ''\ncondition: s", []string{`{"a":""}`}, []string{`{}`, `{"a":null}`, `{"a":" "}`}},
	{"null in a list", "s:\n  a:\n    - null\n    - x\ncondition: s", []string{`{}`, `{"a":"X"}`}, []string{`{"a":"y"}`}},
	{"a star alone is any value", "s:\n  a: '*'\ncondition: s", []string{`{"a":""}`, `{"a":1}`}, []string{`{}`, `{"a":null}`}},
	{"lists are alternatives", "s:\n  a:\n    - x\n    - y\ncondition: s", []string{`{"a":"x"}`, `{"a":"y"}`}, []string{`{"a":"z"}`}},
	{"tables need all", "s:\n  a: x\n  b: y\ncondition: s", []string{`{"a":"x","b":"y"}`}, []string{`{"a":"x"}`, `{"b":"y"}`}},
	{"lists of tables are alternatives", "s:\n  - a: x\n    b: y\n  - c: z\ncondition: s",
		[]string{`{"a":"x","b":"y"}`, `{"c":"z"}`}, []string{`{"a":"x"}`, `{"b":"y","c":"x"}`}},
	{"wildcards", `s:
  a: 'x*y?z'
condition: s`, []string{`{"a":"xyaz"}`, `{"a":"x--yéz"}`}, []string{`{"a":"xyz"}`, `{"a":"xyazz"}`, `{"a":"xyabz"}`}},
	{"escaped wildcards", `s:
  a: 'x\*y\?z'
condition: s`, []string{`{"a":"x*y?z"}`}, []string{`{"a":"x1y2z"}`}},
	{"a backslash is itself", `s:
  a: 'C:\Windows\a'
condition: s`, []string{`{"a":"c:\\windows\\A"}`}, []string{`{"a":"c:windowsa"}`}},
	{"two backslashes are one, and one before a wildcard is written as two", `s:
  a: '\\\\srv\\*'
condition: s`, []string{`{"a":"\\\\srv\\x"}`}, []string{`{"a":"\\srv\\x"}`, `{"a":"\\\\srv*"}`}},
	{"any value of an array", "s:\n  a: x\ncondition: s", []string{`{"a":["y","x"]}`}, []string{`{"a":["y"]}`, `{"a":[["y"]]}`}},
	{"nested and dotted names", "s:\n  a.b: x\ncondition: s",
		[]string{`{"a":{"b":"x"}}`, `{"a.b":"x"}`, `{"a":[{"b":"y"},{"b":"x"}]}`}, []string{`{"a":"x"}`, `{"b":"x"}`}},
	{"field names lose their spaces", "s:\n  ThreatName: x\ncondition: s", []string{`{"Threat Name":"x"}`, `{"ThreatName":"x"}`}, []string{`{"Threat":"x"}`}},
	{"an object is its JSON text", "s:\n  a|contains: '\"b\":1'\ncondition: s", []string{`{"a":{"b":1}}`}, []string{`{"a":{"b":2}}`}},
	{"keywords look into every value", "keywords:\n  - evil\ncondition: keywords",
		[]string{`{"a":"an EVIL thing"}`, `{"a":{"b":["x","evil"]}}`, `{"a":[{"b":{"c":"evil"}}]}`}, []string{`{"evil":"x"}`, `{"a":"ev","b":"il"}`}},
	{"a number as keyword", "keywords:\n  - 4711\ncondition: keywords", []string{`{"a":4711}`, `{"a":"x 4711 y"}`}, []string{`{"a":4712}`}},
	{"keywords with wildcards", "keywords:\n  - 'a*c'\ncondition: keywords", []string{`{"x":"-abbc-"}`}, []string{`{"x":"a","y":"c"}`}},
	{"all keywords", "keywords:\n  '|all':\n    - one\n    - two\ncondition: keywords",
		[]string{`{"a":"one two"}`, `{"a":"one","b":"two"}`}, []string{`{"a":"one"}`}},
	{"one keyword without a list", "keywords: evil\ncondition: keywords", []string{`{"a":"evil"}`}, []string{`{"a":"good"}`}},
}

// modifiers are the specification's appendix on modifiers.
var modifiers = []languageCase{
	{"contains", "s:\n  a|contains: Bc\ncondition: s", []string{`{"a":"abcd"}`, `{"a":"bc"}`}, []string{`{"a":"b"}`, `{}`}},
	{"startswith", "s:\n  a|startswith: aB\ncondition: s", []string{`{"a":"ABC"}`}, []string{`{"a":"xab"}`, `{"a":"a"}`}},
	{"endswith", "s:\n  a|endswith: '\\x.exe'\ncondition: s", []string{`{"a":"C:\\X.EXE"}`}, []string{`{"a":"x.exe"}`, `{"a":"\\x.exe "}`}},
	{"contains|all", "s:\n  a|contains|all:\n    - x\n    - y\ncondition: s", []string{`{"a":"yx"}`}, []string{`{"a":"x"}`}},
	{"contains with a wildcard within", "s:\n  a|contains: 'x*y'\ncondition: s", []string{`{"a":"-x-y-"}`}, []string{`{"a":"yx"}`}},
	{"cased", "s:\n  a|cased: Foo\ncondition: s", []string{`{"a":"Foo"}`}, []string{`{"a":"foo"}`}},
	{"contains|cased", "s:\n  a|contains|cased: Foo\ncondition: s", []string{`{"a":"xFoo"}`}, []string{`{"a":"xfoo"}`}},
	{"a cased glob", "s:\n  a|cased: 'F?o*'\ncondition: s", []string{`{"a":"Foooo"}`}, []string{`{"a":"foooo"}`}},
	{"re is searched for, with case", "s:\n  a|re: 'fo+\\d'\ncondition: s", []string{`{"a":"xfooo1x"}`}, []string{`{"a":"FOO1"}`, `{"a":"foo"}`}},
	{"re|i", "s:\n  a|re|i: 'fo+\\d'\ncondition: s", []string{`{"a":"FOO1"}`}, []string{`{"a":"FO"}`}},
	{"re|m", "s:\n  a|re|m: '^b$'\ncondition: s", []string{`{"a":"a\nb\nc"}`}, []string{`{"a":"a b c"}`}},
	{"re|s", "s:\n  a|re|s: 'a.b'\ncondition: s", []string{`{"a":"a\nb"}`}, []string{`{"a":"ab"}`}},
	{"re without s", "s:\n  a|re: 'a.b'\ncondition: s", []string{`{"a":"a-b"}`}, []string{`{"a":"a\nb"}`}},
	{"re on keywords", "s:\n  '|re': 'ab+c'\ncondition: s", []string{`{"x":{"y":"-abbc"}}`}, []string{`{"x":"ac"}`}},
	{"cidr v4", "s:\n  a|cidr: 10.0.0.0/8\ncondition: s", []string{`{"a":"10.1.2.3"}`, `{"a":["x","10.0.0.1"]}`, `{"a":"::ffff:10.1.2.3"}`}, []string{`{"a":"11.1.2.3"}`, `{"a":"10.1.2"}`, `{"a":"10.x"}`, `{}`}},
	{"cidr v6", "s:\n  a|cidr: 'fe80::/10'\ncondition: s", []string{`{"a":"FE80::1"}`, `{"a":"fe80:0:0::1%eth0"}`, `{"a":"febf::1"}`}, []string{`{"a":"fec0::1"}`, `{"a":"10.0.0.1"}`}},
	{"a single address as cidr", "s:\n  a|cidr: 192.0.2.1\ncondition: s", []string{`{"a":"192.0.2.1"}`}, []string{`{"a":"192.0.2.2"}`}},
	{"base64", "s:\n  a|base64: foobar\ncondition: s", []string{`{"a":"Zm9vYmFy"}`}, []string{`{"a":"foobar"}`}},
	{"base64offset finds all three", "s:\n  a|base64offset|contains: http://\ncondition: s",
		[]string{`{"a":"aHR0cDovLw=="}`, `{"a":"eGh0dHA6Ly8="}`, `{"a":"eHhodHRwOi8v"}`}, []string{`{"a":"aHR0cHM6Ly8="}`}},
	{"wide", "s:\n  a|wide|base64offset|contains: ping\ncondition: s", []string{`{"a":"cABpAG4AZwA="}`}, []string{`{"a":"cGluZw=="}`}},
	{"utf16le is wide", "s:\n  a|utf16le|base64: a\ncondition: s", []string{`{"a":"YQA="}`}, []string{`{"a":"AGE="}`}},
	{"utf16be", "s:\n  a|utf16be|base64: a\ncondition: s", []string{`{"a":"AGE="}`}, []string{`{"a":"YQA="}`}},
	{"utf16 has a mark", "s:\n  a|utf16|base64: a\ncondition: s", []string{`{"a":"//5hAA=="}`}, []string{`{"a":"YQA="}`}},
	{"windash: a dash stands for every mark", "s:\n  a|windash|contains: ' -f '\ncondition: s",
		[]string{`{"a":"x -f y"}`, `{"a":"x /f y"}`, `{"a":"x \u2013f y"}`, `{"a":"x \u2014f y"}`, `{"a":"x \u2015f y"}`}, []string{`{"a":"x f y"}`}},
	{"windash: a slash does too", "s:\n  a|contains|windash: ' /accepteula'\ncondition: s",
		[]string{`{"a":"procdump -accepteula"}`, `{"a":"procdump /accepteula"}`}, []string{`{"a":"procdump accepteula"}`}},
	{"windash leaves dashes within words", "s:\n  a|windash: 'a-b -c'\ncondition: s", []string{`{"a":"a-b /c"}`}, []string{`{"a":"a/b -c"}`}},
	{"exists", "s:\n  a|exists: true\ncondition: s", []string{`{"a":"x"}`, `{"a":null}`, `{"a":""}`}, []string{`{"b":1}`}},
	{"exists: false", "s:\n  a|exists: false\ncondition: s", []string{`{"b":1}`}, []string{`{"a":null}`, `{"a":1}`}},
	{"lt", "s:\n  a|lt: 5\ncondition: s", []string{`{"a":4}`, `{"a":"4.9"}`}, []string{`{"a":5}`, `{"a":"x"}`, `{}`}},
	{"lte", "s:\n  a|lte: 5\ncondition: s", []string{`{"a":5}`}, []string{`{"a":5.1}`}},
	{"gt", "s:\n  a|gt: -1.5\ncondition: s", []string{`{"a":0}`, `{"a":1e3}`}, []string{`{"a":-2}`, `{"a":""}`}},
	{"gte", "s:\n  a|gte: 5\ncondition: s", []string{`{"a":5}`}, []string{`{"a":4}`}},
	{"neq", "s:\n  a|neq: x\ncondition: s", []string{`{"a":"y"}`, `{}`}, []string{`{"a":"X"}`}},
	{"neq of a list is none of them", "s:\n  a|neq:\n    - x\n    - y\ncondition: s", []string{`{"a":"z"}`}, []string{`{"a":"x"}`, `{"a":"y"}`}},
	{"fieldref", "s:\n  a|fieldref: b\ncondition: s", []string{`{"a":"x","b":"X"}`, `{"a":1,"b":"1"}`}, []string{`{"a":"x","b":"y"}`, `{"a":"x"}`, `{"b":"x"}`, `{}`}},
	{"fieldref|startswith", "s:\n  a|fieldref|startswith: b\ncondition: s", []string{`{"a":"xyz","b":"XY"}`}, []string{`{"a":"xyz","b":"yz"}`}},
	{"endswith|fieldref", "s:\n  a|endswith|fieldref: b\ncondition: s", []string{`{"a":"xyz","b":"yz"}`}, []string{`{"a":"xyz","b":"xy"}`}},
	{"fieldref|contains", "s:\n  a|fieldref|contains: b\ncondition: s", []string{`{"a":"xyz","b":"y"}`}, []string{`{"a":"xyz","b":"a"}`}},
	{"fieldref with cased", "s:\n  a|fieldref|cased: b\ncondition: s", []string{`{"a":"x","b":"x"}`}, []string{`{"a":"x","b":"X"}`}},
	{"fieldref|neq", "s:\n  a|fieldref|neq: b\ncondition: s", []string{`{"a":"x","b":"y"}`}, []string{`{"a":"x","b":"x"}`}},
	{"hour", "s:\n  t|hour: 8\ncondition: s", []string{`{"t":"2026-11-24T08:17:44Z"}`, `{"t":"2026-11-24T09:17:44+01:00"}`}, []string{`{"t":"2026-11-24T09:17:44Z"}`, `{"t":"8"}`}},
	{"the other parts of a time", "s:\n  t|minute: 17\n  u|day: 24\n  v|week: 48\n  w|month: 11\n  x|year: 2026\ncondition: s",
		[]string{`{"t":"2026-11-24T08:17:44Z","u":"2026-11-24T08:17:44Z","v":"2026-11-24T08:17:44Z","w":"2026-11-24T08:17:44Z","x":"2026-11-24T08:17:44Z"}`},
		[]string{`{"t":"2026-11-24T08:17:44Z","u":"2026-11-24T08:17:44Z","v":"2026-11-24T08:17:44Z","w":"2026-11-24T08:17:44Z","x":"2025-11-24T08:17:44Z"}`}},
}

func TestValues(t *testing.T) {
	for _, c := range values {
		t.Run(c.name, func(t *testing.T) { c.run(t, Options{}) })
	}
}

func TestModifiers(t *testing.T) {
	for _, c := range modifiers {
		t.Run(c.name, func(t *testing.T) { c.run(t, Options{}) })
	}
}

func TestExpand(t *testing.T) {
	opt := Options{Placeholder: func(name string) ([]string, bool) {
		if name == "admins" {
			return []string{"root", "adm*"}, true
		}
		return nil, false
	}}
	c := languageCase{"", "s:\n  a|expand: 'x-%admins%'\ncondition: s",
		[]string{`{"a":"x-root"}`, `{"a":"X-Admin"}`}, []string{`{"a":"x-bob"}`, `{"a":"x-%admins%"}`}}
	c.run(t, opt)
	c = languageCase{"", "s:\n  a: 'x-%admins%'\ncondition: s", []string{`{"a":"x-%admins%"}`}, []string{`{"a":"x-root"}`}}
	c.run(t, opt)
	for _, bad := range []string{"s:\n  a|expand: '%nobody%'\ncondition: s", "s:\n  a|expand: '100%'\ncondition: s"} {
		if _, faults := ParseFile("t.yml", []byte(ruleText(bad)), opt); len(faults) != 1 {
			t.Errorf("%d faults, want 1, of %s", len(faults), bad)
		}
	}
}
