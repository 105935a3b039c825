package enrich

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestLookupOfAnIndicator: a value of each kind is found as an event would find it, also defanged.
func TestLookupOfAnIndicator(t *testing.T) {
	md5, sha1 := strings.Repeat("0a", 16), strings.Repeat("0b", 20)
	sha256, sha512 := strings.Repeat("0c", 32), strings.Repeat("0d", 64)
	dir := put(t, "", "iocs.txt", strings.Join([]string{"evil.example", "http://bad.example/a", "45.61.0.9", "45.62.0.0/16", "mule@bank.example", md5, sha1, sha256, sha512}, "\n")+"\n",
		"enrich.yaml", "dimensions:\n  ioc: {intel: {feeds: [{name: own, file: iocs.txt}]}}\nrules:\n  - {dimension: ioc}\n")
	for key, want := range map[string]string{
		"evil.example": "evil.example", "c2.EVIL.example.": "evil.example", "evil[.]example": "evil.example", "hxxp://bad[.]example/a": "http://bad.example/a",
		"45.61.0.9": "45.61.0.9", "45.62.7.7": "45.62.0.0/16", "mule@bank.example": "mule@bank.example",
		md5: md5, strings.ToUpper(sha1): sha1, sha256: sha256, sha512: sha512,
	} {
		row, err := Lookup(t.Context(), config(t, dir), Options{}, "ioc", key, time.Now())
		if err != nil || !strings.Contains(string(row), `"`+want+`"`) {
			t.Errorf("%s: %s %v", key, row, err)
		}
	}
	for _, key := range []string{"notevil.example", "45.61.0.10", "", "http://bad.example/b", strings.Repeat("0e", 16)} {
		if row, err := Lookup(t.Context(), config(t, dir), Options{}, "ioc", key, time.Now()); !errors.Is(err, ErrNoRow) {
			t.Errorf("%s: %s %v", key, row, err)
		}
	}
}
