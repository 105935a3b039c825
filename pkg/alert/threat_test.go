package alert

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

func TestThreat(t *testing.T) {
	for _, c := range []struct {
		tags []string
		want string
	}{
		{nil, ""},
		{[]string{"cve.2021-44228", "attack", "attack.g0007", "detection.threat-hunting"}, ""},
		{[]string{"attack.stealth", "attack.defense-impairment"}, `"tactic":{"id":["TA0005","TA0112"],"name":["Stealth","Defense Impairment"]}`},
		{[]string{"attack.defense_evasion", "attack.T1562.001", "attack.t1562"}, `"tactic":{"id":["TA0005"],"name":["Defense Evasion"]},"technique":{"id":["T1562"],"subtechnique":{"id":["T1562.001"]}}`},
	} {
		want := c.want
		if want != "" {
			want = `,"threat":{"framework":"MITRE ATT&CK",` + want + `}`
		}
		if got := string(appendThreat(nil, c.tags)); got != want {
			t.Errorf("%s: %s, want %s", strings.Join(c.tags, " "), got, want)
		}
	}
}

// TestIndicators: an alert says which indicator the event has, and from where it is, beside what the rule says.
func TestIndicators(t *testing.T) {
	const mine = `"indicator":{"type":"domain-name","provider":"feed"},"enrichments":[{"matched":{"field":"dns.question.name"}}]`
	for _, c := range []struct {
		in   string
		tags []string
		want string
	}{
		{`{"threat":{` + mine + `,"tactic":"x"}}`, nil, `,"threat":{` + mine + `}`},
		{`{"threat":{` + mine + `}}`, []string{"attack.t1071"}, `,"threat":{"framework":"MITRE ATT&CK","technique":{"id":["T1071"]},` + mine + `}`},
		{`{"threat":"high"}`, nil, ""},
		{`{"threat":{"indicator":"x"}}`, []string{"attack.t1071"}, `,"threat":{"framework":"MITRE ATT&CK","technique":{"id":["T1071"]}}`},
	} {
		var e event.Event
		e.Reset([]byte(c.in))
		if err := e.Parse(); err != nil {
			t.Fatal(err)
		}
		var s Subject
		s.Read(&e)
		if got := string(s.appendThreat(nil, appendThreat(nil, c.tags))); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}
