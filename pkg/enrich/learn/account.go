package learn

import (
	"bytes"

	"leat/internal/wildcard"
)

// notPersons are accounts that Windows and Unix have by themselves, lower case.
var notPersons = map[string]bool{
	"-": true, "n/a": true, "unknown": true, "system": true, "local system": true, "local service": true, "network service": true, "localservice": true,
	"networkservice": true, "localsystem": true, "anonymous logon": true, "anonymous": true, "iusr": true, "krbtgt": true, "guest": true, "defaultaccount": true,
	"wdagutilityaccount": true, "healthservice": true, "root": true, "daemon": true, "nobody": true, "sshd": true, "nologin": true,
}

// notPersonPatterns are of accounts that Windows, Exchange and Entra Connect make.
var notPersonPatterns = []string{"dwm-*", "umfd-*", "healthmailbox*", "msol_*", "sm_????????????????", "aad_????????????", "adsyncmsa*"}

// person returns the account's bare name (of CORP\ann and ann@corp.example: ann), and whether it is a person's.
func (a *accounts) person(t []byte) ([]byte, bool) {
	t = bareAccount(t)
	if len(t) == 0 || len(t) > maxCell || t[len(t)-1] == '$' {
		return nil, false
	}
	var low [64]byte
	if len(t) <= len(low) {
		n := copy(low[:], t)
		for i, c := range low[:n] {
			if c >= 'A' && c <= 'Z' {
				low[i] = c + 'a' - 'A'
			}
		}
		if notPersons[string(low[:n])] {
			return nil, false
		}
		for _, p := range notPersonPatterns {
			if wildcard.MatchBytes(p, low[:n]) {
				return nil, false
			}
		}
		for _, p := range a.service {
			if wildcard.MatchBytes(p, low[:n]) {
				return nil, false
			}
		}
	}
	return t, true
}

// machine returns the host of a machine's account: PC7 of PC7$@CORP.EXAMPLE.
func machine(t []byte) ([]byte, bool) {
	t = bareAccount(t)
	if n := len(t) - 1; n > 0 && t[n] == '$' {
		return t[:n], true
	}
	return nil, false
}

func bareAccount(t []byte) []byte {
	t = bytes.TrimSpace(t)
	if i := bytes.LastIndexByte(t, '\\'); i >= 0 {
		t = t[i+1:]
	}
	if i := bytes.IndexByte(t, '@'); i > 0 {
		t = t[:i]
	}
	return t
}
