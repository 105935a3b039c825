package respond

import (
	"strings"
	"time"

	"leat/pkg/event"
)

// The steps that are told on the stream, as event.action.
const (
	stepWould     = "respond-would-run"
	stepRequested = "respond-requested"
	stepDone      = "respond-done"
	stepFailed    = "respond-failed"
	stepWithheld  = "respond-withheld"
	stepHalted    = "respond-halted"
)

// step is one thing that respond did or did not do, as the event about it tells it.
type step struct {
	name    string
	outcome string // event.outcome of ECS: success, failure, unknown
	reason  string // why, in words; may quote output of a program or receiver
	at      time.Time
	dryRun  bool
	job     *job
}

// job is one action for one target of one alert.
type job struct {
	Play   string `json:"play"`
	Action string `json:"action"`
	Kind   string `json:"kind"` // exec or webhook
	Field  string `json:"field,omitempty"`
	Target string `json:"target,omitempty"`
	Alert  string `json:"alert"` // event.id of the alert
	Rule   string `json:"rule,omitempty"`
	Level  int    `json:"level"`
	Key    string `json:"key"`
}

// actionKey is under what the journal and receivers know an action: the same for the same action on the same target for
// the same alert, however often it is replayed.
func actionKey(play, action, field, target, alert string) string {
	return event.DeriveID("respond", play, action, field, target, alert)
}

// id is the event.id of a step.
func (s *step) id() string { return event.DeriveID(s.job.Key, s.name) }

func (s *step) message() string {
	what := s.job.Action
	on := "the alert"
	if s.job.Field != "" {
		on = s.job.Field + " " + s.job.Target
	}
	verb := "did not run"
	switch s.name {
	case stepWould:
		verb = "would run"
	case stepRequested:
		verb = "runs"
	case stepDone:
		verb = "has run"
	case stepFailed:
		verb = "failed to run"
	case stepHalted:
		verb = "is halted before"
	}
	m := "play " + s.job.Play + " " + verb + " " + what + " on " + on
	if s.reason != "" {
		m += ": " + s.reason
	}
	return m
}

// appendLine appends the step's event as a JSON object.
func (s *step) appendLine(dst []byte) []byte {
	str := func(key, v string) {
		dst = event.AppendString(dst, key)
		dst = append(dst, ':')
		dst = event.AppendString(dst, v)
	}
	dst = append(dst, `{"@timestamp":"`...)
	dst = event.AppendTime(dst, s.at.UnixNano())
	dst = append(dst, `",`...)
	str("message", s.message())
	dst = append(dst, `,"event":{"kind":"event","category":["configuration"],"type":["`...)
	if s.name == stepDone {
		dst = append(dst, "change"...)
	} else {
		dst = append(dst, "info"...)
	}
	dst = append(dst, `"],"dataset":"leat.respond",`...)
	str("id", s.id())
	dst = append(dst, ',')
	str("action", s.name)
	dst = append(dst, ',')
	str("outcome", s.outcome)
	if s.reason != "" {
		dst = append(dst, ',')
		str("reason", s.reason)
	}
	dst = append(dst, '}')
	if s.job.Rule != "" {
		dst = append(dst, `,"rule":{`...)
		str("id", s.job.Rule)
		dst = append(dst, '}')
	}
	dst = append(dst, `,"leat":{"respond":{`...)
	str("play", s.job.Play)
	dst = append(dst, ',')
	str("action", s.job.Action)
	dst = append(dst, ',')
	str("kind", s.job.Kind)
	dst = append(dst, ',')
	if s.job.Field != "" {
		str("field", s.job.Field)
		dst = append(dst, ',')
		str("target", s.job.Target)
		dst = append(dst, ',')
	}
	str("alert", s.job.Alert)
	dst = append(dst, ',')
	str("key", s.job.Key)
	dst = append(dst, `,"dry_run":`...)
	if s.dryRun {
		dst = append(dst, "true}}}"...)
	} else {
		dst = append(dst, "false}}}"...)
	}
	return dst
}

// clip bounds a text that comes from outside and that goes into an event or the journal.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
