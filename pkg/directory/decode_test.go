package directory

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

func raw(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSID(t *testing.T) {
	for _, c := range []struct{ hex, want string }{
		{"010500000000000515000000a065cf7e784b9b5fe77c8770091c0100", "S-1-5-21-2127521184-1604012920-1887927527-72713"}, // [MS-DTYP]'s own
		{"010200000000000520000000" + "20020000", "S-1-5-32-544"},
		{"010100000000000512000000", "S-1-5-18"},
		{"010100000000000000000000", "S-1-0-0"},
		{"0100000000000001", "S-1-1"},
		{"0101ffffffffffff01000000", "S-1-0xffffffffffff-1"},
		{"", ""},
		{"01", ""},
		{"0102000000000005200000", ""},        // shorter than it says
		{"01010000000000051200000000", ""},    // longer
		{"0201000000000005" + "12000000", ""}, // another revision
		{"01ff000000000005" + "12000000", ""}, // more parts than there can be
	} {
		got, ok := formatSID(raw(t, c.hex))
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s is %q, %v; want %q", c.hex, got, ok, c.want)
		}
	}
	for sid, want := range map[string]uint32{"S-1-5-21-1-2-3-512": 512, "S-1-5-18": 18, "": 0, "S-1-5-99999999999": 0} {
		if domain, id := rid(sid); id != want || want == 512 && domain != "S-1-5-21-1-2-3" {
			t.Errorf("%s ends with %d in %s", sid, id, domain)
		}
	}
}

func TestGUID(t *testing.T) {
	b := raw(t, "78563412cdab01ef0123456789abcdef")
	got, ok := formatGUID(b)
	if !ok || got != "12345678-abcd-ef01-0123-456789abcdef" {
		t.Errorf("%s, %v", got, ok)
	}
	if back, ok := parseGUID(strings.ToUpper(got)); !ok || back != b {
		t.Errorf("back: %x", back)
	}
	for _, bad := range []string{"", "12345678", "12345678-abcd-ef01-0123-456789abcdeg", "12345678xabcd-ef01-0123-456789abcdef", "12345678-abcd-ef01-0123-456789abcdef0"} {
		if _, ok := parseGUID(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, ok := formatGUID("short"); ok {
		t.Error("five bytes are a GUID")
	}
}

func TestTimes(t *testing.T) {
	for s, want := range map[string]string{
		"116444736000000000": "1970-01-01T00:00:00Z", "133500000000000001": "2024-01-17T21:20:00.0000001Z", "1": "1601-01-01T00:00:00.0000001Z",
		"0": "", "9223372036854775807": "", "-1": "", "": "", "soon": "", "9223372036854775806": "",
	} {
		got, ok := fileTime(s)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("FILETIME %s is %v, %v; want %s", s, got, ok, want)
		}
	}
	for s, want := range map[string]time.Duration{"-18000000000": 30 * time.Minute, "0": 0} {
		if got, ok := interval(s); !ok || got != want {
			t.Errorf("interval %s is %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"-9223372036854775808", "1", "", "x"} {
		if got, ok := interval(s); ok {
			t.Errorf("interval %s is %v", s, got)
		}
	}
	for s, want := range map[string]string{"20260131235959.0Z": "2026-01-31T23:59:59Z", "20260131235959Z": "2026-01-31T23:59:59Z",
		"20260131235959": "", "20261331235959Z": "", "": "", "Z": ""} {
		got, ok := generalizedTime(s)
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("generalized time %s is %v, %v", s, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, id, dn string }{
		{"<GUID=12345678-abcd-ef01-0123-456789abcdef>;<SID=S-1-5-18>;CN=A,DC=b", raw(t, "78563412cdab01ef0123456789abcdef"), "CN=A,DC=b"},
		{"CN=A,DC=b", "", "CN=A,DC=b"}, {"<GUID=no>;CN=A", "", "CN=A"}, {"<GUID=12345678-abcd", "", "<GUID=12345678-abcd"}, {"", "", ""}, {"<>;", "", ""},
	} {
		if id, dn := extendedDN(c.in); id != c.id || dn != c.dn {
			t.Errorf("%s is %x, %s", c.in, id, dn)
		}
	}
	for in, want := range map[string]string{"CN=a,OU=b,DC=c": "OU=b,DC=c", `CN=a\,b,DC=c`: "DC=c", `CN=a\\,DC=c`: "DC=c", "CN=a, DC=c": "DC=c", "DC=c": "", "": "", `CN=a\`: ""} {
		if got := parent(in); got != want {
			t.Errorf("%s is in %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct {
		in, name string
		next     int
	}{{"member;range=0-1499", "member", 1500}, {"member;range=1500-*", "member", 0}, {"member", "member", 0}, {"member;RANGE=0-4", "member", 5},
		{"member;binary;range=0-4", "member", 5}, {"member;range=", "member", 0}, {"member;range=x-y", "member", 0}, {"member;range=0-99999999999", "member", 0}, {";", "", 0}} {
		if name, next := ranged(c.in); name != c.name || next != c.next {
			t.Errorf("%s is %s, %d", c.in, name, next)
		}
	}
	if !below("ou=a,dc=b", "dc=b") || below("ou=a,dc=ab", "dc=b") || !below("dc=b", "dc=b") || below("dc=b", "ou=a,dc=b") {
		t.Error("below")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00")
	f.Add("78563412cdab01ef")
	f.Add("member;range=0-1499")
	f.Add("<GUID=12345678-abcd-ef01-0123-456789abcdef>;CN=A\\,b,DC=b")
	f.Add("133500000000000001")
	f.Fuzz(func(t *testing.T, s string) {
		if sid, ok := formatSID(s); ok && strings.Count(sid, "-") != int(s[1])+2 {
			t.Errorf("%x is %s", s, sid)
		}
		if g, ok := formatGUID(s); ok {
			if back, ok := parseGUID(g); !ok || back != s {
				t.Errorf("%x is %s is %x", s, g, back)
			}
		}
		if g, ok := parseGUID(s); ok {
			if back, _ := formatGUID(g); !strings.EqualFold(back, s) {
				t.Errorf("%s is %s", s, back)
			}
		}
		if n, next := ranged(s); len(n) > len(s) || next < 0 {
			t.Errorf("%q has the range %d", s, next)
		}
		if ts, ok := fileTime(s); ok && (ts.Year() < 1601 || ts.Year() > 9999) {
			t.Errorf("%q is %v", s, ts)
		}
		if p := parent(s); p != "" && !strings.HasSuffix(s, p) {
			t.Errorf("%q is in %q", s, p)
		}
		if _, dn := extendedDN(s); !strings.HasSuffix(s, dn) {
			t.Errorf("%q names %q", s, dn)
		}
		generalizedTime(s)
		interval(s)
	})
}
