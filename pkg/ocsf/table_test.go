package ocsf

import (
	"strings"
	"testing"
)

// TestFaultsOfTables: a table that names what ECS or the schema does not have is not compiled, and the place is told.
func TestFaultsOfTables(t *testing.T) {
	const good = `
tables: {outcome: {success: Success}}
objects: {user: {name: name}}
common:
  time: '@timestamp'
  severity_id: =Informational
  metadata.version: =1.8.0
  metadata.product.name: [event.dataset, =unknown]
classes:
  - class: authentication
    when: [event.category=authentication]
    activity: {event.type=start: Logon}
    fields: {user: user(user), status_id: event.outcome | map outcome, service.name: service.name}
  - class: base_event
    when: []
`
	if _, err := compile("t.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"service.name: service.name", "service.nam: service.name", `t.yaml:13:72: service has no attribute "nam"`},
		{"service.name: service.name", "service.name: service.nom", `"service.nom" is no field of ECS`},
		{"service.name: service.name", "service: service.name", `"service" is an object: name its members`},
		{"service.name: service.name", "attacks.technique.uid: service.name", "is a list: write attacks[key] or attacks[*]"},
		{"service.name: service.name", "service.name: service.name | lower", `no function "lower"`},
		{"user(user)", "person(user)", `no object "person"`},
		{"map outcome", "map out", `no table "out"`},
		{"start: Logon", "start: Login", `authentication has no activity "Login"`},
		{"=Informational", "=Info", `severity_id has no value "Info"`},
		{"event.category=auth", "event.categories=auth", `"event.categories" is no field of ECS`},
		{"class: authentication", "class: authentification", `has no "authentification"`},
		{"  - class: base_event\n    when: []\n", "", "the last one must be base_event"},
		{"when: [event", "whenever: [event", `unknown key "whenever"`},
	} {
		_, err := compile("t.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "t.yaml:") {
			t.Errorf("%s: %v; want %s", c.to, err, c.want)
		}
	}
}

// TestVersion: what the events say is the version of the schema that they hold to.
func TestVersion(t *testing.T) {
	if got := at(tree(t, turn(t, `{"event":{"kind":"event"}}`)[0]), "metadata.version"); got != Version() {
		t.Errorf("events say %v, the schema is %s", got, Version())
	}
}

func TestSchemaText(t *testing.T) {
	for _, bad := range []string{"what 1", " attribute string_t", "class x y", "  0 Unknown"} {
		if _, err := parseSchema("version 1\n" + bad + "\n"); err == nil {
			t.Errorf("%q is no fault", bad)
		}
	}
}
