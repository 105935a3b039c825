package respond

import (
	"strconv"
	"strings"
	"testing"
)

const listed = `
allow:
  users: [administrator, break-glass, "corp\\svc_backup", "svc_*"]
  groups: [Domain Admins]
  hosts: [dc01, "*.prod.example", fs9.corp.example]
  cidrs: [10.0.0.0/8, 192.0.2.7, 2001:db8::/32]
  fields: {host.function: Domain Controller}
plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]
`

// TestAllowBypass tries to get a target past the allow-list by another spelling of what is on it.
func TestAllowBypass(t *testing.T) {
	a := book(t, listed).Allow
	for _, c := range []struct {
		field, value string
		refused      bool
	}{
		{"user.name", "administrator", true},
		{"user.name", "Administrator", true},
		{"user.name", "ADMINISTRATOR", true},
		{"user.name", " administrator\t", true},
		{"user.name", "administrator.", true},
		{"user.name", `CORP\Administrator`, true},
		{"user.name", "administrator@corp.example", true},
		{"user.name", `a.b\CORP\administrator`, true},
		{"user.name", "admin\u200bistrator", true},            // zero-width space
		{"user.name", "\u202eadministrator", true},            // right-to-left override
		{"user.name", "ａｄｍｉｎｉｓｔｒａｔｏｒ", true},                  // full width
		{"user.name", "admini\u017ftrator", true},             // long s
		{"user.name", "admini\x00strator", true},              // NUL
		{"user.name", `CORP\ administrator`, true},            // space behind the domain
		{"user.name", `corp\SVC_BACKUP`, true},                // listed with its domain, and by wild card
		{"user.name", "svc_web", true},                        // wild card
		{"user.name", "administrators", false},                // another user
		{"user.name", "xadministrator", false},                // another user
		{"user.name", "mallory", false},                       //
		{"user.email", "Break-Glass@corp.example", true},      //
		{"host.name", "dc01", true},                           //
		{"host.name", "DC01.", true},                          // trailing dot
		{"host.name", "dc01.corp.example", true},              //
		{"host.name", "DC01.CORP.EXAMPLE.", true},             //
		{"host.name", "DC01$", true},                          // machine account
		{"host.name", "web1.prod.example", true},              //
		{"host.name", "web1.prod.example.", true},             //
		{"host.name", "fs9", false},                           // listed with its domain only
		{"host.name", "dc011", false},                         //
		{"host.name", "10.1.1.1", true},                       // an address for a name
		{"source.ip", "10.255.0.1", true},                     //
		{"source.ip", "::ffff:10.0.0.1", true},                // IPv4 mapped
		{"source.ip", "::FFFF:0A00:0001", true},               // the same in hexadecimal
		{"source.ip", "0:0:0:0:0:ffff:10.0.0.1", true},        //
		{"source.ip", "[::ffff:10.0.0.1]:443", true},          //
		{"source.ip", "10.0.0.1:443", true},                   //
		{"source.ip", " 10.0.0.1 ", true},                     //
		{"source.ip", "10.0.0.1.", true},                      //
		{"source.ip", "192.0.2.7", true},                      // single address
		{"source.ip", "192.0.2.8", false},                     //
		{"source.ip", "2001:db8::1%eth0", true},               // zone
		{"source.ip", "2001:DB8:0::1", true},                  //
		{"source.ip", "2001:db9::1", false},                   //
		{"source.ip", "010.0.0.1", true},                      // can't be read: withheld, not passed
		{"source.ip", "0x0a.0.0.1", true},                     //
		{"source.ip", "167772161", true},                      // 10.0.0.1 as a number
		{"source.ip", "10.1", true},                           //
		{"source.ip", "evil.example", true},                   //
		{"source.ip", "203.0.113.9", false},                   //
		{"process.parent.name", "administrator", true},        // may be anything: every list is asked
		{"process.parent.name", "10.0.0.1", true},             //
		{"process.parent.name", "powershell.exe", false},      //
		{"process.parent.name", "dc01.corp.example", true},    //
		{"process.parent.name", "CN=Domain Admins,x", true},   //
		{"destination.address", "10.0.0.1", true},             //
		{"destination.user.name", `CORP\break-glass`, true},   //
		{"user.target.name", "Administrator", true},           //
		{"host.hostname", "Dc01", true},                       //
		{"client.user.email", "administrator@x.test", true},   //
		{"client.user.email", "mallory+administrator", false}, //
	} {
		f, err := parseTarget(c.field)
		if err != nil {
			t.Fatal(err)
		}
		e := parsed(t, `{"a":1}`)
		if got := a.refuses(e, f, c.value); (got != nil) != c.refused {
			t.Errorf("%s %q: %v, want refused: %v", c.field, c.value, got, c.refused)
		}
	}
}

// TestAllowAliases has targets that are on the list by another name, a group, an address or a property.
func TestAllowAliases(t *testing.T) {
	a := book(t, listed).Allow
	for _, c := range []struct {
		field, line string
		refused     bool
	}{
		{"user.name", `{"user":{"name":"bob","email":"break-glass@x.test"}}`, true},
		{"user.name", `{"user":{"name":"bob","group":{"name":["Users","domain admins"]}}}`, true},
		{"user.name", `{"user":{"name":"bob","group":{"name":"CORP\\Domain Admins"}}}`, true},
		{"user.name", `{"user":{"name":"bob","roles":["CN=Domain Admins,OU=x,DC=corp"]}}`, true},
		{"user.name", `{"user":{"name":"bob"},"host":{"name":"dc01"}}`, false}, // the user is acted on, not the host
		{"user.name", `{"user":{"name":"bob"},"host":{"name":"x","function":"domain controller"}}`, true},
		{"source.user.name", `{"source":{"user":{"name":"bob","group":{"name":"Domain Admins"}}}}`, true},
		{"host.name", `{"host":{"name":"x","ip":["203.0.113.1","::ffff:10.1.1.1"]}}`, true},
		{"host.name", `{"host":{"name":"x","hostname":"DC01"}}`, true},
		{"host.name", `{"host":{"name":"x","ip":"203.0.113.1"},"user":{"name":"administrator"}}`, false},
		{"host.ip", `{"host":{"name":"dc01","ip":["203.0.113.1"]}}`, true},                                            // the address of a listed host
		{"source.ip", `{"source":{"ip":"203.0.113.1"},"host":{"hostname":"DC01","ip":["::ffff:203.0.113.1"]}}`, true}, // the same, elsewhere
		{"source.ip", `{"source":{"ip":"203.0.113.1","domain":"dc01.corp.example"}}`, true},
		{"source.ip", `{"source":{"ip":"203.0.113.1"},"host":{"name":"dc01","ip":["203.0.113.2"]}}`, false},
		{"", `{"user":{"name":"bob"},"host":{"name":"dc01.corp.example"}}`, true}, // the alert as a whole
		{"", `{"user":{"name":"bob"},"destination":{"ip":"10.0.0.1"}}`, true},
		{"", `{"user":{"name":"bob"},"related":{"user":["x","ADMINISTRATOR"]}}`, true},
		{"", `{"related":{"ip":["203.0.113.1","10.0.0.1"]}}`, true},
		{"", `{"user":{"name":"bob"},"host":{"name":"web3"},"source":{"ip":"203.0.113.1"}}`, false},
		{"", `{"source":{"ip":null},"user":null}`, false},
		{"user.name", "{\"user\":{\"n\\u0061me\":\"Administrator\"}}", true}, // an escaped key
	} {
		f, err := parseTarget(c.field)
		if err != nil {
			t.Fatal(err)
		}
		e := parsed(t, c.line)
		values, err := f.values(e)
		if err != nil {
			t.Fatal(err)
		}
		refused := false
		for _, v := range values {
			refused = refused || a.refuses(e, f, v) != nil
		}
		if len(values) == 0 || refused != c.refused {
			t.Errorf("%s in %s: refused %v, want %v", c.field, c.line, refused, c.refused)
		}
	}
}

func TestAllowEmpty(t *testing.T) {
	a := book(t, "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]").Allow
	f, _ := parseTarget("source.ip")
	if err := a.refuses(parsed(t, `{}`), f, "not an address"); err != nil {
		t.Errorf("nothing is listed, yet: %v", err)
	}
}

func TestTargets(t *testing.T) {
	f, _ := parseTarget("user.name")
	got, err := f.values(parsed(t, `{"user":{"name":["a","b","a","",null,{"x":1}]}}`))
	if err != nil || strings.Join(got, ",") != "a,b" {
		t.Errorf("%q, %v", got, err)
	}
	var many []string
	for i := range maxTargets + 1 {
		many = append(many, `"u`+strconv.Itoa(i)+`"`)
	}
	if _, err := f.values(parsed(t, `{"user":{"name":[`+strings.Join(many, ",")+`]}}`)); err == nil {
		t.Error("an array of too many targets was taken")
	}
}

// FuzzAllow holds that no spelling around a listed name gets by, as long as it reads as the same name.
func FuzzAllow(f *testing.F) {
	f.Add("CORP", "  ", "\u200b")
	f.Fuzz(func(t *testing.T, domain, space, hidden string) {
		a := Allow{Users: Words{"administrator"}}
		if strings.ContainsAny(domain, `\@`) || fold(space) != "" || fold(hidden) != "" {
			return
		}
		s := domain + `\` + space + "Admini" + hidden + "strator" + space
		if strings.TrimSpace(hidden) != hidden || strings.ContainsAny(hidden, " \t") {
			return
		}
		if a.user(s) == nil {
			t.Fatalf("%q got by", s)
		}
	})
}
