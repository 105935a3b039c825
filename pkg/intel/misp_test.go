package intel

import "testing"

const mispEvent = `{"Event":{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e56d","info":"Phishing wave","threat_level_id":"1","Orgc":{"name":"CERT Example"},
"Tag":[{"name":"tlp:amber"},{"name":"misp-galaxy:malpedia=\"Emotet\""},{"name":"phishing"}],
"Attribute":[
{"uuid":"a1","type":"ip-dst|port","value":"192.0.2.1|443","to_ids":true,"timestamp":"1795500000","comment":"C2"},
{"uuid":"a2","type":"domain|ip","value":"evil.example|192.0.2.2","to_ids":true,"timestamp":"1795500000"},
{"uuid":"a3","type":"filename|sha256","value":"a.exe|` + sha256OfNothing + `","to_ids":true,"first_seen":"2026-11-01T00:00:00+01:00"},
{"uuid":"a4","type":"ip-src","value":"192.0.2.3","to_ids":false},
{"uuid":"a5","type":"ip-src","value":"192.0.2.4","to_ids":true,"deleted":true},
{"uuid":"a6","type":"yara","value":"rule x {}","to_ids":true},
{"uuid":"a7","type":"url","value":"http://evil.example/a|b","to_ids":true,"Tag":[{"name":"tlp:red"}]},
{"uuid":"a8","type":"ip-dst","value":"198.51.100.0/24","to_ids":true}],
"Object":[{"name":"file","Attribute":[{"uuid":"o1","type":"md5","value":"D41D8CD98F00B204E9800998ECF8427E","to_ids":true},{"uuid":"o2","type":"malware-sample","value":"a|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to_ids":true}]},
{"deleted":true,"Attribute":[{"type":"md5","value":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","to_ids":true}]}]}}`

func TestMISP(t *testing.T) {
	got, n := read(t, formatMISP, mispEvent)
	check(t, got, "192.0.2.1", `provider="CERT Example"`, `severity=73`, `description="Phishing wave: C2"`, `marking.tlp="AMBER"`, `name="Emotet"`, `id="a1"`, `last_seen="2026-11-24T06:00:00.000Z"`)
	check(t, got, "evil.example", `kind="domain-name"`)
	check(t, got, "192.0.2.2", `kind="ipv4-addr"`)
	check(t, got, sha256OfNothing, `first_seen="2026-10-31T23:00:00.000Z"`)
	check(t, got, "http://evil.example/a%7Cb", `marking.tlp="RED"`)
	check(t, got, "198.51.100.0/24", `kind="cidr"`)
	check(t, got, "d41d8cd98f00b204e9800998ecf8427e", `kind="file-md5"`, `tags=["misp-galaxy:malpedia=\"Emotet\"","phishing"]`)
	check(t, got, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", `kind="file-md5"`)
	if len(got) != 8 || n.Unsupported != 1 {
		t.Errorf("%d rows, %+v", len(got), n)
	}
	got, _ = read(t, formatMISP, `{"response":[`+mispEvent+`]}`)
	if len(got) != 8 {
		t.Errorf("%d rows of a response", len(got))
	}
}

func FuzzMISP(f *testing.F) {
	fuzzFormat(f, formatMISP, mispEvent, `{"response":[]}`, `{"Event":{"Attribute":[{}]}}`)
}
