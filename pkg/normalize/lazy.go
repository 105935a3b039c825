package normalize

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"leat/pkg/yamlfile"
)

// A built-in mapping is compiled when its first record comes. There are hundreds of them, most pipes need a few, and a filter
// that takes a third of a second to start is no filter.

// headKeys are the parts of a mapping by which a record finds it.
var headKeys = []string{"name", "dataset", "about", "hints", "when", "extends"}

// lazyMapping reads what a mapping is known by and leaves the rest to plan.ready.
func lazyMapping(name string, data []byte, extends base) (*plan, error) {
	var doc document
	file, err := yamlfile.Decode(name, head(data), &doc)
	if err != nil {
		return nil, err
	}
	p := &plan{file: name}
	c := &compiler{file: file, plan: p}
	c.names(&doc)
	c.when(&doc.When)
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	p.finish = sync.OnceValue(func() error {
		q, err := compileMapping(name, data, extends)
		if err == nil {
			p.body = q.body
		}
		return err
	})
	if slices.ContainsFunc(p.signs, func(s sign) bool { return s.lines }) {
		return p, p.ready() // its lines are signs
	}
	return p, nil
}

// builtOn tells whether the mapping extends, at any depth, one of a file for which foreign is true.
func builtOn(data []byte, extends base, foreign func(file string) bool, depth int) bool {
	var doc document
	if _, err := yamlfile.Decode("", head(data), &doc); err != nil || depth > maxExtends {
		return true // its faults are told by who compiles it
	}
	for _, name := range doc.Extends {
		data, file, ok := extends(name)
		if !ok || foreign(file) || builtOn(data, extends, foreign, depth+1) {
			return true
		}
	}
	return false
}

// ready makes the body of the plan, once, where that was put off; one that choose gave has it.
func (p *plan) ready() error {
	if p.finish == nil {
		return nil
	}
	return p.finish()
}

// made is p with its body. A built-in mapping that can't be compiled, which the tests don't let pass, takes no record.
func made(p *plan) *plan {
	if p == nil || p.ready() != nil {
		return nil
	}
	return p
}

// head is the text of a mapping without the parts that are not under headKeys.
func head(data []byte) []byte {
	var out []byte
	keep := false
	for line := range bytes.Lines(data) {
		if c := line[0]; c-'a' < 26 {
			key, _, _ := bytes.Cut(line, []byte(":"))
			keep = slices.Contains(headKeys, string(key))
		}
		if keep {
			out = append(out, line...)
		}
	}
	return out
}

// Check compiles every mapping. Load alone does so only for mappings of folders: the built-in ones are tested.
func (m *Mappings) Check() error {
	var faults []error
	for _, p := range m.plans {
		faults = append(faults, p.ready())
	}
	return errors.Join(faults...)
}
