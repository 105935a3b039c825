package intel

import (
	"bytes"
	"strings"
	"testing"
)

func TestAppendCanonical(t *testing.T) {
	for _, tt := range []struct {
		kind     Kind
		in, want string
	}{
		{IPv4, "192.0.2.1", "192.0.2.1"},
		{IPv4, " 192.0.2.1\n", "192.0.2.1"},
		{IPv4, "::ffff:192.0.2.1", "192.0.2.1"},
		{IPv6, "2001:DB8:0:0::1", "2001:db8::1"},
		{IPv6, "fe80::1%eth0", "fe80::1"},
		{IPv4, "192.0.2.01", ""},
		{IPv4, "192.0.2", ""},
		{IPv4, "example.com", ""},
		{CIDR, "192.0.2.77/24", "192.0.2.0/24"},
		{CIDR, "192.0.2.7", "192.0.2.7/32"},
		{CIDR, "2001:db8:1::/32", "2001:db8::/32"},
		{CIDR, "::ffff:192.0.2.9/120", "192.0.2.0/24"},
		{CIDR, "192.0.2.0/33", ""},
		{CIDR, "192.0.2.0/", ""},
		{CIDR, "::ffff:192.0.2.9/90", ""},
		{Domain, "Example.COM.", "example.com"},
		{Domain, "*.example.com", "example.com"},
		{Domain, "_dmarc.example.com", "_dmarc.example.com"},
		{Domain, "bücher.example", "xn--bcher-kva.example"},
		{Domain, "BÜCHER.example", "xn--bcher-kva.example"},
		{Domain, "例え。テスト", "xn--r8jz45g.xn--zckzah"},
		{Domain, "192.0.2.1", ""},
		{Domain, "a..example", ""},
		{Domain, "exa mple.com", ""},
		{Domain, strings.Repeat("a", 64) + ".example", ""},
		{Domain, strings.Repeat("abcdefg.", 32) + "example", ""},
		{URL, "HTTP://Example.com", "http://example.com/"},
		{URL, "http://example.com:80/a", "http://example.com/a"},
		{URL, "https://example.com:0443/a", "https://example.com/a"},
		{URL, "http://example.com:8080/", "http://example.com:8080/"},
		{URL, "http://u:p@example.com/#frag", "http://example.com/"},
		{URL, "http://example.com/%7euser/%2f%zz", "http://example.com/~user/%2F%25zz"},
		{URL, "http://example.com/a/./b/../c?x=1/../2#f", "http://example.com/a/c?x=1/../2"},
		{URL, "http://example.com/../..", "http://example.com/"},
		{URL, "http://example.com/.", "http://example.com/"},
		{URL, "http://example.com?q", "http://example.com/?q"},
		{URL, `http:\\example.com`, ""},
		{URL, `http://example.com\a\b`, "http://example.com/a/b"},
		{URL, "http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"},
		{URL, "http://[::ffff:192.0.2.1]/", "http://192.0.2.1/"},
		{URL, "http://192.0.2.1:99999999/", ""},
		{URL, "http://bücher.example/ü \"", "http://xn--bcher-kva.example/%C3%BC%20%22"},
		{URL, "/only/a/path", ""},
		{URL, "://x", ""},
		{Email, "Eve.X@Example.COM", "eve.x@example.com"},
		{Email, "@example.com", ""},
		{Email, `"a b"@example.com`, ""},
		{Email, "a@b@example.com", ""},
		{MD5, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"},
		{MD5, "d41d8cd98f00b204e9800998ecf8427g", ""},
		{SHA1, "d41d8cd98f00b204e9800998ecf8427e", ""},
		{Unknown, "x", ""},
		{IPv4, "", ""},
		{URL, "http://example.com/" + strings.Repeat("\"", maxValue/2), ""},
	} {
		if got := string(AppendCanonical([]byte("-"), []byte(tt.in), tt.kind)); got != "-"+tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.kind, tt.in, got, "-"+tt.want)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		kind     Kind
	}{
		{"192[.]0[.]2[.]1", "192.0.2.1", IPv4},
		{"192.0.2.1:443", "192.0.2.1", IPv4},
		{"[2001:db8::1]:443", "2001:db8::1", IPv6},
		{"2001:db8::1", "2001:db8::1", IPv6},
		{"198.51.100.0/24", "198.51.100.0/24", CIDR},
		{"hxxps://evil[.]example/a", "https://evil.example/a", URL},
		{"hXXp[://]evil.example/", "http://evil.example/", URL},
		{"evil(dot)example", "evil.example", Domain},
		{"evil.example:8080", "evil.example", Domain},
		{"evil.example/drop.exe", "http://evil.example/drop.exe", URL},
		{"http://[2001:db8::1]/x", "http://[2001:db8::1]/x", URL},
		{"eve[at]evil[.]example", "eve@evil.example", Email},
		{"D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e", MD5},
		{strings.Repeat("a", 40), strings.Repeat("a", 40), SHA1},
		{strings.Repeat("0", 64), strings.Repeat("0", 64), SHA256},
		{strings.Repeat("f", 128), strings.Repeat("f", 128), SHA512},
		{"localhost", "", Unknown},
		{"indicator", "", Unknown},
		{"", "", Unknown},
		{"1.2.3.4.5", "", Unknown},
	} {
		got, kind := Classify(nil, []byte(tt.in))
		if string(got) != tt.want || kind != tt.kind {
			t.Errorf("%q: got %q, %s; want %q, %s", tt.in, got, kind, tt.want, tt.kind)
		}
	}
}

// FuzzCanonical: what is canonical stays as it is, needs no escape in JSON, and appending touches nothing before it.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "::ffff:1.2.3.4", "10.1.2.3/8", "Example.COM.", "http://a.b:80/%7e/../x?y#z", "a@b.c", "hxxp://[::1]:80\\x", "bücher.example"} {
		for k := range kinds {
			f.Add([]byte(s), uint8(k))
		}
	}
	f.Fuzz(func(t *testing.T, value []byte, k uint8) {
		kind := Kind(k) % kinds
		once := AppendCanonical([]byte("x"), value, kind)
		if once[0] != 'x' {
			t.Fatal("what was there is gone")
		}
		if once = once[1:]; len(once) == 0 {
			return
		}
		for _, c := range once {
			if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
				t.Fatalf("%s of %q is %q", kind, value, once)
			}
		}
		if twice := AppendCanonical(nil, once, kind); !bytes.Equal(once, twice) {
			t.Fatalf("%s of %q is %q, and of that %q", kind, value, once, twice)
		}
	})
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"192[.]0[.]2[.]1", "hxxps[://]evil[.]example", "a/b", "{dot}", "[", "x@y[at]z", "meow://x.y", "1.2.3.4:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, kind := Classify(nil, text)
		if (len(value) == 0) != (kind == Unknown) {
			t.Fatalf("%q is %q, %s", text, value, kind)
		}
		if again := AppendCanonical(nil, value, kind); !bytes.Equal(value, again) {
			t.Fatalf("%q is %q, and of that %q", text, value, again)
		}
	})
}

func TestCanonicalAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 256)
	values := []struct {
		kind  Kind
		value []byte
	}{
		{IPv4, []byte("192.0.2.1")}, {IPv6, []byte("2001:db8::1")}, {CIDR, []byte("192.0.2.0/24")}, {Domain, []byte("WWW.Example.com")},
		{URL, []byte("HTTP://u@Example.com:80/a/../b%7e?q#f")}, {Email, []byte("A@Example.com")}, {MD5, bytes.Repeat([]byte("A"), 32)},
		{IPv4, []byte("not.an.address")}, {Domain, []byte("a b")}, {URL, []byte("nope")},
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, v := range values {
			dst = AppendCanonical(dst[:0], v.value, v.kind)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCanonical(b *testing.B) {
	for _, v := range []struct {
		kind  Kind
		value string
	}{{IPv4, "192.0.2.1"}, {Domain, "www.example.com"}, {URL, "https://www.example.com/a/path/of/some/length?with=a&query=1"}, {SHA256, strings.Repeat("a", 64)}} {
		b.Run(v.kind.String(), func(b *testing.B) {
			dst, value := make([]byte, 0, 256), []byte(v.value)
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				dst = AppendCanonical(dst[:0], value, v.kind)
			}
		})
	}
}
