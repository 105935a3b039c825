package redact

import (
	"slices"
	"strings"

	"leat/pkg/ecs"
)

// verdict is what is done to a field.
type verdict struct {
	act   *action // nil: no rule names it
	rule  string  // its glob
	keep  bool    // nothing is done to it, whatever it holds
	typed bool    // it holds no free text: a value that is not of its type any more is removed
	ip    bool    // it holds an address
}

// maxVerdicts bounds the memory for the names of fields that were seen; hostile events can have any.
const maxVerdicts = 4096

// verdicts finds what is done to a field by its dotted name. Each name is looked at once.
type verdicts struct {
	cfg  *Config
	seen map[string]verdict
}

func (v *verdicts) of(path []byte) verdict {
	if d, ok := v.seen[string(path)]; ok {
		return d
	}
	d := v.cfg.verdict(string(path))
	if len(v.seen) >= maxVerdicts {
		clear(v.seen)
	}
	if len(path) < 256 {
		v.seen[string(path)] = d
	}
	return d
}

// below tells whether a rule may name a field below the object path.
func (v *verdicts) below(path []byte) bool {
	path = append(path, '.') // path is the caller's own buffer: nothing behind it is lost
	if d, ok := v.seen[string(path)]; ok {
		return d.act != nil
	}
	may := verdict{}
	for i := range v.cfg.fields {
		r := &v.cfg.fields[i]
		literal, _, _ := strings.Cut(r.glob, "*")
		if strings.HasPrefix(literal, view(path)) || strings.HasPrefix(view(path), literal) {
			may.act = &r.act
			break
		}
	}
	if len(v.seen) >= maxVerdicts {
		clear(v.seen)
	}
	if len(path) < 256 {
		v.seen[string(path)] = may
	}
	return may.act != nil
}

func (c *Config) verdict(path string) verdict {
	if slices.Contains(kept, path) {
		return verdict{keep: true}
	}
	f, known := ecs.Lookup(path)
	typed := known && !f.Type.Textual() && f.Type != ecs.Object && f.Type != ecs.Flattened && f.Type != ecs.Nested
	d := verdict{typed: typed, ip: known && f.Type == ecs.IP}
	for i := range c.fields {
		// A rule for user reaches user.name too.
		if r := &c.fields[i]; glob(r.glob, path) || strings.HasPrefix(path, r.glob+".") {
			d.act, d.rule = &r.act, r.glob
			break
		}
	}
	if d.act != nil && typed && !holds(f.Type, d.act.verb) {
		d.act = &action{verb: remove}
	}
	d.keep = d.act == nil && known && f.Type == ecs.Date
	return d
}

// known tells whether the path is one that ECS has, or the beginning of one.
func (r *run) known() bool {
	if _, ok := ecs.Lookup(view(r.path)); ok {
		return true
	}
	return isObject(string(r.path))
}
