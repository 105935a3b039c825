package respond

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"leat/pkg/event"
)

// maxTargets is how many values of a target field one alert may name; an array of more is a hostile or broken one.
const maxTargets = 16

var alertFields = event.MustFields("event.id", "rule.id", "rule.name", "leat.alert.level", "log.level", "event.severity")

// alert is what a play's conditions look at.
type alert struct {
	event            *event.Event
	id               string
	ruleID, ruleName string
	level            int // index in levels, -1 = none told
}

func readAlert(e *event.Event, slots []event.Value) alert {
	alertFields.Read(e, slots)
	a := alert{event: e, id: slots[0].String(), ruleID: slots[1].String(), ruleName: slots[2].String(), level: -1}
	for _, v := range slots[3:5] {
		if a.level < 0 && v.Kind == event.String {
			a.level = levelOf(v.String())
		}
	}
	if n, ok := slots[5].Float(); ok && a.level < 0 {
		a.level = levelOfScore(n)
	}
	if a.id == "" {
		// Without an id there is nothing to key an action by but the alert itself.
		a.id = event.DeriveID("alert without id", string(e.Append(nil)))
	}
	return a
}

// levelOfScore maps event.severity, where an alert has no level in words, on the scale of 0 to 100 that ECS sources use.
func levelOfScore(n float64) int {
	bounds := [...]float64{21, 47, 73, 99} // low, medium, high, critical
	level := 0
	for i, least := range bounds {
		if n >= least {
			level = i + 1
		}
	}
	return level
}

// targetKind says which part of the allow-list a target is looked up in.
type targetKind uint8

const (
	kindAlert targetKind = iota // the alert as a whole
	kindUser
	kindHost
	kindAddr
	kindOther
)

// targetField is a compiled target of a play.
type targetField struct {
	path event.Path
	name string
	kind targetKind
}

func parseTarget(name string) (targetField, error) {
	if name == "" {
		return targetField{}, nil
	}
	path, err := event.ParsePath(name)
	if err != nil {
		return targetField{}, fmt.Errorf("target: %w", err)
	}
	t := targetField{path: path, name: name, kind: kindOther}
	last := path.Keys()[len(path.Keys())-1]
	switch {
	case last == "ip" || last == "address":
		t.kind = kindAddr
	case slices.Contains(path.Keys(), "user") || slices.Contains(userFields, name):
		t.kind = kindUser
	case slices.Contains(path.Keys(), "host") || slices.Contains(hostFields, name):
		t.kind = kindHost
	}
	return t, nil
}

// values returns the target's values in the alert, each once. For the alert as a whole it is one empty text.
func (t targetField) values(e *event.Event) (out []string, err error) {
	if t.kind == kindAlert {
		return []string{""}, nil
	}
	e.Get(t.path).Elements(func(v event.Value) bool {
		if s := v.String(); s != "" && v.Kind != event.Object && v.Kind != event.Array && !slices.Contains(out, s) {
			out = append(out, s)
		}
		return true
	})
	if len(out) > maxTargets {
		return nil, fmt.Errorf("%s has %d values, more than %d", t.name, len(out), maxTargets)
	}
	return out, nil
}

// fold makes texts that a person would call the same equal: compatibility forms, case, surrounding space, and what can't
// be seen at all.
func fold(s string) string {
	s = norm.NFKC.String(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, s)
	return strings.TrimSpace(s)
}

// parseAddr reads an address in any form that a log may have it in: in brackets, with a port, with a zone, IPv4 mapped
// into IPv6, with spaces around.
func parseAddr(s string) (netip.Addr, bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".")
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	a, err := netip.ParseAddr(s)
	return plain(a), err == nil
}

func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }
