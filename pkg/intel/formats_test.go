package intel

import (
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	got, n := read(t, formatList, "\xef\xbb\xbf# a comment\r\n192[.]0[.]2[.]1 # why\r\n\r\n; another\nhxxp://Evil[.]example/a\n0.0.0.0 ads.evil.example\n"+
		"198.51.100.7/32\n198.51.100.0/24,x\nnonsense\n10.0.0.0/4\nco.uk\ncom\nevil.example\nEVIL.example.\n"+strings.Repeat("d", 40)+"\n")
	check(t, got, "192.0.2.1", `kind="ipv4-addr"`, `type="ipv4-addr"`, `confidence=50`, `confidence_level="Medium"`, `severity=47`, `provider="test"`, `feed="test"`, `block=null`)
	check(t, got, "http://evil.example/a", `kind="url"`)
	check(t, got, "ads.evil.example", `kind="domain-name"`)
	check(t, got, "198.51.100.7", `kind="ipv4-addr"`)
	check(t, got, "198.51.100.0/24", `kind="cidr"`, `type="ipv4-addr"`, `block="198.51.100.0/24"`)
	check(t, got, strings.Repeat("d", 40), `kind="file-sha1"`, `type="file"`)
	if want := (counts{Records: 12, Values: 12, Used: 8, Malformed: 2, Broad: 2}); len(got) != 7 || n != want {
		t.Errorf("%d rows, %+v", len(got), n)
	}
}

const urlhaus = `################################################################
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
"9000001","2026-11-24 06:10:11","http://192.0.2.55:8080/bin.sh","online","2026-11-24 07:00:00","malware_download","elf,Mozi","https://urlhaus.example/url/9000001/","ann"
"9000002","2026-11-23 06:10:11","https://Drop.example/a, b.exe","offline","None","malware_download","None","https://urlhaus.example/url/9000002/","bob"
"torn
"9000003","2026-11-23 06:10:11","too","few"
`

func TestURLhaus(t *testing.T) {
	got, n := read(t, formatURLhaus, urlhaus)
	check(t, got, "http://192.0.2.55:8080/bin.sh", `first_seen="2026-11-24T06:10:11.000Z"`, `last_seen="2026-11-24T07:00:00.000Z"`, `tags=["elf","Mozi"]`,
		`provider="abuse.ch URLhaus"`, `reference="https://urlhaus.example/url/9000001/"`, `description="malware_download"`, `id="9000001"`)
	check(t, got, "https://drop.example/a,%20b.exe", `tags=null`, `last_seen=null`)
	if n.Records != 4 || n.Malformed != 2 || n.Used != 2 {
		t.Errorf("%+v", n)
	}
}

func TestThreatFox(t *testing.T) {
	got, n := read(t, formatThreatFox, `# ThreatFox IOCs: recent
# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias","malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter"
"2026-11-24 05:00:00", "7000001", "192.0.2.60:4444", "ip:port", "botnet_cc", "win.x", "None", "Xworm", "2026-11-24 06:00:00", "75", "False", "https://ref.example/1", "c2,xworm", "0", "ann"
"2026-11-24 05:00:00", "7000002", "c2.evil.example", "domain", "botnet_cc", "win.x", "", "Unknown malware", "", "100", "False", "None", "", "0", "ann"
"2026-11-24 05:00:00", "7000003", "aa", "sha3_384_hash", "payload", "win.x", "", "X", "", "100", "False", "None", "", "0", "ann"
"2026-11-24 05:00:00", "7000004", "d41d8cd98f00b204e9800998ecf8427e", "md5_hash", "payload", "win.x", "", "X", "", "50", "None", "", "0", "ann"
`)
	check(t, got, "192.0.2.60", `confidence=75`, `confidence_level="High"`, `severity=73`, `name="Xworm"`, `reference="https://ref.example/1"`, `description="botnet_cc"`)
	check(t, got, "c2.evil.example", `confidence=100`, `name=null`, `reference=null`)
	check(t, got, "d41d8cd98f00b204e9800998ecf8427e", `kind="file-md5"`)
	if n.Unsupported != 1 || n.Used != 3 {
		t.Errorf("%+v", n)
	}
}

func TestFeodo(t *testing.T) {
	got, n := read(t, formatFeodo, "# Feodo\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"+
		"\"2026-10-01 00:00:00\",\"192.0.2.70\",\"443\",\"online\",\"2026-11-23\",\"Pikabot\"\n")
	check(t, got, "192.0.2.70", `name="Pikabot"`, `last_seen="2026-11-23T00:00:00.000Z"`, `description="command and control server, port 443"`)
	if n.Records != 1 || n.Used != 1 {
		t.Errorf("%+v", n)
	}
}

func TestMalwareBazaar(t *testing.T) {
	sha, md5, sha1 := strings.Repeat("ab", 32), strings.Repeat("cd", 16), strings.Repeat("ef", 20)
	got, n := read(t, formatMalwareBazaar, `# "first_seen_utc","sha256_hash",...
"2026-11-24 04:00:00", "`+sha+`", "`+md5+`", "`+sha1+`", "ann", "invoice.exe", "exe", "application/x-dosexec", "AgentTesla", "n/a", "n/a", "", "", ""
`)
	check(t, got, sha, `kind="file-sha256"`, `name="AgentTesla"`, `description="exe file invoice.exe"`, `reference="https://bazaar.abuse.ch/sample/`+sha+`/"`)
	check(t, got, md5, `kind="file-md5"`)
	check(t, got, sha1, `kind="file-sha1"`)
	if n.Records != 1 || n.Used != 3 {
		t.Errorf("%+v", n)
	}
}

func TestSSLBL(t *testing.T) {
	sha1, ja3 := strings.Repeat("1a", 20), strings.Repeat("2b", 16)
	got, n := read(t, formatSSLBL, "# Listingdate,SHA1,Listingreason\n2026-11-01 10:00:00,"+sha1+",Vidar C&C\n"+
		"# ja3_md5,Firstseen,Lastseen,Listingreason\n"+ja3+",2026-01-01 00:00:00,2026-11-01 00:00:00,Tofsee\n2026-11-02 10:00:00,192.0.2.80,443\n")
	check(t, got, sha1, `kind="x509-sha1"`, `type="x509-certificate"`, `name="Vidar"`)
	check(t, got, ja3, `kind="ja3"`, `last_seen="2026-11-01T00:00:00.000Z"`, `name="Tofsee"`)
	check(t, got, "192.0.2.80", `kind="ipv4-addr"`)
	if n.Used != 3 {
		t.Errorf("%+v", n)
	}
}

func TestCSV(t *testing.T) {
	columns := func(c *Config) {
		c.Feeds[0].Columns = map[string]string{"indicator": "ioc", "kind": "type", "confidence": "score", "tags": "labels", "valid_to": "until", "tlp": "tlp"}
		c.Feeds[0].Separator = ";"
	}
	got, n := read(t, formatCSV, "type;ioc;score;labels;until;tlp\nhostname;Evil.example;90;a,b;2027-01-01;tlp:amber\nmutex;x;1;;;\nip-dst;192.0.2.9;200;;2026-11-24T11:59:59Z;\n", columns)
	check(t, got, "evil.example", `confidence=90`, `tags=["a","b"]`, `valid_to="2027-01-01T00:00:00.000Z"`, `marking.tlp="AMBER"`)
	if n.Used != 1 || n.Unsupported != 1 || n.Expired != 1 {
		t.Errorf("%+v", n)
	}
	byNumber := func(c *Config) { c.Feeds[0].Columns = map[string]string{"indicator": "2"} }
	got, _ = read(t, formatCSV, "x,192.0.2.10\ny,192.0.2.11\n", byNumber)
	check(t, got, "192.0.2.10")
	check(t, got, "192.0.2.11")
}

func fuzzFormat(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		conf := 50
		in := intake{feed: &Feed{Name: "f", Confidence: &conf, Format: format, Columns: map[string]string{"indicator": "1", "tags": "2", "kind": "3"}},
			allow: newAllowList(), out: &collector{}, life: life{now: noon}}
		for i := range in.kinds {
			in.kinds[i] = true
		}
		_ = in.readBytes(data)
		for _, e := range in.out.entries {
			value := in.out.values.get(e.value)
			if again := AppendCanonical(nil, value, e.kind); string(again) != string(value) {
				t.Fatalf("%s %q is not canonical: %q", e.kind, value, again)
			}
		}
	})
}

func FuzzList(f *testing.F) { fuzzFormat(f, formatList, "192.0.2.1\n0.0.0.0 a.b\n#") }
func FuzzAbuse(f *testing.F) {
	fuzzFormat(f, formatURLhaus, urlhaus, "\"a\", \"b\"\n")
}
func FuzzCSV(f *testing.F) { fuzzFormat(f, formatCSV, "192.0.2.1,\"a,b\",ip\n\"\n") }
