// Package respond turns alerts into guarded actions: it runs a program or calls a webhook for the alerts that match a
// play of a playbook, and tells on the stream what it did, behind the alert that asked for it.
//
// Nothing is done unless Config.Enforce is set: by default each action is only reported as one that would have been run.
// An enforced action passes, in this order, the play's conditions, the journal (was it done before?), the budget, and
// last, in the actor itself, the allow-list of those that are never acted on.
//
// Delivery: events pass unchanged and in order. An action is journaled before it is started and after it has ended, keyed
// by (play, action, target, alert id); one whose outcome is in the journal is never run again, whatever is replayed; one
// that was started and has no outcome (kill -9, power loss) is run again with the same key, so that a receiver can tell.
// Actions are therefore at-least-once, idempotent by key. The events about them are exactly-once in a marked pipe, since
// those that no committed mark covers are emitted again after a restart, and at-least-once in an unmarked one, with the
// same event.id.
//
// It is not for deciding what is an alert (detect), and it has no undo, no approval and no actors of its own for
// directories or firewalls yet. It believes the alerts on its input: put it right behind detect.
package respond
