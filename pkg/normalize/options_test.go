package normalize

import (
	"strings"
	"testing"
)

// TestParserOptions runs what mappings may ask of the parsers for separated values, CEF and structured data.
func TestParserOptions(t *testing.T) {
	for name, c := range map[string]struct{ mapping, in, want string }{
		"csv by type": {
			"parse: {csv: {by: 2, columns: {'*': '- type', A: src, 'B C': '- dst'}}}\nfields: {source.ip: src, destination.ip: dst}\n",
			"pqr,C,x,192.0.2.1", `"destination":{"address":"192.0.2.1","ip":"192.0.2.1"`,
		},
		"cef labels": {
			"parse: {cef: {labels: true, strip: [Ven]}}\nfields: {rule.name: Rule, observer.ingress.zone: Zone}\n",
			"CEF:0|V|P|1|2|pqr|3|cs1Label=Rule cs1=all out VenZone=dmz", `"rule":{"name":"all out"}`,
		},
		"leef with bars": {
			"parse: leef\nfields: {source.ip: src, destination.ip: dst}\n",
			"LEEF:1.0|pqr|P|1|id|cat=x|src=192.0.2.1|dst=192.0.2.2", `"ip":"192.0.2.1"`,
		},
		"structured data of the header": {
			"parse: sd\nfields: {user.name: user, event.code: sd_id}\n",
			`<14>1 2026-11-24T08:00:00Z h p - - [x@1 user="a\"b"] pqr`, `"name":"a\"b"`,
		},
		"structured data of the text": {
			"parse: sd\nfields: {user.name: user}\n",
			`pqr [x@1 user="ann"]`, `"name":"ann"`,
		},
	} {
		out := runMapping(t, "name: a.b\nwhen: {contains: [pqr]}\n"+c.mapping, c.in)
		if !strings.Contains(out, c.want) {
			t.Errorf("%s: want %s in %s", name, c.want, out)
		}
	}
}

// TestSwitchOnFirst looks at the first of several sources that has a value.
func TestSwitchOnFirst(t *testing.T) {
	m := "name: a.b\nwhen: {keys: {x: '*'}}\nparse: json\nswitch: [{on: [a, '{b}/{c}'], cases: {one: {event.action: first}, two/*: {event.action: second}}, absent: {event.action: none}}]\n"
	for in, want := range map[string]string{
		`{"x":1,"a":"one","b":"two","c":"y"}`: "first", `{"x":1,"b":"two","c":"y"}`: "second", `{"x":1,"b":"two"}`: "none",
	} {
		if out := runMapping(t, m, in); !strings.Contains(out, `"action":"`+want+`"`) {
			t.Errorf("%s: want %s in %s", in, want, out)
		}
	}
}

// TestSoftList leaves out of a list what does not fit the field, and takes nothing where nothing does.
func TestSoftList(t *testing.T) {
	m := "name: a.b\nwhen: {keys: {x: '*'}}\nparse: json\nfields:\n  dns.resolved_ip?: [a, b]\n"
	for in, want := range map[string]string{
		`{"x":1,"a":["c.example","192.0.2.1","192.0.2.2"]}`: `"resolved_ip":["192.0.2.1","192.0.2.2"]`,
		`{"x":1,"a":["c.example"],"b":"192.0.2.3"}`:         `"resolved_ip":["192.0.2.3"]`,
	} {
		if out := runMapping(t, m, in); !strings.Contains(out, want) {
			t.Errorf("%s: want %s in %s", in, want, out)
		}
	}
}

// TestOptionFaults tells what is wrong with an option, at its place.
func TestOptionFaults(t *testing.T) {
	for mapping, want := range map[string]string{
		"name: a\nparse: {csv: {by: none, columns: {A: b}}}\n": `2:19: parse.by: expected the number of a column`,
		"name: a\nparse: {cef: {label: true}}\n":               `unknown option "label"`,
		"name: a\nparse: {csv: {columns: {A: {b: c}}}}\n":      `parse.columns: expected a text or a list of texts`,
	} {
		_, err := compileAll([]string{"m.yaml"}, map[string][]byte{"m.yaml": []byte(mapping)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", mapping, err)
		}
	}
}

// TestStarts finds a text at the beginning of the record, with and without a header in front, and nowhere else.
func TestStarts(t *testing.T) {
	m := "name: a.b\nwhen: {starts: [PQRS, 'XYZ ']}\nparse: text\nset: {event.action: found}\n"
	for in, want := range map[string]bool{
		"PQRS 1": true, "<14>Nov 24 08:00:00 h p: XYZ 1": true, "  PQRS": true, "a PQRS": false, "PQR": false, "<14>Nov 24 08:00:00 h p: a XYZ ": false,
	} {
		if out := runMapping(t, m, in); strings.Contains(out, "found") != want {
			t.Errorf("%q: %s", in, out)
		}
	}
}
