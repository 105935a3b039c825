package intel

// look is how the values of a field are looked up.
type look uint8

const (
	lookAddr  look = iota
	lookHost       // a name or an address
	lookURL        // the whole, and its host
	lookHash       // of the kind that its length tells
	lookEmail      // the whole, and its host
	lookCertificate
	lookJA3
)

// target is a field of the event with its way.
type target struct {
	field string
	look  look
}

// targets are the fields that are looked at, in the order of importance: of two fields with one indicator the first is named.
func targets(related bool) []target {
	var out []target
	add := func(l look, fields ...string) {
		for _, f := range fields {
			out = append(out, target{f, l})
		}
	}
	add(lookURL, "url.full", "url.original")
	add(lookHost, "dns.question.name", "url.domain", "tls.client.server_name", "destination.domain", "source.domain", "server.domain", "client.domain")
	add(lookAddr, "destination.ip", "source.ip", "server.ip", "client.ip", "destination.nat.ip", "source.nat.ip", "network.forwarded_ip", "dns.resolved_ip")
	add(lookHost, "destination.address", "source.address", "server.address", "client.address")
	for _, object := range []string{"file", "process", "process.parent", "dll"} {
		add(lookHash, object+".hash.sha256", object+".hash.sha1", object+".hash.md5", object+".hash.sha512")
	}
	add(lookEmail, "email.from.address", "email.sender.address", "email.reply_to.address", "email.to.address")
	add(lookCertificate, "tls.server.hash.sha1", "tls.client.hash.sha1")
	add(lookJA3, "tls.client.ja3")
	add(lookURL, "http.request.referrer")
	if related {
		add(lookAddr, "related.ip")
		add(lookHost, "related.hosts")
		add(lookHash, "related.hash")
	}
	return out
}

// MatchFields returns the names of the event's fields that a Matcher looks at.
func MatchFields(related bool) []string {
	var out []string
	for _, t := range targets(related) {
		out = append(out, t.field)
	}
	return out
}
