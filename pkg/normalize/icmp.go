package normalize

import (
	"go.yaml.in/yaml/v3"
)

// icmpSource names where a record has the type and code of an ICMP message. ECS has no fields for them; a flow's community id needs both.
type icmpSource struct{ kind, code *source }

// icmp reads `icmp: {type: source, code: source}`.
func (c *compiler) icmp(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	var s icmpSource
	keys, vals := c.entries(n, "icmp")
	for i, k := range keys {
		to := &s.kind
		switch k.Value {
		case "type":
		case "code":
			to = &s.code
		default:
			c.fault(k, "icmp: unknown key %q; expected type, code", k.Value)
			continue
		}
		src, err := c.plan.compileSource(vals[i].Value, c.tables)
		if err != nil {
			c.fault(vals[i], "icmp.%s: %v", k.Value, err)
		}
		*to = src
	}
	if s.kind == nil || s.code == nil {
		c.fault(n, "icmp: expected both type and code, the sources of a message's type and code")
		return
	}
	c.plan.icmp = &s
}

// icmpAnswers are the types of messages that belong together, a question and its answer (community id specification, version 1).
var (
	icmpAnswers   = map[uint16]uint16{8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17}
	icmpv6Answers = map[uint16]uint16{128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139, 144: 145, 145: 144}
)

// icmp puts the message's type and that of its counterpart, or for one without the code, in the place of ports.
func (r *runner) icmp(f *flow) bool {
	s := r.plan.icmp
	if s == nil {
		return false
	}
	kind, _ := r.read(s.kind)
	code, _ := r.read(s.code)
	if kind.empty() || code.empty() {
		return false
	}
	var ok1, ok2 bool
	f.sp, ok1 = port(r.textOf(kind))
	f.dp, ok2 = port(r.textOf(code))
	if !ok1 || !ok2 || f.sp > 255 || f.dp > 255 {
		return false
	}
	answers := icmpAnswers
	if f.src.Is6() { // some name both versions icmp
		f.proto, answers = protoICMPv6, icmpv6Answers
	}
	answer, ok := answers[f.sp]
	if f.oneWay = !ok; ok {
		f.dp = answer
	}
	return true
}
