package normalize

import (
	"strings"
	"testing"
)

func TestPrefixOfLines(t *testing.T) {
	m := mapping(t, `
name: acme.vpn
when: {lines: true}
parse: lines
prefix: ['[{at:/\d{4}-\d\d-\d\d/} ][[{user:/[^\/: ]+/}/]{ip:ip}:{port:int} ]']
lines: {up: 'Peer {_d} is up', down: 'Peer {_d} is down[: {why}]'}
fields: {source.ip: ip, source.port: port, user.name: user, message: rest, event.action: line, event.reason: why}
`)
	for in, want := range map[string]string{
		"2026-11-24 ann/192.0.2.1:5000 Peer x is up":    `"action":"up"`,
		"192.0.2.1:5000 Peer x is down: timeout":        `"reason":"timeout"`,
		"Peer x is up":                                  `"message":"Peer x is up"`,
		"2026-11-24 ann/192.0.2.1:5000 Peer x was down": `"kind":"event","original"`, // nobody's
		"2026-11-24 a/b/192.0.2.1:5000 Peer x is up":    `"kind":"event","original"`,
	} {
		if got := process(t, New(Config{Mappings: m}), in)[0]; !strings.Contains(got, want) {
			t.Errorf("%s: %s lacks %s", in, got, want)
		}
	}
}

func TestPrefixFault(t *testing.T) {
	_, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nprefix: '{a} [b'\n")})
	if err == nil || !strings.Contains(err.Error(), "x.yaml:2:14: prefix: '[' without ']'") {
		t.Errorf("%v", err)
	}
}
