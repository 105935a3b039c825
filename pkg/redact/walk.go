package redact

import (
	"bytes"
	"slices"

	"leat/pkg/event"
)

// run holds the memory for one event after the other.
type run struct {
	cfg     *Config
	keyed   *keyed
	rules   verdicts
	secrets secrets

	line, path, text, fresh []byte
	dataset                 []byte // event.dataset
	hits                    []hit
	names                   []string // of the rules that did something
	drop                    bool     // event.original goes
	cut                     [2]int   // where it stands in what was written
	unread                  bool     // so does what may hold a part of it
	ruled                   bool     // a rule names a field of the event
}

// event appends the event on line, redacted. changed is false where it holds nothing to redact.
func (r *run) event(line, dst []byte) (out []byte, changed bool) {
	r.secrets.reset()
	r.names, r.path = r.names[:0], r.path[:0]
	root := event.ValueOf(line)
	r.dataset = append(r.dataset[:0], root.Member("event").Member("dataset").Text(nil)...)
	r.ruled = false
	if len(r.cfg.fields) > 0 {
		r.collect(root)
	}
	r.unread = !r.cfg.unread && unreadable(root)
	if !r.ruled && !r.unread && len(r.cfg.patterns) == 0 {
		return dst, false
	}
	r.drop, r.cut = r.unread, [2]int{}
	start := len(dst)
	dst, changed = r.object(dst, root)
	if !changed {
		return dst[:start], false
	}
	if !r.drop && !r.cfg.rewrite && r.cut[1] > 0 {
		// Only now is it known that something was redacted.
		dst = slices.Delete(dst, r.cut[0], r.cut[1])
		if dst[r.cut[0]-1] == '{' && dst[r.cut[0]] == ',' {
			dst = slices.Delete(dst, r.cut[0], r.cut[0]+1)
		}
		r.note("event.original")
	}
	return dst, true
}

// begins tells whether the dotted name begins with path, or is it.
func begins(name, path []byte) bool {
	return bytes.HasPrefix(name, path) && (len(name) == len(path) || name[len(path)] == '.')
}

func (r *run) note(name string) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

// unreadable tells whether no mapping read the event: what it says stands in event.original alone.
func unreadable(root event.Value) bool {
	e := root.Member("event")
	return e.Member("kind").Is(event.KindError) || !root.Member("@timestamp").Exists()
}

// quotesRecord tells whether the field is one in which stages quote a record that they could not read.
func quotesRecord(path []byte) bool {
	switch view(path) {
	case "message", "error.message", "leat.value":
		return true
	}
	return false
}

var originalPath = []byte("event.original")

// collect notes the values that the rules for fields redact.
func (r *run) collect(v event.Value) {
	switch v.Kind {
	case event.Object:
		v.Members(func(key []byte, val event.Value) bool {
			mark := len(r.path)
			r.push(key)
			if val.Kind != event.Object || r.rules.below(r.path) {
				r.collect(val)
			}
			r.path = r.path[:mark]
			return true
		})
	case event.Array:
		v.Elements(func(e event.Value) bool { r.collect(e); return true })
	default:
		d := r.rules.of(r.path)
		if d.act == nil {
			return
		}
		r.ruled = true
		if v.Kind == event.String && !bytes.Equal(r.path, originalPath) || v.Kind == event.Number {
			r.text = append(r.text[:0], v.Text(nil)...)
			r.secrets.add(r.text, d.act, r.keyed)
		}
	}
}

func (r *run) push(key []byte) {
	if len(r.path) > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, key...)
}

// object appends an object, redacted.
func (r *run) object(dst []byte, v event.Value) (out []byte, changed bool) {
	out = append(dst, '{')
	first := true
	v.Members(func(key []byte, val event.Value) bool {
		mark, before := len(r.path), len(out)
		r.push(key)
		dst := out
		if !first {
			dst = append(dst, ',')
		}
		dst, named := r.key(dst, key)
		body, c, there := r.value(append(dst, ':'), val)
		if there {
			if bytes.Equal(r.path, originalPath) {
				r.cut = [2]int{before, len(body)}
			}
			out, first = body, false
		} else {
			out = body[:before]
		}
		changed = changed || named || c
		r.path = r.path[:mark]
		return true
	})
	return append(out, '}'), changed
}

// key appends a member's name. The names of ECS and of the dataset's own object hold no secret; those within it may.
func (r *run) key(dst, key []byte) ([]byte, bool) {
	if fresh, changed := r.redactText(r.fresh[:0], key); changed && !r.known() && !begins(r.dataset, r.path) {
		r.fresh = fresh
		return event.AppendString(dst, fresh), true
	}
	return event.AppendString(dst, key), false
}

// value appends a value, redacted. there is false where it goes.
func (r *run) value(dst []byte, v event.Value) (out []byte, changed, there bool) {
	switch v.Kind {
	case event.Object:
		dst, changed = r.object(dst, v)
		return dst, changed, true
	case event.Array:
		return r.array(dst, v)
	}
	if bytes.Equal(r.path, originalPath) {
		return r.original(dst, v)
	}
	d := r.rules.of(r.path)
	switch {
	case r.unread && quotesRecord(r.path):
		return dst, true, false
	case d.keep || v.Kind == event.Null:
		return append(dst, v.Raw...), false, true
	case d.act != nil:
		return r.act(dst, v, d)
	case v.Kind == event.String:
		return r.string(dst, v, d)
	case v.Kind == event.Number && !d.typed:
		return r.number(dst, v)
	}
	return append(dst, v.Raw...), false, true
}

// act appends what a rule for the field leaves of a value.
func (r *run) act(dst []byte, v event.Value, d verdict) (out []byte, changed, there bool) {
	r.note(d.rule)
	act := d.act
	if act.verb == remove {
		return dst, true, false
	}
	r.text = append(r.text[:0], v.Text(nil)...)
	if len(r.text) == 0 {
		return append(dst, v.Raw...), false, true
	}
	r.fresh = act.append(r.fresh[:0], r.text, r.keyed)
	return event.AppendString(dst, r.fresh), true, true
}

// string appends a text in which secrets and matches are replaced.
func (r *run) string(dst []byte, v event.Value, d verdict) (out []byte, changed, there bool) {
	if r.secrets.over {
		return event.AppendString(dst, removedText), true, !d.typed
	}
	text := v.Text(r.text)
	if v.Escaped() {
		r.text = text
	}
	fresh, changed := r.redactText(r.fresh[:0], text)
	if !changed {
		return append(dst, v.Raw...), false, true
	}
	r.fresh = fresh
	if string(fresh) == removedText || d.ip && !isAddress(fresh) {
		return dst, true, false
	}
	return event.AppendString(dst, fresh), true, true
}

// number appends a number, or a text in its place where it is a secret.
func (r *run) number(dst []byte, v event.Value) (out []byte, changed, there bool) {
	fresh, changed := r.redactText(r.fresh[:0], v.Raw)
	if !changed {
		return append(dst, v.Raw...), false, true
	}
	r.fresh = fresh
	return event.AppendString(dst, fresh), true, true
}

// original appends event.original, where it stays.
func (r *run) original(dst []byte, v event.Value) (out []byte, changed, there bool) {
	if r.drop || r.cut[1] > 0 { // a second one would escape the cut
		r.note("event.original")
		return dst, true, false
	}
	d := r.rules.of(r.path)
	if d.act != nil {
		return r.act(dst, v, d)
	}
	if v.Kind != event.String {
		return append(dst, v.Raw...), false, true
	}
	return r.string(dst, v, verdict{})
}

func (r *run) array(dst []byte, v event.Value) (out []byte, changed, there bool) {
	dst = append(dst, '[')
	start := len(dst)
	all := 0
	v.Elements(func(e event.Value) bool {
		all++
		before := len(dst)
		if before > start {
			dst = append(dst, ',')
		}
		var c, here bool
		if dst, c, here = r.value(dst, e); !here {
			dst = dst[:before]
		}
		changed = changed || c
		return true
	})
	return append(dst, ']'), changed, len(dst) > start || all == 0
}
