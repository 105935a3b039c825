package alert

import (
	"strings"
	"testing"
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
