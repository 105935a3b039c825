package normalize

import (
	"strings"
	"testing"
)

func TestECSFieldsCopied(t *testing.T) {
	s := New(Config{Dataset: "demo", Mappings: mapping(t, `
name: demo
parse: json
ecs: {from: doc, fields: [process.*, process.parent.pid, event.type, event.id, host.name]}
fields: {host.name: h}
`)})
	for _, c := range []struct{ in, want, not string }{
		{`{"doc":{"process":{"pid":7,"name":"x","parent":{"pid":"3"}},"host":{"name":"a"}}}`, `"process":{"name":"x","parent":{"pid":3},"pid":7}`, `"doc":{"process":{"pid"`},
		{`{"h":"b","doc":{"host":{"name":"a"}}}`, `"host":{"name":"b"}`, ``},
		{`{"doc":{"process":{"pid":"none"}}}`, `"demo":{"doc":{"process":{"pid":"none"}}}`, `"pid":0`},
		{`{"doc":{"event":{"id":"theirs","type":["start","started"]}}}`, `"type":["start"]`, `"id":"theirs","kind"`},
		{`{"doc":{"event":{"type":["start","started"]}}}`, `"demo":{"doc":{"event":{"type":["start","started"]}}}`, ``},
		{`{"process":{"pid":7}}`, `"demo":{"process":{"pid":7}}`, ``},
	} {
		got := process(t, s, c.in)[0]
		if !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%s: %s", c.in, got)
		}
	}
}

func TestECSFieldsFaults(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"ecs: [process.nothing]", `no field of ECS`},
		{"ecs: {from: 'a | lower', fields: [process.*]}", "expected the path of an object"},
		{"ecs: {of: a}", `unknown key "of"`},
	} {
		_, err := compileMapping("m.yaml", []byte("name: demo\nparse: json\n"+c.in+"\n"), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.in, err)
		}
	}
}
