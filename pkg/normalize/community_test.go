package normalize

import "testing"

// TestCommunityIDs has the ids that the specification's own examples give (community id, version 1), and those of flows that have none.
func TestCommunityIDs(t *testing.T) {
	s := New(Config{Mappings: mapping(t, "name: x\nwhen: {keys: {src: '*'}}\nparse: json\nicmp: {type: kind, code: code}\n"+
		"fields: {source.ip: src, destination.ip: dst, source.port: sp, destination.port: dp, network.transport: proto, network.iana_number: number}\n")})
	for in, want := range map[string]any{
		`{"src":"128.232.110.120","dst":"66.35.250.204","sp":34855,"dp":80,"proto":"tcp"}`: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
		`{"src":"66.35.250.204","dst":"128.232.110.120","sp":80,"dp":34855,"number":6}`:    "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", // the answer
		`{"src":"192.168.0.89","dst":"192.168.0.1","kind":8,"code":0,"proto":"icmp"}`:      "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
		`{"src":"192.168.0.1","dst":"192.168.0.89","kind":"0","code":"0","number":"1"}`:    "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
		// Zeek calls both versions icmp.
		`{"src":"fe80::200:86ff:fe05:80da","dst":"fe80::260:97ff:fe07:69ea","kind":135,"code":0,"proto":"icmp"}`:              "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
		`{"src":"fe80::260:97ff:fe07:69ea","dst":"fe80::200:86ff:fe05:80da","kind":136,"code":0,"proto":"ipv6-icmp"}`:         "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
		`{"src":"3ffe:507:0:1:260:97ff:fe07:69ea","dst":"3ffe:507:0:1:200:86ff:fe05:80da","kind":3,"code":0,"proto":"icmp6"}`: "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=",
		`{"src":"81.2.69.144","dst":"172.31.98.44","number":47}`:                                                              "1:wkMAwiarlgVqbCQyuxynpMhLhpI=", // no ports
		`{"src":"192.168.0.89","dst":"192.168.0.1","kind":8,"proto":"icmp"}`:                                                  nil,                              // no code
		`{"src":"192.168.0.89","dst":"192.168.0.1","kind":300,"code":0,"proto":"icmp"}`:                                       nil,
		`{"src":"128.232.110.120","dst":"66.35.250.204","sp":34855,"proto":"tcp"}`:                                            nil,
		`{"src":"128.232.110.120","dst":"fe80::1","sp":34855,"dp":80,"proto":"tcp"}`:                                          nil,
		`{"src":"128.232.110.120","dst":"66.35.250.204","sp":34855,"dp":80,"proto":"unheard"}`:                                nil,
		`{"src":"128.232.110.120","dst":"66.35.250.204","sp":34855,"dp":80,"number":"300"}`:                                   nil,
		`{"src":"128.232.110.120","dst":"66.35.250.204","sp":34855,"dp":80}`:                                                  nil,
	} {
		if got := get(t, process(t, s, in)[0], "network.community_id"); got != want {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

func TestICMPFaults(t *testing.T) {
	for _, text := range []string{"icmp: {type: a}", "icmp: {type: a, code: 'b['}", "icmp: {type: a, code: b, id: c}", "icmp: a"} {
		if _, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\n" + text + "\n")}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
