package sigma

import "testing"

// TestTraps: where other engines are known to fall, by name. What each means is in docs/sigma-conformance.md.
func TestTraps(t *testing.T) {
	for _, c := range []languageCase{
		{
			"windash turns a slash into a dash", "s:\n  c|windash|contains: ' /accepteula'\ncondition: s",
			[]string{`{"c":"procdump -accepteula x"}`, `{"c":"procdump /accepteula x"}`, `{"c":"procdump –accepteula"}`, `{"c":"procdump —accepteula"}`, `{"c":"procdump ―accepteula"}`},
			[]string{`{"c":"procdump accepteula"}`, `{"c":"procdump-accepteula"}`},
		},
		{
			"windash turns a dash into a slash", "s:\n  c|windash|contains: ' -enc '\ncondition: s",
			[]string{`{"c":"powershell /enc aa"}`, `{"c":"powershell -ENC aa"}`, `{"c":"powershell –enc aa"}`}, []string{`{"c":"powershell enc aa"}`},
		},
		{
			"an absent field is null and not the empty text", "s:\n  a: ''\ncondition: s",
			[]string{`{"a":""}`, `{"a":["x",""]}`}, []string{`{}`, `{"a":null}`, `{"a":[]}`, `{"a":"x"}`},
		},
		{"null is an absent field", "s:\n  a: null\ncondition: s", []string{`{}`, `{"a":null}`, `{"a":[]}`}, []string{`{"a":""}`, `{"a":0}`, `{"a":false}`}},
		{"contains of a wildcard alone needs a value", "s:\n  a|contains: '*'\ncondition: s", []string{`{"a":""}`, `{"a":"x"}`}, []string{`{}`, `{"a":null}`}},
		{"an absent field contains nothing", "s:\n  a|contains: '<'\ncondition: s", []string{`{"a":"<nil>"}`}, []string{`{}`, `{"a":null}`}},
		{
			"names lose their spaces", "s:\n  Threat Name: x\n  SourceUser: y\ncondition: s",
			[]string{`{"Threat Name":"x","Source User":"y"}`, `{"ThreatName":"x","SourceUser":"y"}`}, []string{`{"Threat_Name":"x","SourceUser":"y"}`},
		},
		{
			"keywords search the whole event", "k:\n  - evil\ncondition: k",
			[]string{`{"a":{"b":["x",{"c":"so EVIL!"}]}}`, `{"n":1,"z":"evil"}`}, []string{`{"evil":"x"}`, `{"a":"ev","b":"il"}`, `{"a":["ev","il"]}`},
		},
		{"keywords that must all be there", "k:\n  '|all':\n    - one\n    - two\ncondition: k", []string{`{"a":"one","b":["x two"]}`}, []string{`{"a":"one"}`}},
		{
			"numbers are numeric texts", "s:\n  p: 9389\n  q: '4688'\ncondition: s",
			[]string{`{"p":9389,"q":4688}`, `{"p":"9389","q":"4688"}`}, []string{`{"p":93890,"q":4688}`, `{"p":"9389.0","q":4688}`},
		},
		{
			"networks of IPv4 are compared as addresses", "s:\n  ip|cidr: 10.0.0.0/9\ncondition: s",
			[]string{`{"ip":"10.127.255.255"}`, `{"ip":"::ffff:10.1.2.3"}`}, []string{`{"ip":"10.128.0.0"}`, `{"ip":"10.0.0"}`, `{"ip":"110.0.0.1"}`, `{"ip":"10.0.0.1.example"}`},
		},
		{
			"networks of IPv6 are compared as addresses", "s:\n  ip|cidr: 'fe80::/10'\ncondition: s",
			[]string{`{"ip":"FE80::1"}`, `{"ip":"febf:ffff::"}`, `{"ip":"fe80:0:0:0:0:0:0:1"}`, `{"ip":"fe80::1%eth0"}`}, []string{`{"ip":"fec0::1"}`, `{"ip":"fe8::1"}`},
		},
		{
			"case is folded beyond ASCII", "s:\n  a: 'ÅNGSTRÖM Ж Σ'\ncondition: s",
			[]string{`{"a":"ångström ж σ"}`, `{"a":"ÅNGSTRÖM ж ς"}`}, []string{`{"a":"angstrom ж σ"}`},
		},
		{"the Kelvin sign is a k", "s:\n  a|endswith: '.\u212Aey'\ncondition: s", []string{`{"a":"x.KEY"}`, `{"a":"x.key"}`}, nil},
		{
			"names that a JSON text nests", "s:\n  a.b: x\ncondition: s",
			[]string{`{"a":{"b":"x"}}`, `{"a.b":"x"}`, `{"a":[{"b":"y"},{"b":"x"}]}`}, []string{`{"a":"x","b":"x"}`},
		},
		{"what is negated holds of an absent field", "s:\n  a: x\nf:\n  b: y\ncondition: s and not f", []string{`{"a":"x"}`, `{"a":"x","b":null}`}, []string{`{"a":"x","b":"Y"}`}},
		{"a value between values is none", "k:\n  - onetwo\ncondition: k", nil, []string{`{"a":"one","b":"two"}`, `{"a":["one","two"]}`}},
		{
			"the text of an object is none of the values that keywords search", "s:\n  a|contains: x\nk:\n  - '\"b\"'\ncondition: s or k",
			[]string{`{"a":{"b":"x"}}`, `{"c":"\"b\""}`}, []string{`{"a":{"b":"y"}}`},
		},
		{
			"encoded bytes that no text can have match nothing", "k:\n  '|utf16le':\n    - 'ab\uFF41'\n  c|utf16: x\ncondition: 1 of k*",
			nil, []string{`{"a":"a","b":"b","c":"A"}`, `{"a":"ab"}`},
		},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, Options{}) })
	}
}
