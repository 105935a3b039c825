package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// modifierNames are all that the specification's appendix names.
var modifierNames = []string{
	"all", "base64", "base64offset", "cased", "cidr", "contains", "day", "endswith", "exists", "expand", "fieldref",
	"gt", "gte", "hour", "i", "ignorecase", "lt", "lte", "m", "minute", "month", "multiline", "neq", "dotall", "re", "s",
	"startswith", "utf16", "utf16be", "utf16le", "week", "wide", "windash", "year",
}

// item is a field with its modifiers, while they are applied.
type item struct {
	field  string
	mods   []string
	all    bool
	neq    bool
	cased  bool
	exists bool
	ref    bool
	cidr   bool
	re     bool
	flags  string // of re
	cmp    string // lt ... gte
	part   string // of the time
	wrap   op     // the last of contains, startswith, endswith
	wraps  bool
}

// parseItem reads a key of a detection: field|modifier|modifier.
func parseItem(key string) (*item, error) {
	parts := strings.Split(key, "|")
	it := &item{field: strings.ReplaceAll(parts[0], " ", ""), mods: parts[1:]}
	for _, m := range it.mods {
		if err := it.flag(m); err != nil {
			return nil, err
		}
	}
	return it, it.check()
}

// flag notes modifiers that change how values are read, not the values.
func (it *item) flag(m string) error {
	switch m {
	case "all":
		it.all = true
	case "neq":
		it.neq = true
	case "cased":
		it.cased = true
	case "exists":
		it.exists = true
	case "fieldref":
		it.ref = true
	case "cidr":
		it.cidr = true
	case "re":
		it.re = true
	case "i", "ignorecase":
		it.flags += "i"
	case "m", "multiline":
		it.flags += "m"
	case "s", "dotall":
		it.flags += "s"
	case "lt", "lte", "gt", "gte":
		it.cmp = m
	case "minute", "hour", "day", "week", "month", "year":
		it.part = m
	case "contains":
		it.wrap, it.wraps = opContains, true
	case "startswith":
		it.wrap, it.wraps = opPrefix, true
	case "endswith":
		it.wrap, it.wraps = opSuffix, true
	default:
		if !slices.Contains(modifierNames, m) {
			return fmt.Errorf("no modifier %q; there are: %s", m, strings.Join(modifierNames, ", "))
		}
	}
	return nil
}

func (it *item) check() error {
	kinds := 0
	for _, is := range []bool{it.exists, it.ref, it.cidr, it.re, it.cmp != "", it.part != ""} {
		if is {
			kinds++
		}
	}
	transforms := slices.ContainsFunc(it.mods, func(m string) bool {
		return slices.Contains([]string{"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "windash"}, m)
	})
	switch {
	case it.flags != "" && !it.re:
		return fmt.Errorf("the flags i, m and s belong behind re")
	case kinds > 1 || kinds == 1 && transforms || it.wraps && kinds == 1 && !it.ref:
		return fmt.Errorf("the modifiers %s exclude each other", strings.Join(it.mods, ", "))
	case it.field == "" && kinds > 0 && !it.re:
		return fmt.Errorf("keywords take no modifiers but those of text")
	}
	return nil
}

// apply gives the patterns that a text value stands for after every modifier, in their order.
func (it *item) apply(text string, lookup func(name string) ([]string, bool)) ([]pattern, error) {
	vals := []pattern{parsePattern(text)}
	for _, m := range it.mods {
		var out []pattern
		for _, v := range vals {
			more, err := modify(m, v, lookup)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		if len(out) > maxExpansion && !slices.Contains(it.mods, "expand") {
			return nil, fmt.Errorf("more than %d forms of one value", maxExpansion)
		}
		if len(out) > 3*maxLookup {
			return nil, fmt.Errorf("more than %d forms of one value", 3*maxLookup)
		}
		vals = out
	}
	return vals, nil
}

func modify(m string, v pattern, lookup func(name string) ([]string, bool)) ([]pattern, error) {
	star := part{kind: any0}
	switch m {
	case "contains":
		return []pattern{slices.Concat(pattern{star}, v, pattern{star}).tidy()}, nil
	case "startswith":
		return []pattern{slices.Concat(v, pattern{star}).tidy()}, nil
	case "endswith":
		return []pattern{slices.Concat(pattern{star}, v).tidy()}, nil
	case "windash":
		return windash(v)
	case "expand":
		return expand(v, lookup)
	case "wide", "utf16le":
		return encoded(v, func(s string) []string { return []string{utf16Text(s, binary.LittleEndian, false)} })
	case "utf16be":
		return encoded(v, func(s string) []string { return []string{utf16Text(s, binary.BigEndian, false)} })
	case "utf16":
		return encoded(v, func(s string) []string { return []string{utf16Text(s, binary.LittleEndian, true)} })
	case "base64":
		return encoded(v, func(s string) []string { return []string{base64.StdEncoding.EncodeToString([]byte(s))} })
	case "base64offset":
		if s, ok := v.plain(); ok && len(s) < 2 {
			return nil, fmt.Errorf("base64offset takes two bytes at least, not %q", s)
		}
		return encoded(v, base64Offsets)
	}
	return []pattern{v}, nil
}

func encoded(v pattern, enc func(string) []string) ([]pattern, error) {
	s, ok := v.plain()
	if !ok {
		return nil, errWildcard
	}
	var out []pattern
	for _, t := range enc(s) {
		out = append(out, pattern{{literal, t}}.tidy())
	}
	return out, nil
}
