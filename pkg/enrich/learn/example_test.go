package learn_test

import (
	"fmt"
	"time"

	"leat/pkg/enrich/learn"
	"leat/pkg/event"
	"leat/pkg/yamlfile"
)

// A table of one's own facts: who has an address according to a DHCP server with a mapping of one's own.
func Example() {
	var cfg learn.Config
	_, err := yamlfile.Decode("enrich.yaml", []byte(`
from:
  - {when: {event.dataset: mydhcp, event.action: [lease, renew]}, key: client.ip, set: {host.name: host.name, host.mac: client.mac}, for: mydhcp.lease_seconds, binds: host.mac}
  - {when: {event.dataset: mydhcp, event.action: release}, key: client.ip, set: {host.mac: client.mac}, binds: host.mac, ends: true}
`), &cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := learn.New(&cfg, learn.Options{Name: "leases", Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	at, _ := event.ParseTime([]byte("2026-11-24T08:00:00Z"))
	for i, line := range []string{
		`{"event":{"dataset":"mydhcp","action":"lease"},"client":{"ip":"192.0.2.7","mac":"00-00-5E-00-53-07"},"host":{"name":"pc7"},"mydhcp":{"lease_seconds":3600}}`,
		`{"event":{"dataset":"mydhcp","action":"renew"},"client":{"ip":"192.0.2.7","mac":"00-00-5E-00-53-07"},"host":{"name":"pc7"},"mydhcp":{"lease_seconds":3600}}`,
		`{"event":{"dataset":"mydhcp","action":"lease"},"client":{"ip":"192.0.2.7","mac":"00-00-5E-00-53-08"},"host":{"name":"pc8"},"mydhcp":{"lease_seconds":3600}}`,
	} {
		var e event.Event
		e.Reset([]byte(line))
		t.Learn(&e, at+int64(i)*int64(30*time.Minute))
	}
	row := t.Find([]byte("192.0.2.7"), at+int64(45*time.Minute))
	fmt.Printf("%s\n", t.Cell(row, t.Column("host.name")))
	fmt.Printf("%s", t.AppendIntervals(nil, []byte("192.0.2.7")))
	// Output:
	// "pc7"
	// {"from":"2026-11-24T08:00:00.000Z","to":"2026-11-24T09:00:00.000Z","row":{"host.mac":"00-00-5E-00-53-07","host.name":"pc7"}}
	// {"from":"2026-11-24T09:00:00.000Z","to":"2026-11-24T10:00:00.000Z","row":{"host.mac":"00-00-5E-00-53-08","host.name":"pc8"}}
}
