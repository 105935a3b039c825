package normalize

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/ecs"
	"leat/pkg/event"
)

// automatic holds the leaves of what no mapping has to write. -1 = not in this mapping.
type automatic struct {
	timestamp, kind, dataset, version, original, message, id   int
	escaped, told                                              int
	hostName, hostHostname, procName, procPID                  int
	priority, facility, severity                               int
	relatedIP, relatedUser, relatedHosts, relatedHash          int
	ips, users, hosts, hashes                                  []int
	endpoints                                                  []endpoint
	urlOriginal, urlFull, urlPath, urlQuery, urlDomain         int
	urlScheme, urlPort, urlExtension, urlFragment, communityID int
	transport, iana, sourceIP, destIP, sourcePort, destPort    int
	sums                                                       []sum
	span                                                       span
	derived                                                    derived
}

// sum is a field of the network that is the sum of both ends' (ECS network.bytes, network.packets).
type sum struct{ total, source, destination int }

// endpoint is one of source, destination, client, server: its address is an IP or a name.
type endpoint struct{ address, ip, domain int }

var hashNames = []string{"md5", "sha1", "sha256", "sha384", "sha512", "imphash", "ssdeep", "tlsh", "pehash"}

// addAutomatic enters the automatic fields that the mapping's own ones lead to.
func (p *plan) addAutomatic() (err error) {
	leaf := func(name string) int {
		n, lerr := p.leaf(name)
		if lerr != nil && err == nil {
			err = lerr
		}
		return n
	}
	have := func(name string) int {
		if n, ok := p.leaves[name]; ok {
			return n
		}
		return -1
	}
	a := &p.auto
	a.timestamp, a.kind, a.dataset = leaf("@timestamp"), leaf("event.kind"), leaf("event.dataset")
	a.version, a.original = leaf("ecs.version"), leaf("event.original")
	a.message, a.id, a.escaped, a.told = leaf("message"), leaf("event.id"), leaf("leat.escaped"), leaf("leat.time")
	a.hostName, a.hostHostname, a.procName, a.procPID = leaf("host.name"), leaf("host.hostname"), leaf("process.name"), leaf("process.pid")
	a.priority, a.facility, a.severity = leaf("log.syslog.priority"), leaf("log.syslog.facility.code"), leaf("log.syslog.severity.code")
	for _, side := range []string{"source", "destination", "client", "server"} {
		if have(side+".address") >= 0 || have(side+".ip") >= 0 || have(side+".domain") >= 0 {
			a.endpoints = append(a.endpoints, endpoint{leaf(side + ".address"), leaf(side + ".ip"), leaf(side + ".domain")})
		}
	}
	a.urlOriginal, a.urlFull = have("url.original"), have("url.full")
	if a.urlOriginal >= 0 || a.urlFull >= 0 {
		a.urlOriginal, a.urlFull = leaf("url.original"), leaf("url.full")
		a.urlPath, a.urlQuery, a.urlDomain = leaf("url.path"), leaf("url.query"), leaf("url.domain")
		a.urlScheme, a.urlPort, a.urlExtension, a.urlFragment = leaf("url.scheme"), leaf("url.port"), leaf("url.extension"), leaf("url.fragment")
	}
	a.derived.agent = -1
	if !p.bare {
		a.derived.enter(have, leaf)
	}
	a.sourceIP, a.destIP, a.sourcePort, a.destPort = have("source.ip"), have("destination.ip"), have("source.port"), have("destination.port")
	a.transport, a.iana, a.communityID = have("network.transport"), have("network.iana_number"), -1
	if a.sourceIP >= 0 && a.destIP >= 0 && (a.transport >= 0 || a.iana >= 0) {
		a.communityID = leaf("network.community_id")
	}
	for _, what := range []string{"bytes", "packets"} {
		if s, d := have("source."+what), have("destination."+what); s >= 0 && d >= 0 {
			a.sums = append(a.sums, sum{leaf("network." + what), s, d})
		}
	}
	p.addSpan(leaf, have)
	p.gather()
	a.relatedIP, a.relatedUser = leaf("related.ip"), leaf("related.user")
	a.relatedHosts, a.relatedHash = leaf("related.hosts"), leaf("related.hash")
	return err
}

// gather lists the fields whose values related.* repeats.
func (p *plan) gather() {
	a := &p.auto
	for i, f := range p.fields {
		parts := strings.Split(f.Name, ".")
		last, head := parts[len(parts)-1], parts[0]
		parent := ""
		if len(parts) > 1 {
			parent = parts[len(parts)-2]
		}
		switch {
		case head == "related" || head == "leat" || head == "threat":
		case f.Type == ecs.IP:
			a.ips = append(a.ips, i)
		case parent == "hash" || slices.Contains(hashNames, last) && parent != "rule":
			a.hashes = append(a.hashes, i)
		case last == "name" && (parent == "user" || head == "user" && (parent == "target" || parent == "effective" || parent == "changes")):
			a.users = append(a.users, i)
		case f.Name == "host.name" || f.Name == "host.hostname" || last == "domain" && parent != "user" && parent != "group" &&
			(head == "source" || head == "destination" || head == "client" || head == "server" || head == "url") ||
			f.Name == "observer.hostname" || f.Name == "observer.name" || f.Name == "dns.question.name":
			a.hosts = append(a.hosts, i)
		}
	}
}

// automatics sets what follows from what the mapping has set.
func (r *runner) automatics() {
	a := &r.plan.auto
	for i := range a.endpoints {
		r.endpoint(&a.endpoints[i])
	}
	if a.urlFull >= 0 {
		r.url()
	}
	r.derive(&a.derived)
	r.header()
	if a.communityID >= 0 && !r.has(a.communityID) {
		r.communityID()
	}
	for i := range a.sums {
		r.sum(&a.sums[i])
	}
	r.complete(&a.span)
	r.collect(a.relatedIP, a.ips)
	r.collect(a.relatedUser, a.users)
	r.collect(a.relatedHosts, a.hosts)
	r.collect(a.relatedHash, a.hashes)
	r.constant(a.kind, eventText)
	r.constant(a.dataset, r.plan.datasetText)
	r.constant(a.version, versionText)
}

var eventText, versionText = []byte(`"event"`), []byte(`"` + ecs.Version + `"`)

// constant sets a field to JSON text, where the mapping has not set it.
func (r *runner) constant(leaf int, t []byte) {
	if !r.has(leaf) {
		r.put(leaf, value{b: t, kind: event.String, json: true})
	}
}

func (r *runner) fallback(leaf int, t []byte) {
	if !r.has(leaf) {
		r.put(leaf, text(t))
	}
}

// endpoint gives an address its ip or domain, and either of these its address.
func (r *runner) endpoint(e *endpoint) {
	switch {
	case r.has(e.address):
		t := r.textOf(r.leaves[e.address][0])
		if ip, ok := r.address(t); ok {
			r.fallback(e.ip, ip)
		} else if !r.has(e.domain) && isName(t) {
			r.put(e.domain, r.leaves[e.address][0])
		}
	case r.has(e.ip):
		r.put(e.address, r.leaves[e.ip][0])
	case r.has(e.domain):
		r.put(e.address, r.leaves[e.domain][0])
	}
}

// sum sets a total where both parts are there.
func (r *runner) sum(s *sum) {
	if r.has(s.total) || !r.has(s.source) || !r.has(s.destination) {
		return
	}
	a, err1 := strconv.ParseUint(string(r.leaves[s.source][0].b), 10, 63)
	b, err2 := strconv.ParseUint(string(r.leaves[s.destination][0].b), 10, 63)
	if err1 != nil || err2 != nil || a+b >= 1<<63 {
		return
	}
	start := len(r.mem)
	r.mem = strconv.AppendUint(r.mem, a+b, 10)
	r.put(s.total, numberValue(r.mem[start:len(r.mem):len(r.mem)]))
}

// isName tells whether t can be a host's name.
func isName(t []byte) bool {
	letter := false
	for _, c := range t {
		switch {
		case c|0x20-'a' < 26 || c >= 0x80:
			letter = true
		case c-'0' < 10 || c == '-' || c == '.' || c == '_':
		default:
			return false
		}
	}
	return letter && len(t) < 254
}

// header sets what a syslog header tells, where the mapping has not.
func (r *runner) header() {
	if !r.hasHead {
		return
	}
	a, h := &r.plan.auto, &r.head
	if len(h.Host) > 0 {
		if !r.has(a.hostName) && !r.has(a.hostHostname) {
			r.put(a.hostName, text(h.Host))
		}
		r.fallback(a.hostHostname, h.Host)
	}
	if len(h.Program) > 0 && !r.has(a.procName) {
		r.put(a.procName, text(h.Program[bytes.LastIndexByte(h.Program, '/')+1:]))
	}
	if len(h.PID) > 0 && !r.has(a.procPID) {
		if n, ok := r.integer(h.PID); ok {
			r.put(a.procPID, numberValue(n))
		}
	}
	if h.Priority >= 0 {
		r.put(a.priority, r.number(h.Priority))
		r.put(a.facility, r.number(h.Priority>>3))
		r.put(a.severity, r.number(h.Priority&7))
	}
	if len(h.Message) > 0 && !r.has(a.message) {
		r.put(a.message, text(h.Message))
	}
}

// collect gathers the different values of the fields into a list.
func (r *runner) collect(to int, from []int) {
	for _, f := range from {
		for _, v := range r.leaves[f] {
			r.addUnique(to, v)
		}
	}
}

func (r *runner) addUnique(to int, v value) {
	t := r.textOf(v)
	if len(t) == 0 || len(t) == 1 && t[0] == '-' {
		return
	}
	for _, have := range r.leaves[to] {
		if bytes.Equal(r.textOf(have), t) {
			return
		}
	}
	if len(r.leaves[to]) < 1000 {
		r.leaves[to] = append(r.leaves[to], v)
	}
}
