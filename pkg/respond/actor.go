package respond

import (
	"context"
	"encoding/json"

	"leat/pkg/event"
)

// actor does one kind of action. The error's text goes into an event; detail tells what came of it.
type actor interface {
	run(ctx context.Context, r *request) (detail string, err error)
}

// request is what an actor is told.
type request struct {
	job   *job
	alert *event.Event // parsed, on memory of its own
	body  []byte       // the JSON object that a program reads or a receiver is sent
}

// body is the object that actors are given. Its fields are described in docs/06-respond.md and only ever added to.
type body struct {
	Version int             `json:"version"`
	Key     string          `json:"key"`
	Play    string          `json:"play"`
	Action  string          `json:"action"`
	Target  *bodyTarget     `json:"target,omitempty"`
	Alert   json.RawMessage `json:"alert"`
}

type bodyTarget struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

func newRequest(j *job, line []byte) (*request, error) {
	r := &request{job: j, alert: &event.Event{}}
	r.alert.Reset(line)
	if err := r.alert.Parse(); err != nil {
		return nil, err
	}
	doc := body{Version: 1, Key: j.Key, Play: j.Play, Action: j.Action, Alert: line}
	if j.Field != "" {
		doc.Target = &bodyTarget{Field: j.Field, Value: j.Target}
	}
	var err error
	r.body, err = json.Marshal(doc)
	return r, err
}

// errWithheld is an allow-list's no.
type errWithheld struct{ why error }

func (e errWithheld) Error() string { return "allow-list: " + e.why.Error() }

// guarded is an actor behind the allow-list, which is thereby the last thing that is asked before anything happens.
type guarded struct {
	allow  *Allow
	target targetField
	notify bool
	next   actor
}

func (g *guarded) check(e *event.Event, value string) error {
	if g.notify {
		return nil
	}
	if err := g.allow.refuses(e, g.target, value); err != nil {
		return errWithheld{err}
	}
	return nil
}

func (g *guarded) run(ctx context.Context, r *request) (string, error) {
	if err := g.check(r.alert, r.job.Target); err != nil {
		return "", err
	}
	return g.next.run(ctx, r)
}
