package redact

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestFinders(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"email", "from ann.b+c@mail.example.org, to", "ann.b+c@mail.example.org"},
		{"email", "<ann@example.org>", "ann@example.org"},
		{"email", "ann@example.org.", "ann@example.org"},
		{"email", "user@host", ""},
		{"email", "@ann @@ a@ @b.c", ""},
		{"ipv4", "peer 192.0.2.10:443", "192.0.2.10"},
		{"ipv4", "at 192.0.2.10.", "192.0.2.10"},
		{"ipv4", "src=192.0.2.10,dst", "192.0.2.10"},
		{"ipv4", "version 1.2.3.4.5", ""},
		{"ipv4", "300.1.1.1 and 1.2.3", ""},
		{"ipv4", "abc:192.0.2.10", "192.0.2.10"},
		{"ipv4", "x1.2.3.4", ""},
		{"ipv6", "[2001:db8::1]:443", "2001:db8::1"},
		{"ipv6", "from 2001:db8::1: closed", "2001:db8::1"},
		{"ipv6", "::1", "::1"},
		{"ipv6", "fe80::1%eth0", "fe80::1"},
		{"ipv6", "12:34:56 and a::b::c", ""},
		{"ipv6", "::ffff:192.0.2.1 x", "::ffff:192.0.2.1"},
		{"card", "card 4111 1111 1111 1111 ok", "4111 1111 1111 1111"},
		{"card", "4111-1111-1111-1111", "4111-1111-1111-1111"},
		{"card", "378282246310005,", "378282246310005"},
		{"card", "4111111111111112", ""},
		{"card", "id 12345678901234567890123", ""},
		{"card", "x4111111111111111", ""},
		{"iban", "to DE89 3704 0044 0532 0130 00 now", "DE89 3704 0044 0532 0130 00"},
		{"iban", "GB82WEST12345698765432", "GB82WEST12345698765432"},
		{"iban", "GB82WEST12345698765433", ""},
		{"jwt", `"t":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-1"`, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-1"},
		{"jwt", "eyJ nothing eyJa.b", ""},
		{"bearer", "authorization: bearer abcdef123456==", "abcdef123456=="},
		{"bearer", "the bearer of news", ""},
		{"aws_key", "key AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"},
		{"aws_key", "xAKIAIOSFODNN7EXAMPLE AKIAshort", ""},
	} {
		start, end := builtins[c.name]([]byte(c.text), 0)
		if start >= 0 && !shapeOf([]byte(c.text)).mayHold(c.name) {
			t.Errorf("%s: its shape denies the match in %q", c.name, c.text)
		}
		got := ""
		if start >= 0 {
			got = c.text[start:end]
		}
		if got != c.want {
			t.Errorf("%s in %q: %q, not %q", c.name, c.text, got, c.want)
		}
	}
}

func TestExpressionFindsAllAndNeedsItsLiteral(t *testing.T) {
	f := expression(regexp.MustCompile(`EMP-[0-9]{4}`), "EMP-")
	text := []byte("EMP-1234 x EMP-5678")
	start, end := f(text, 0)
	if string(text[start:end]) != "EMP-1234" {
		t.Errorf("found %q", text[start:end])
	}
	if start, end = f(text, end); string(text[start:end]) != "EMP-5678" {
		t.Errorf("then %q", text[start:end])
	}
	if start, _ = f(text, end); start >= 0 {
		t.Errorf("found more at %d", start)
	}
	if start, _ = expression(regexp.MustCompile(`[0-9]+`), "absent")(text, 0); start >= 0 {
		t.Error("found without the literal")
	}
}

// FuzzFinders: whatever the text, a finder ends, stays within it, moves on, and what it finds is found again when it stands alone.
func FuzzFinders(f *testing.F) {
	f.Add("ann@example.org 192.0.2.1 2001:db8::1 4111111111111111 DE89370400440532013000 eyJa.b.c bearer abcdefgh AKIAIOSFODNN7EXAMPLE")
	f.Add("@@..::1.2.3.4:.5 eyJ..eyJ... 0000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		text := []byte(s)
		for name, find := range builtins {
			for at := 0; ; {
				start, end := find(text, at)
				if start < 0 {
					break
				}
				if start < at || end <= start || end > len(text) {
					t.Fatalf("%s: [%d:%d] from %d of %d", name, start, end, at, len(text))
				}
				part := s[start:end]
				if !shapeOf(text).mayHold(name) {
					t.Fatalf("%s: its shape denies %q", name, part)
				}
				if strings.HasPrefix(name, "ip") {
					if _, err := netip.ParseAddr(part); err != nil {
						t.Fatalf("%s: %q is no address", name, part)
					}
				}
				if again, stop := find([]byte(part), 0); name != "bearer" && (again != 0 || stop != len(part)) {
					t.Fatalf("%s: %q is not found alone: [%d:%d]", name, part, again, stop)
				}
				at = end
			}
		}
	})
}
