package tui

import (
	"strings"

	"leat/pkg/event"
)

// maxText bounds what the table keeps of one field, in bytes; the whole line is kept beside it.
const maxText = 600

// row is one alert, ready for the table. Its texts are clean.
type row struct {
	seq     uint64 // number of arrival
	raw     []byte // the line as it came, owned
	time    int64  // @timestamp in ns since 1970; 0 = none
	level   int
	id      string
	ruleID  string
	rule    string // name, or else id
	user    string
	host    string
	source  string
	message string
	isAlert bool
	stepOf  string // of a step of respond: the id of its alert

	drawn    string // the table's line
	drawnFor drawKey
}

var rowFields = event.MustFields(
	"@timestamp", "event.id", "event.kind", "rule.id", "rule.name", "leat.alert.level", "log.level", "event.severity",
	"user.name", "user.full_name", "user.email", "host.name", "host.hostname", "host.ip", "source.ip", "source.address", "source.domain",
	"message", "event.action", "event.dataset", "event.original", "leat.respond.alert", "user.id", "destination.domain", "destination.ip")

const (
	fTime = iota
	fID
	fKind
	fRuleID
	fRuleName
	fLevel
	fLogLevel
	fSeverity
	fUser
	fFullName
	fEmail
	fHost
	fHostname
	fHostIP
	fSourceIP
	fSourceAddr
	fSourceDomain
	fMessage
	fAction
	fDataset
	fOriginal
	fRespondAlert
	fUserID
	fDestDomain
	fDestIP
)

// newRow reads the parsed event e; raw is its line, which the row keeps.
func newRow(v []event.Value, raw []byte) *row {
	r := &row{raw: raw, id: text(v[fID]), ruleID: text(v[fRuleID]), level: levelUnknown, isAlert: v[fKind].Is("alert"), stepOf: text(v[fRespondAlert])}
	if t := v[fTime]; t.Kind == event.String {
		r.time, _ = event.ParseTime(t.Text(nil))
	}
	r.rule = firstOf(v, fRuleName, fRuleID, fAction, fDataset)
	r.user = firstOf(v, fUser, fFullName, fEmail, fUserID)
	r.host = firstOf(v, fHost, fHostname, fHostIP, fDestDomain, fDestIP)
	r.source = firstOf(v, fSourceIP, fSourceAddr, fSourceDomain)
	r.message = firstOf(v, fMessage, fOriginal, fAction)
	for _, f := range []int{fLevel, fLogLevel} {
		if r.level == levelUnknown && v[f].Kind == event.String {
			r.level = levelOf(v[f].String())
		}
	}
	if n, ok := v[fSeverity].Float(); ok && r.level == levelUnknown && r.isAlert {
		r.level = levelOfScore(n)
	}
	return r
}

// levelOfScore is the level of an event.severity on the scale of 0 to 100.
func levelOfScore(n float64) int {
	switch {
	case n >= 99:
		return 4
	case n >= 73:
		return 3
	case n >= 47:
		return 2
	case n >= 21:
		return 1
	}
	return 0
}

func firstOf(v []event.Value, fields ...int) string {
	for _, f := range fields {
		if s := text(v[f]); s != "" {
			return s
		}
	}
	return ""
}

// text returns a value for the table: the first of an array, clean and bounded.
func text(v event.Value) (s string) {
	v.Elements(func(e event.Value) bool {
		if e.Kind != event.Null {
			s = clean(clip(e.String(), maxText))
		}
		return s == ""
	})
	return strings.TrimSpace(s)
}

// entity is whom or what an alert is about, for grouping.
func (r *row) entity() string {
	switch {
	case r.user != "" && r.host != "":
		return r.user + " @ " + r.host
	case r.user != "":
		return r.user
	case r.host != "":
		return r.host
	}
	return r.source
}
