package intel

import (
	"fmt"
	"strings"
	"testing"
)

const bundle = `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[
{"type":"relationship","id":"relationship--1","relationship_type":"indicates","source_ref":"indicator--1","target_ref":"malware--1"},
{"type":"indicator","spec_version":"2.1","id":"indicator--1","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-02T00:00:00.000Z","created_by_ref":"identity--1","name":"C2 servers","confidence":85,
 "labels":["apt"],"indicator_types":["malicious-activity"],"pattern":"[ipv4-addr:value = '192.0.2.1' OR domain-name:value IN ('c2.evil.example', 'c3.evil.example')]","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z",
 "valid_until":"2026-12-01T00:00:00Z","object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],"external_references":[{"source_name":"x"},{"source_name":"y","url":"https://ref.example/r"}]},
{"type":"indicator","id":"indicator--2","modified":"2026-11-02T00:00:00Z","pattern":"[ipv4-addr:value ISSUBSET '198.51.100.0/24']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","object_marking_refs":["marking-definition--77"]},
{"type":"indicator","id":"indicator--3","pattern":"[url:value = 'http://evil.example/a'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.3']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"},
{"type":"indicator","id":"indicator--4","pattern":"[ipv4-addr:value = '192.0.2.4']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","revoked":true},
{"type":"indicator","id":"indicator--5","pattern":"[ipv4-addr:value = '192.0.2.5']","pattern_type":"stix","valid_from":"2026-11-25T00:00:00Z"},
{"type":"indicator","id":"indicator--6","pattern":"[ipv4-addr:value = '192.0.2.6']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","valid_until":"2026-11-24T12:00:00Z"},
{"type":"indicator","id":"indicator--7","pattern":"alert tcp any any","pattern_type":"snort","valid_from":"2026-11-01T00:00:00Z"},
{"type":"indicator","id":"indicator--8","pattern":"[ipv4-addr:value = ","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"},
{"type":"indicator","id":"indicator--9","modified":"2026-11-03T00:00:00Z","pattern":"[ipv4-addr:value = '192.0.2.9']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","revoked":true},
{"type":"indicator","id":"indicator--9","modified":"2026-11-02T00:00:00Z","pattern":"[ipv4-addr:value = '192.0.2.9']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"},
{"type":"indicator","id":"indicator--10","indicator_types":["benign"],"pattern":"[ipv4-addr:value = '192.0.2.10']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"},
{"type":"file","id":"file--1","hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e","SHA-256":"` + sha256OfNothing + `","SSDEEP":"3::"}},
{"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.1"},
{"type":"ipv4-addr","id":"ipv4-addr--2","value":"203.0.113.0/25"},
{"type":"ipv4-addr","id":"ipv4-addr--3","value":"203.0.113.200"},
{"type":"observed-data","id":"observed-data--1","object_refs":["ipv4-addr--3"]},
{"type":"marking-definition","id":"marking-definition--77","definition_type":"tlp","name":"TLP:RED"},
{"type":"malware","id":"malware--1","name":"Emotet"},{"type":"identity","id":"identity--1","name":"CERT Example"},7,"x"]}`

const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestSTIX(t *testing.T) {
	got, n := read(t, formatSTIX, bundle)
	for _, v := range []string{"192.0.2.1", "c2.evil.example", "c3.evil.example"} {
		check(t, got, v, `confidence=85`, `confidence_level="High"`, `provider="CERT Example"`, `name="Emotet"`, `description="C2 servers"`, `id="indicator--1"`,
			`tags=["apt","malicious-activity"]`, `marking.tlp="AMBER"`, `reference="https://ref.example/r"`, `valid_from="2026-11-01T00:00:00.000Z"`, `valid_to="2026-12-01T00:00:00.000Z"`)
	}
	check(t, got, "198.51.100.0/24", `kind="cidr"`, `marking.tlp="RED"`, `confidence=50`)
	check(t, got, "203.0.113.1", `kind="ipv4-addr"`)
	check(t, got, "203.0.113.0/25", `kind="cidr"`)
	check(t, got, sha256OfNothing, `kind="file-sha256"`)
	check(t, got, "d41d8cd98f00b204e9800998ecf8427e", `kind="file-md5"`)
	if len(got) != 8 {
		t.Errorf("%d rows: %v", len(got), got)
	}
	if n.Complex != 1 || n.Revoked != 2 || n.Future != 1 || n.Expired != 1 || n.Unsupported != 1 || n.Malformed != 3 || n.Allowed != 1 {
		t.Errorf("%+v", n)
	}
}

func TestTornSTIX(t *testing.T) {
	conf := 50
	for _, text := range []string{"", "{", bundle[:len(bundle)/2], `{"type":"bundle"}`, `{"objects":7}`, `"x"`} {
		in := intake{feed: &Feed{Format: formatSTIX, Confidence: &conf}, allow: newAllowList(), out: &collector{}, life: life{now: noon}}
		if err := in.readBytes([]byte(text)); err == nil {
			t.Errorf("%.20q is taken for a bundle", text)
		}
	}
}

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, want string // kind:value ...; or complex, unsupported:n, error
	}{
		{"[ipv4-addr:value = '192.0.2.1']", "ipv4-addr:192.0.2.1"},
		{"[ ipv4-addr:value='192.0.2.1' ]OR[domain-name:value = 'a.example']", "ipv4-addr:192.0.2.1 domain-name:a.example"},
		{"([ipv4-addr:value == '192.0.2.1'] OR ([url:value = 'http://a.example/']))", "ipv4-addr:192.0.2.1 url:http://a.example/"},
		{"[(ipv4-addr:value = '192.0.2.1' OR (ipv6-addr:value IN ('2001:db8::1')))]", "ipv4-addr:192.0.2.1 ipv6-addr:2001:db8::1"},
		{"[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5 = 'bb' OR file:hashes.\"x\" = 'c']", "file-sha256:aa file-md5:bb unsupported:1"},
		{"[ipv4-addr:value ISSUBSET '192.0.2.0/24']", "cidr:192.0.2.0/24"},
		{"[ipv4-addr:value = '192.0.2.0/24']", "cidr:192.0.2.0/24"},
		{`[url:value = 'http://a.example/it\'s\\']`, `url:http://a.example/it's\`},
		{"[email-message:from_ref.value = 'a@b.example' OR network-traffic:dst_ref.value = '192.0.2.1']", "email-addr:a@b.example unknown:192.0.2.1"},
		{"[ipv4-addr:value != '192.0.2.1']", "unsupported:1"},
		{"[ipv4-addr:value NOT = '192.0.2.1']", "unsupported:1"},
		{"[domain-name:value LIKE '%.example' OR process:pid = 5 OR process:created > t'2026-11-24T00:00:00Z' OR EXISTS file:name]", "unsupported:4"},
		{"[process:arguments[*].x = 'a' OR a:b[0] = true]", "unsupported:2"},
		{"[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]", "complex"},
		{"[ipv4-addr:value = '192.0.2.1'] AND [url:value = 'x']", "complex"},
		{"[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [url:value = 'x']", "complex"},
		{"[ipv4-addr:value = '192.0.2.1'] WITHIN 600 SECONDS", "complex"},
		{"[ipv4-addr:value = '192.0.2.1'] REPEATS 5 TIMES START t'2026-11-24T00:00:00Z' STOP t'2026-11-25T00:00:00Z'", "complex"},
		{"", "error"}, {"[", "error"}, {"[]", "error"}, {"ipv4-addr:value = 'x'", "error"}, {"[ipv4-addr:value = 'x'", "error"},
		{"[ipv4-addr:value = 'x' OR]", "error"}, {"[ipv4-addr:value 'x']", "error"}, {"[ipv4-addr:value = 'x']]", "error"}, {"[ipv4-addr:value = 'x", "error"},
		{"[ipv4-addr:value = ]", "error"}, {"['a:b' = 'x']", "error"}, {"[a:b IN ('x' 'y')]", "error"}, {"[a:b = 'x'] WITHIN 5", "error"},
		{strings.Repeat("(", 100) + "[a:b = 'x']" + strings.Repeat(")", 100), "error"}, {strings.Repeat("[", maxPattern+1), "error"},
	} {
		p, err := parsePattern(tt.pattern)
		var got []string
		for _, v := range p.values {
			got = append(got, v.kind.String()+":"+v.text)
		}
		switch {
		case err != nil:
			got = []string{"error"}
		case p.complex:
			got = append(got, "complex")
		case p.unsupported > 0:
			got = append(got, fmt.Sprintf("unsupported:%d", p.unsupported))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%.80s\n got %s (%v)\nwant %s", tt.pattern, s, err, tt.want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"[ipv4-addr:value = '192.0.2.1' OR domain-name:value IN ('a', 'b')]", "([a:b NOT ISSUBSET '1/8'] REPEATS 5 TIMES) AND [file:hashes.'SHA-256' = h'00']",
		`[a:b[*].c = '\'']`, "[EXISTS a:b]", "[a:b = t'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePattern(s)
		if (err != nil || p.complex) && len(p.values) > 0 {
			t.Fatalf("%q has values that are not to be used", s)
		}
	})
}

func FuzzSTIX(f *testing.F) {
	fuzzFormat(f, formatSTIX, bundle, `{"objects":[]}`, `[{"type":"url","value":"http://a.b"}]`)
}
