package respond

import (
	"leat/pkg/event"
)

// plan is a playbook made ready to run.
type plan struct {
	book  *Playbook
	plays []compiledPlay
}

type compiledPlay struct {
	play    *Play
	actions []compiledAction
}

type compiledAction struct {
	action *Action
	kind   string
	target targetField
	guard  *guarded
}

func newPlan(book *Playbook) (*plan, error) {
	p := &plan{book: book}
	for i := range book.Plays {
		cp := compiledPlay{play: &book.Plays[i]}
		for j := range cp.play.Actions {
			a := &cp.play.Actions[j]
			t, err := parseTarget(a.Target)
			if err != nil {
				return nil, err
			}
			ca := compiledAction{action: a, kind: "exec", target: t}
			var act actor = a.Exec
			if a.Webhook != nil {
				ca.kind, act = "webhook", a.Webhook
			}
			ca.guard = &guarded{allow: &book.Allow, target: t, notify: a.Notify, next: act}
			cp.actions = append(cp.actions, ca)
		}
		p.plays = append(p.plays, cp)
	}
	return p, nil
}

// find returns the action of that name, or nil where the playbook no longer has it.
func (p *plan) find(play, action string) *compiledAction {
	for i := range p.plays {
		for j := range p.plays[i].actions {
			if a := &p.plays[i].actions[j]; p.plays[i].play.Name == play && a.action.Name == action {
				return a
			}
		}
	}
	return nil
}

// wish is an action that a play asks for, or the reason why it can't be asked for.
type wish struct {
	job    job
	action *compiledAction
	err    error
}

// wishes returns what the plays ask for on an alert, in the order of the playbook.
func (p *plan) wishes(a *alert) (out []wish) {
	for i := range p.plays {
		cp := &p.plays[i]
		if !cp.play.When.match(a) {
			continue
		}
		for j := range cp.actions {
			out = append(out, cp.actions[j].wishes(cp.play.Name, a)...)
		}
	}
	return out
}

func (c *compiledAction) wishes(play string, a *alert) (out []wish) {
	base := job{Play: play, Action: c.action.Name, Kind: c.kind, Field: c.target.name, Alert: a.id, Rule: a.ruleID, Level: a.level}
	values, err := c.target.values(a.event)
	if err == nil && len(values) == 0 {
		err = errNoTarget{c.target.name}
	}
	if err != nil {
		base.Key = actionKey(play, base.Action, base.Field, "", a.id)
		return []wish{{job: base, action: c, err: err}}
	}
	for _, v := range values {
		j := base
		j.Target = v
		j.Key = actionKey(play, j.Action, j.Field, v, a.id)
		out = append(out, wish{job: j, action: c})
	}
	return out
}

type errNoTarget struct{ field string }

func (e errNoTarget) Error() string { return "the alert has no " + e.field }

// isAlert tells whether e is an alert that respond looks at.
func isAlert(e *event.Event) bool { return e.Get(kindPath).Is("alert") }

var kindPath = event.MustPath("event.kind")
