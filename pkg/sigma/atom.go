package sigma

import (
	"bytes"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"leat/internal/address"
	"leat/pkg/event"
)

// op is what an atom asks of a field.
type op uint8

const (
	opExact op = iota
	opPrefix
	opSuffix
	opContains
	opGlob
	opPresent // any value but null
	opNull    // null or not there
	opExists  // there, be it null
	opAbsent  // not there at all
	opRegex
	opCIDR
	opCompare
	opRef
	opTime
	opGroup // any of several that a scan finds; no rule has it
)

// atom is one comparison of one field with one value. Atoms are immutable.
type atom struct {
	field  string // empty for keywords
	op     op
	cased  bool
	text   string  // what opExact ... opContains look for, folded unless cased
	glob   pattern // for opGlob, folded unless cased
	re     *regexp.Regexp
	prefix netip.Prefix
	cmp    string // lt, lte, gt, gte; for opTime the part of the time
	num    float64
	ref    string // the other field
	refOp  op

	shown string // the value as the rule has it
	mods  string // the modifiers, with a leading | each
}

// texts is one value of a field in the two forms that atoms ask for.
type texts struct{ text, folded []byte }

// holdsText tells whether the atom holds for one value that is there and not null. opRef is not for here.
func (a *atom) holdsText(v texts) bool {
	s := v.folded
	if a.cased {
		s = v.text
	}
	switch a.op {
	case opExact:
		return string(s) == a.text
	case opPrefix:
		return len(s) >= len(a.text) && string(s[:len(a.text)]) == a.text
	case opSuffix:
		return len(s) >= len(a.text) && string(s[len(s)-len(a.text):]) == a.text
	case opContains:
		return strings.Contains(unsafeString(s), a.text)
	case opGlob:
		return a.glob.match(s)
	case opPresent, opExists:
		return true
	case opRegex:
		return a.re.Match(v.text)
	case opCIDR:
		addr, ok := parseAddr(v.text)
		return ok && a.prefix.Contains(addr)
	case opCompare:
		f, err := strconv.ParseFloat(unsafeString(bytes.TrimSpace(v.text)), 64)
		return err == nil && a.compare(f)
	case opTime:
		ns, ok := event.ParseTime(v.text)
		return ok && float64(timePart(ns, a.cmp)) == a.num
	}
	return false
}

func (a *atom) compare(f float64) bool {
	switch a.cmp {
	case "lt":
		return f < a.num
	case "lte":
		return f <= a.num
	case "gt":
		return f > a.num
	}
	return f >= a.num
}

func timePart(ns int64, name string) int {
	t := time.Unix(0, ns).UTC()
	switch name {
	case "minute":
		return t.Minute()
	case "hour":
		return t.Hour()
	case "day":
		return t.Day()
	case "week":
		_, w := t.ISOWeek()
		return w
	case "month":
		return int(t.Month())
	}
	return t.Year()
}

// parseAddr reads an IP address; a v4 address in v6's clothes is the v4 address.
func parseAddr(s []byte) (netip.Addr, bool) {
	addr, ok := address.Parse(s)
	return addr.Unmap(), ok
}

// refHolds compares a value with one of the field that it refers to.
func (a *atom) refHolds(v, other texts) bool {
	s, t := v.folded, other.folded
	if a.cased {
		s, t = v.text, other.text
	}
	switch a.refOp {
	case opPrefix:
		return bytes.HasPrefix(s, t)
	case opSuffix:
		return bytes.HasSuffix(s, t)
	case opContains:
		return bytes.Contains(s, t)
	}
	return bytes.Equal(s, t)
}
