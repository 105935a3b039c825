package normalize

import (
	"strings"

	"github.com/mileusna/useragent"

	"leat/pkg/event"
)

// agent is what a User-Agent header says, as JSON strings; nil where it does not say.
type agent struct{ name, version, osName, osVersion, osFull, osType, device []byte }

// maxAgent is how much of a header is read: the rest of a longer one is a hostile client's.
const maxAgent = 512

// agentNames are names under which rules look for what the parser calls otherwise.
var agentNames = map[string]string{"python-requests": "Python Requests", "Trident": "IE", "Internet Explorer": "IE", "iPhone": "Mobile Safari UI/WKWebView"}

// osTypes are the values of os.type (ECS) by the beginning of the system's name.
var osTypes = []struct{ name, typ string }{
	{"Windows", "windows"}, {"Mac OS X", "macos"}, {"Linux", "linux"}, {"Ubuntu", "linux"}, {"Android", "android"}, {"iOS", "ios"},
	{"FreeBSD", "unix"}, {"OpenBSD", "unix"}, {"NetBSD", "unix"}, {"CrOS", "linux"}, {"ChromeOS", "linux"},
}

// parseAgent reads a User-Agent header. A name that no product could have, which the parser gives for what it does not know, is none.
func parseAgent(header []byte) agent {
	s := string(header[:min(len(header), maxAgent)])
	u := useragent.Parse(s)
	var a agent
	name := u.Name
	if other, ok := agentNames[name]; ok {
		name = other
	}
	if u.Mobile && (name == "Chrome" || name == "Firefox") {
		name += " Mobile"
	}
	if strings.Contains(name, "Chrome Mobile") && strings.Contains(s, "Version/") {
		name = "Chrome Mobile WebView"
	}
	if !isProduct(name) {
		name = ""
	}
	a.name = quoted(name)
	if name != "" && isProduct(u.Version) && u.Version[0]-'0' < 10 {
		a.version = quoted(u.Version)
	}
	os, version := u.OS, u.OSVersion
	switch {
	case os == "macOS":
		os = "Mac OS X"
	case os == "Linux" && strings.Contains(s, "Ubuntu"):
		os = "Ubuntu"
	case os == "" && strings.Contains(strings.ToLower(s), "linux"):
		os = "Linux"
	}
	if !isProduct(os) {
		return a
	}
	a.osName = quoted(os)
	if isProduct(version) && version[0]-'0' < 10 || isProduct(version) && os == "Windows" {
		a.osVersion, a.osFull = quoted(version), quoted(os+" "+version)
	}
	for _, t := range osTypes {
		if strings.HasPrefix(os, t.name) {
			a.osType = quoted(t.typ)
		}
	}
	if isProduct(u.Device) {
		a.device = quoted(u.Device)
	}
	return a
}

// isProduct tells whether s can be the name, or the version, of a product (RFC 9110 section 10.1.5, with spaces).
func isProduct(s string) bool {
	if s == "" || len(s) > 64 || s[0] == ' ' || s == "Mozilla" {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x7f || strings.IndexByte(`"\[]{}()<>;=$`, c) >= 0 {
			return false
		}
	}
	return true
}

func quoted(s string) []byte {
	if s == "" {
		return nil
	}
	return event.AppendString(nil, s)
}

// agentPart is `| user_agent PART`.
func agentCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	if len(t) == 0 {
		return value{}
	}
	a := r.agents.get(t, parseAgent)
	return jsonText(a.part(string(c.arg)))
}

// agentParts are what may stand behind user_agent.
var agentParts = []string{"name", "version", "os.name", "os.version", "os.full", "os.type", "device.name"}

func (a agent) part(name string) []byte {
	switch name {
	case "name":
		return a.name
	case "version":
		return a.version
	case "os.name":
		return a.osName
	case "os.version":
		return a.osVersion
	case "os.full":
		return a.osFull
	case "os.type":
		return a.osType
	case "device.name":
		return a.device
	}
	return nil
}

func jsonText(b []byte) value {
	if b == nil {
		return value{}
	}
	return value{b: b, kind: event.String, json: true}
}

// lookups are the answers that a runner remembers.
type lookups struct {
	agents  recent[agent]
	domains recent[domainParts]
}

// derived are the leaves of what follows from a User-Agent header and from names of domains. -1 = not in this mapping.
type derived struct {
	agent   int
	parts   []int // as agentParts
	domains []domainLeaves
}

type domainLeaves struct{ name, registered, suffix, subdomain int }

// enter adds the leaves where the mapping has what they follow from.
func (d *derived) enter(have, leaf func(name string) int) {
	if d.agent = have("user_agent.original"); d.agent >= 0 {
		for _, p := range agentParts {
			d.parts = append(d.parts, leaf("user_agent."+p))
		}
	}
	for name, at := range map[string]string{"url.domain": "url.", "dns.question.name": "dns.question."} {
		if n := have(name); n >= 0 {
			d.domains = append(d.domains, domainLeaves{n, leaf(at + "registered_domain"), leaf(at + "top_level_domain"), leaf(at + "subdomain")})
		}
	}
}

// derive sets them, where the mapping has not.
func (r *runner) derive(d *derived) {
	if d.agent >= 0 && r.has(d.agent) {
		if t := r.textOf(r.leaves[d.agent][0]); len(t) > 0 {
			a := r.agents.get(t, parseAgent)
			for i, l := range d.parts {
				if v := a.part(agentParts[i]); v != nil && !r.has(l) {
					r.put(l, jsonText(v))
				}
			}
		}
	}
	for i := range d.domains {
		l := &d.domains[i]
		if !r.has(l.name) {
			continue
		}
		registered, suffix, subdomain := r.domain(r.textOf(r.leaves[l.name][0]))
		r.known(l.registered, registered)
		r.known(l.suffix, suffix)
		r.known(l.subdomain, subdomain)
	}
}

func (r *runner) known(leaf int, t []byte) {
	if len(t) > 0 {
		r.fallback(leaf, t)
	}
}
