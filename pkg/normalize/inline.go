package normalize

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
)

// inlineTest is one case of a mapping's `tests`: a record, and the fields that must come out of it.
type inlineTest struct {
	in   string
	out  map[string]any
	line int
}

// tests reads `tests: [{in: record, out: {field: value}}]`; a field that must be absent is null.
func (c *compiler) tests(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	if n.Kind != yaml.SequenceNode {
		c.fault(n, "tests: expected a list, found %s", kindOf(n))
		return
	}
	for _, e := range n.Content {
		t := inlineTest{line: e.Line, out: map[string]any{}}
		keys, vals := c.entries(e, "tests")
		for i, k := range keys {
			switch k.Value {
			case "in":
				t.in = vals[i].Value
			case "out":
				if err := vals[i].Decode(&t.out); err != nil {
					c.fault(vals[i], "tests: %v", err)
				}
			default:
				c.fault(k, "tests: unknown key %q; expected in, out", k.Value)
			}
		}
		c.plan.tests = append(c.plan.tests, t)
	}
}

// Test runs the inline tests of every mapping, each record without a hint: it must be recognised. It returns the number of
// tests and what was wrong, each with its file and line.
func (m *Mappings) Test() (n int, faults []error) {
	for _, p := range m.plans {
		if err := p.ready(); err != nil {
			faults = append(faults, err)
			continue
		}
		for _, t := range p.tests {
			n++
			if err := m.test(p, &t); err != nil {
				faults = append(faults, fmt.Errorf("%s:%d: %w", p.file, t.line, err))
			}
		}
	}
	return n, faults
}

func (m *Mappings) test(p *plan, t *inlineTest) error {
	s := New(Config{Mappings: m})
	var b event.Batch
	b.Push([]byte(t.in))
	if err := s.Process(&b); err != nil {
		return err
	}
	b.Compact()
	if len(b.Events) == 0 {
		return fmt.Errorf("the record gave no event")
	}
	line := b.Events[0].Append(nil)
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		return err
	}
	if ds := flatGet(got, "event.dataset"); ds != p.dataset && p.inside == nil {
		return fmt.Errorf("recognised as %v, not %s: %s", ds, p.dataset, line)
	}
	var wrong []string
	for name, want := range t.out {
		if have := flatGet(got, name); !sameValue(want, have) {
			wrong = append(wrong, fmt.Sprintf("%s: want %v, got %v", name, want, have))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%s\n    of %s", strings.Join(wrong, "; "), line)
	}
	return nil
}

func flatGet(m map[string]any, name string) any {
	var v any = m
	for _, k := range strings.Split(name, ".") {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[k]
	}
	return v
}

// sameValue compares what YAML and JSON decode to; a text in a test stands for a list of it too.
func sameValue(want, got any) bool {
	if l, ok := got.([]any); ok {
		w, isList := want.([]any)
		if !isList {
			w = []any{want}
		}
		if len(l) != len(w) {
			return false
		}
		for i := range l {
			if !sameValue(w[i], l[i]) {
				return false
			}
		}
		return true
	}
	if want == nil || got == nil {
		return want == got
	}
	return reflect.DeepEqual(want, got) || fmt.Sprint(want) == fmt.Sprint(got) || number(want) == number(got) && number(want) != ""
}

func number(v any) string {
	switch n := v.(type) {
	case int:
		return fmt.Sprintf("%g", float64(n))
	case float64:
		return fmt.Sprintf("%g", n)
	}
	return ""
}
