package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const corrText = `title: Many Failures
id: c0000000-0000-4000-8000-000000000001
name: many_failures
correlation:
    type: value_count
    rules:
        - failure
        - 10000000-0000-4000-8000-000000000002
    group-by:
        - source
        - Host Name
    timespan: 90m
    aliases:
        source:
            failure: source.ip
            10000000-0000-4000-8000-000000000002: client.ip
    condition:
        field: TargetUserName
        gt: 100
        lte: 200
    generate: true
level: high
tags: [attack.t1110]
leat:
    suppress: {by: [source], for: 1d}
---
title: One
id: 10000000-0000-4000-8000-000000000001
name: failure
logsource: {product: linux}
detection: {s: {a: 1}, condition: s}
---
title: Two
id: 10000000-0000-4000-8000-000000000002
logsource: {product: windows}
detection: {s: {a: 2}, condition: s}
`

func linkedSet(text string) *Set {
	s := Parse("x.yml", []byte(text), Options{})
	s.Link()
	return s
}

func TestParseCorrelation(t *testing.T) {
	s := linkedSet(corrText)
	if len(s.Faults) > 0 || len(s.Correlations) != 1 {
		t.Fatal(s.Faults)
	}
	c := s.Correlations[0]
	if c.Type != ValueCount || c.Timespan != 90*time.Minute || !slices.Equal(c.GroupBy, []string{"source", "HostName"}) || !c.Generate ||
		!slices.Equal(c.Field, []string{"TargetUserName"}) || !slices.Equal(c.Bounds, []Bound{{"gt", 100}, {"lte", 200}}) || c.Level != LevelHigh {
		t.Errorf("%+v", c)
	}
	if c.Rules[0].Rule != s.Rules[0] || c.Rules[1].Rule != s.Rules[1] || !s.Rules[0].Feeds || s.Rules[0].Silent {
		t.Errorf("%+v", c.Rules)
	}
	if a, b, other := c.FieldOf(0, "source"), c.FieldOf(1, "source"), c.FieldOf(0, "HostName"); a != "source.ip" || b != "client.ip" || other != "HostName" {
		t.Errorf("%s %s %s", a, b, other)
	}
	if c.Suppress == nil || c.Suppress.For != 24*time.Hour || !slices.Equal(c.Suppress.By, []string{"source"}) {
		t.Errorf("%+v", c.Suppress)
	}
	silent := linkedSet(strings.Replace(corrText, "    generate: true\n", "", 1))
	if !silent.Rules[0].Silent || !silent.Rules[1].Silent {
		t.Error("rules that a correlation refers to raise alerts of their own")
	}
	top := linkedSet(strings.Replace(corrText, "    generate: true\nlevel", "generate: true\nlevel", 1))
	if len(top.Faults) > 0 || !top.Correlations[0].Generate {
		t.Error("generate at the top, as the schema has it", top.Faults)
	}
}

func TestCorrelationFaults(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		line           int
		key, reason    string
	}{
		{"no title", "title: Many Failures\n", "", 1, "title", "is missing"},
		{"a type that is none", "type: value_count", "type: value_max", 5, "correlation.type", `"value_max" is none of event_count`},
		{"no type", "    type: value_count\n", "", 5, "correlation.type", "is missing"},
		{"a rule that is not there", "- failure\n", "- fairlure\n", 7, "correlation.rules", `no rule with the id or name "fairlure"`},
		{"a rule twice", "- 10000000-0000-4000-8000-000000000002\n", "- failure\n", 8, "correlation.rules", "twice"},
		{"no rules", "    rules:\n        - failure\n        - 10000000-0000-4000-8000-000000000002\n", "", 5, "correlation.rules", "is missing"},
		{"a timespan without a unit", "timespan: 90m", "timespan: 90", 12, "correlation.timespan", `"90" is no number with one of the letters`},
		{"a timespan in words", "timespan: 90m", "timespan: an hour", 12, "correlation.timespan", "no number"},
		{"no time at all", "timespan: 90m", "timespan: 0s", 12, "correlation.timespan", "not from 1s"},
		{"a life", "timespan: 90m", "timespan: 99y", 12, "correlation.timespan", "not from 1s to 10y"},
		{"no timespan", "    timespan: 90m\n", "", 5, "correlation.timespan", "is missing"},
		{"an unknown key", "    timespan: 90m\n", "    timespan: 90m\n    timeframe: 90m\n", 13, "correlation.timeframe", "unknown key; expected type, rules"},
		{"a key twice", "    timespan: 90m\n", "    timespan: 90m\n    timespan: 90m\n", 13, "correlation.timespan", "twice"},
		{"an alias of a rule that is none of them", "            failure: source.ip", "            other: source.ip", 15, "correlation.aliases", `"other" is none of the rules`},
		{"an alias that is no table", "        source:\n            failure: source.ip\n            10000000-0000-4000-8000-000000000002: client.ip\n", "        source: x\n", 14, "correlation.aliases.source", "expected a table"},
		{"no field", "        field: TargetUserName\n", "", 18, "correlation.condition.field", "is missing; value_count is about"},
		{"no number", "gt: 100", "gt: many", 19, "correlation.condition.gt", `expected a number, found "many"`},
		{"infinity", "gt: 100", "gt: .inf", 19, "correlation.condition.gt", "expected a number"},
		{"an operator that is none", "gt: 100", "above: 100", 19, "correlation.condition.above", "unknown key; expected lt"},
		{"a range of nothing", "gt: 100", "gt: 300", 18, "correlation.condition", "no number satisfies it"},
		{"a percentile of a count", "gt: 100", "gt: 100\n        percentile: 5", 20, "correlation.condition.percentile", "does not go with value_count"},
		{"generate", "generate: true", "generate: perhaps", 21, "correlation.generate", "true or false"},
		{"text for a count", "    condition:\n        field: TargetUserName\n        gt: 100\n        lte: 200\n", "    condition: failure\n", 17, "correlation.condition", "text goes with temporal"},
		{"suppress without a time", "for: 1d", "by: [a]", 25, "leat.suppress.for", "is missing"},
		{"suppress with a word", "for: 1d", "for: ever", 25, "leat.suppress.for", "no number"},
		{"suppress with a key", "for: 1d", "for: 1d, x: 1", 25, "leat.suppress.x", "unknown key"},
		{"a rule as well", "correlation:\n", "detection: {s: {a: 1}, condition: s}\ncorrelation:\n", 6, "correlation", "beside detection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(corrText, c.from) {
				t.Fatal("the test does not replace anything")
			}
			s := linkedSet(strings.Replace(corrText, c.from, c.to, 1))
			if len(s.Faults) == 0 || len(s.Correlations) > 0 {
				t.Fatalf("taken: %v", s.Faults)
			}
			f := s.Faults[0]
			if f.Key != c.key || f.Line != c.line || !strings.Contains(f.Reason, c.reason) || !strings.Contains(f.Error(), "^") {
				t.Errorf("%d: %s: %s, want %d: %s: %s\n%s", f.Line, f.Key, f.Reason, c.line, c.key, c.reason, f.Error())
			}
			for _, r := range s.Rules {
				if r.Silent || r.Feeds {
					t.Error("a correlation that was refused silences a rule")
				}
			}
		})
	}
}

func TestTimespans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90m": 90 * time.Minute, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"1M": 2_629_746 * time.Second, "1y": 31_556_952 * time.Second,
	} {
		s := linkedSet(strings.Replace(corrText, "timespan: 90m", "timespan: "+text, 1))
		if len(s.Correlations) != 1 || s.Correlations[0].Timespan != want {
			t.Errorf("%s: %v", text, s.Faults)
		}
	}
}

// base are rules a, b and c.
const base = `title: A
name: a
logsource: {product: x}
detection: {s: {f: a}, condition: s}
---
title: B
name: b
id: b0000000-0000-4000-8000-000000000001
logsource: {product: x, category: y}
detection: {s: {f: b}, condition: s}
---
title: C
name: c
logsource: {product: z}
detection: {s: {f: c}, condition: s}
---
`

func temporal(condition string) string {
	return base + "title: T\nname: t\ncorrelation: {type: temporal, rules: [a, b, c], group-by: [u], timespan: 5m, condition: '" + condition + "'}\n"
}

func TestExtendedConditions(t *testing.T) {
	for condition, want := range map[string]string{
		"a and b or not c":       "((0 & 1) | !2)",
		"a AND (b Or NOT c)":     "(0 & (1 | !2))",
		"all of them":            "(0 & 1 & 2)",
		"1 of them":              "(0 | 1 | 2)",
		"not (a and b) and c":    "(!(0 & 1) & 2)",
		"a and b":                "fault: does not mention the rule c",
		"a and b and d":          `fault: no rule "d"; there are: a, b, c`,
		"a and (b or c":          "fault: expected ), found the end at character 14",
		"a and b and c |count()": "fault: expected and, or or the end",
	} {
		s := linkedSet(temporal(condition))
		got := ""
		if len(s.Faults) > 0 {
			got = "fault: " + s.Faults[0].Reason
		} else {
			got = showExpr(s.Correlations[0].Expr)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
	// Without the key rules they are those of the condition, in its order.
	s := linkedSet(base + "title: T\ncorrelation: {type: temporal_ordered, group-by: [u], timespan: 5m, condition: c and not (a or b)}\n")
	if len(s.Faults) > 0 || s.Correlations[0].Rules[0].Name != "c" || showExpr(s.Correlations[0].Expr) != "(0 & !(1 | 2))" {
		t.Errorf("%v %+v", s.Faults, s.Correlations)
	}
	all := linkedSet(base + "title: T\ncorrelation: {type: temporal, rules: [a, b], timespan: 5m}\n")
	if len(all.Faults) > 0 || !slices.Equal(all.Correlations[0].Bounds, []Bound{{"gte", 2}}) || all.Correlations[0].GroupBy != nil {
		t.Errorf("%v", all.Faults)
	}
}

func showExpr(x *Expr) string {
	if x.Op == ExprRef {
		return fmt.Sprint(x.Ref)
	}
	if x.Op == ExprNot {
		return "!" + showExpr(x.Kids[0])
	}
	var kids []string
	for _, k := range x.Kids {
		kids = append(kids, showExpr(k))
	}
	return "(" + strings.Join(kids, map[ExprOp]string{ExprAnd: " & ", ExprOr: " | "}[x.Op]) + ")"
}

func chain(name, refs string) string {
	return "title: " + name + "\nname: " + name + "\ncorrelation: {type: event_count, rules: [" + refs + "], timespan: 5m, condition: {gte: 1}}\n---\n"
}

// Correlations come behind those that they refer to, whatever the order of documents and files.
func TestChains(t *testing.T) {
	all := Parse("one.yml", []byte(chain("outer", "middle, inner")+chain("middle", "inner")), Options{})
	all.Add(Parse("two.yml", []byte(chain("inner", "a")+base), Options{}))
	all.Link()
	var names []string
	for _, c := range all.Correlations {
		names = append(names, c.Name)
	}
	if len(all.Faults) > 0 || strings.Join(names, " ") != "inner middle outer" {
		t.Errorf("%v %v", names, all.Faults)
	}
	if inner, outer := all.Correlations[0], all.Correlations[2]; !inner.Silent || !inner.Feeds || outer.Silent || outer.Feeds || outer.Rules[1].Correlation != inner {
		t.Errorf("%+v %+v", inner, outer)
	}
	for text, want := range map[string]string{
		chain("one", "two") + chain("two", "one"):    "refers back to this correlation",
		chain("me", "me"):                            "refers back to this correlation",
		chain("one", "two") + chain("two", "nobody"): "has a fault of its own",
		base + chain("x", "a") + "title: A2\nname: a\nlogsource: {product: x}\ndetection: {s: {f: a}, condition: s}\n": `several rules have the name "a"`,
	} {
		s := linkedSet(text)
		if !slices.ContainsFunc(s.Faults, func(f *Fault) bool { return strings.Contains(f.Reason, want) }) {
			t.Errorf("no fault %q: %v", want, s.Faults)
		}
		if len(s.Correlations) > 0 {
			t.Errorf("%q: %d correlations are left", want, len(s.Correlations))
		}
	}
	deep := ""
	for i := range 30 {
		deep += chain(fmt.Sprintf("d%d", i), fmt.Sprintf("d%d", i+1))
	}
	if s := linkedSet(deep + chain("d30", "a") + base); !slices.ContainsFunc(s.Faults, func(f *Fault) bool { return strings.Contains(f.Reason, "deeper than") }) {
		t.Error("a chain of 30 is taken")
	}
}

// Two files may use the same names for rules of their own.
func TestNamesOfTwoFiles(t *testing.T) {
	s := Parse("one.yml", []byte(chain("first", "a")+base), Options{})
	s.Add(Parse("two.yml", []byte(chain("second", "a")+strings.Replace(base, "b0000000", "b1111111", 1)), Options{}))
	s.Add(Parse("three.yml", []byte(chain("third", "a")), Options{}))
	s.Link()
	if len(s.Faults) != 1 || s.Faults[0].File != "three.yml" || !strings.Contains(s.Faults[0].Reason, "several rules have the name") {
		t.Errorf("%v", s.Faults)
	}
	if len(s.Correlations) != 2 || s.Correlations[0].Rules[0].Rule.File != "one.yml" || s.Correlations[1].Rules[0].Rule.File != "two.yml" {
		t.Errorf("%+v", s.Correlations)
	}
}

// A correlation that states no level has the highest of its rules.
func TestLevelIsInherited(t *testing.T) {
	leveled := strings.Replace(base, "name: a\n", "name: a\nlevel: high\n", 1)
	leveled = strings.Replace(leveled, "name: b\n", "name: b\nlevel: low\n", 1)
	s := linkedSet(leveled + chain("outer", "inner, b") + chain("inner", "a, b") + strings.Replace(chain("own", "a"), "name: own", "name: own\nlevel: low", 1))
	var got []string
	for _, c := range s.Correlations {
		got = append(got, c.Name+" "+c.Level.String())
	}
	if strings.Join(got, ", ") != "inner high, outer high, own low" {
		t.Errorf("%v %v", got, s.Faults)
	}
}

func TestSameIDs(t *testing.T) {
	s := linkedSet(corrText + "---\ntitle: Again\nid: 10000000-0000-4000-8000-000000000001\ncorrelation: {type: event_count, rules: [failure], timespan: 1m, condition: {gte: 2}}\n")
	if len(s.Correlations) != 1 || len(s.Faults) != 1 || !strings.Contains(s.Faults[0].Reason, "x.yml:27 has the same id") {
		t.Errorf("%v", s.Faults)
	}
}

func TestActionIsNoMore(t *testing.T) {
	s := linkedSet("action: global\ntitle: G\nlogsource: {product: x}\n---\n" + base)
	if len(s.Faults) != 1 || s.Faults[0].Key != "action" || !strings.Contains(s.Faults[0].Reason, "Sigma 1") {
		t.Errorf("%v", s.Faults)
	}
}

// FuzzLink: whatever the documents, each is told of, and what is linked can be used.
func FuzzLink(f *testing.F) {
	f.Add([]byte(corrText))
	f.Add([]byte(temporal("a and (b or not c)")))
	f.Add([]byte(filterOf("rules: any", "1 of s*") + base))
	f.Add([]byte(filterOf("rules: [a, b]", "not s") + base + chain("x", "a")))
	f.Add([]byte(chain("one", "two") + chain("two", "one")))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Parse("f.yml", data, Options{})
		if s.empty() {
			t.Fatal("nothing of a file is told")
		}
		s.Link()
		for _, ft := range s.Faults {
			_ = ft.Error()
		}
		if _, err := NewIndex(s.Rules, nil); err != nil {
			t.Fatal(err)
		}
		for i, c := range s.Correlations {
			if c.Timespan <= 0 || len(c.Rules) == 0 || len(c.Bounds) == 0 && c.Expr == nil {
				t.Fatalf("%+v", c)
			}
			for j := range c.Rules {
				ref := &c.Rules[j]
				if (ref.Rule == nil) == (ref.Correlation == nil) {
					t.Fatalf("%+v", ref)
				}
				if ref.Correlation != nil && slices.Index(s.Correlations, ref.Correlation) >= i {
					t.Fatal("refers to one behind it")
				}
				_ = c.FieldOf(j, "x")
			}
		}
	})
}
