package alert

import (
	"slices"
	"strings"
)

// tactics are ATT&CK's enterprise tactics, by the name that Sigma's tags give them.
var tactics = map[string][2]string{
	"reconnaissance":       {"TA0043", "Reconnaissance"},
	"resource-development": {"TA0042", "Resource Development"},
	"initial-access":       {"TA0001", "Initial Access"},
	"execution":            {"TA0002", "Execution"},
	"persistence":          {"TA0003", "Persistence"},
	"privilege-escalation": {"TA0004", "Privilege Escalation"},
	"defense-evasion":      {"TA0005", "Defense Evasion"}, // up to ATT&CK 18; 19 parted it in two
	"stealth":              {"TA0005", "Stealth"},
	"defense-impairment":   {"TA0112", "Defense Impairment"},
	"credential-access":    {"TA0006", "Credential Access"},
	"discovery":            {"TA0007", "Discovery"},
	"lateral-movement":     {"TA0008", "Lateral Movement"},
	"collection":           {"TA0009", "Collection"},
	"exfiltration":         {"TA0010", "Exfiltration"},
	"command-and-control":  {"TA0011", "Command and Control"},
	"impact":               {"TA0040", "Impact"},
}

// appendThreat appends ECS's threat object for the ATT&CK tags among tags; nothing where there are none.
func appendThreat(dst []byte, tags []string) []byte {
	var ids, names, techniques, subs []string
	for _, t := range tags {
		t, ok := strings.CutPrefix(strings.ToLower(t), "attack.")
		if !ok {
			continue
		}
		if tactic, ok := tactics[strings.ReplaceAll(t, "_", "-")]; ok {
			ids, names = append(ids, tactic[0]), append(names, tactic[1])
			continue
		}
		if len(t) < 5 || t[0] != 't' || t[1] < '0' || t[1] > '9' {
			continue
		}
		t = strings.ToUpper(t)
		technique, sub, _ := strings.Cut(t, ".")
		if !slices.Contains(techniques, technique) {
			techniques = append(techniques, technique)
		}
		if sub != "" {
			subs = append(subs, t)
		}
	}
	if len(ids)+len(techniques) == 0 {
		return dst
	}
	dst = append(dst, `,"threat":{"framework":"MITRE ATT&CK"`...)
	if len(ids) > 0 {
		dst = append(dst, `,"tactic":{`...)
		dst = object(dst, func(d []byte) []byte { return appendTexts(appendTexts(d, "id", ids), "name", names) })
	}
	if len(techniques) > 0 {
		dst = append(dst, `,"technique":{`...)
		dst = object(dst, func(d []byte) []byte { return appendTexts(d, "id", techniques) })
		if len(subs) > 0 {
			dst = append(dst[:len(dst)-1], `,"subtechnique":{`...)
			dst = object(dst, func(d []byte) []byte { return appendTexts(d, "id", subs) })
			dst = append(dst, '}')
		}
	}
	return append(dst, '}')
}

// object appends members, each of which begins with a comma, behind the brace that dst ends with.
func object(dst []byte, members func([]byte) []byte) []byte {
	n := len(dst)
	dst = members(dst)
	copy(dst[n:], dst[n+1:])
	return append(dst[:len(dst)-1], '}')
}
