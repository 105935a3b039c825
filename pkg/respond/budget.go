package respond

import (
	"fmt"
	"slices"
	"time"
)

// meter counts actions in sliding windows. It is told the time and knows no clock.
type meter struct {
	total  Limit
	all    []time.Time
	each   map[string][]time.Time // by play/action
	halted map[string]string      // scope ("" = everything) -> why
}

func newMeter(total Limit) *meter {
	return &meter{total: total, each: map[string][]time.Time{}, halted: map[string]string{}}
}

// scopeOf is the name under which an action has its own budget.
func scopeOf(play, action string) string { return play + "/" + action }

// spend takes one action from the budgets. Where it may not be run, why says so; halt is the scope that this very call
// halted, and halting tells that it did.
//
// A notification has only its own limit, and going beyond it halts nothing: a flood of messages must not keep the next
// account from being locked, nor the page about the flood from going out.
func (m *meter) spend(scope string, limit Limit, notify bool, now time.Time) (why, halt string, halting bool) {
	if !notify {
		for _, s := range []string{"", scope} {
			if w, ok := m.halted[s]; ok {
				return w, "", false
			}
		}
	}
	m.each[scope] = recent(m.each[scope], now.Add(-limit.Per))
	if len(m.each[scope]) >= limit.Max {
		why = fmt.Sprintf("budget: %s ran %d times within %v", scope, len(m.each[scope]), limit.Per)
		if notify {
			return why, "", false
		}
		m.halted[scope] = why
		return why, scope, true
	}
	if !notify {
		m.all = recent(m.all, now.Add(-m.total.Per))
		if len(m.all) >= m.total.Max {
			why = fmt.Sprintf("budget: %d actions in all ran within %v", len(m.all), m.total.Per)
			m.halted[""] = why
			return why, "", true
		}
	}
	m.note(scope, notify, now)
	return "", "", false
}

// note counts an action that was started, also one from the journal.
func (m *meter) note(scope string, notify bool, at time.Time) {
	m.each[scope] = append(m.each[scope], at)
	if !notify {
		m.all = append(m.all, at)
	}
}

// recent leaves out what is older than from; times are in order, but for clocks that were set back.
func recent(times []time.Time, from time.Time) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return !t.After(from) })
}
