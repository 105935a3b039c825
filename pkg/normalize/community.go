package normalize

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net/netip"
	"strconv"

	"leat/pkg/event"
)

// The transports (IANA protocol numbers) whose flows have ports, or for ICMP what stands for them.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
	protoSCTP   = 132
)

// protocols are the numbers of the transports' names.
var protocols = map[string]byte{
	"icmp": protoICMP, "igmp": 2, "tcp": protoTCP, "udp": protoUDP, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51,
	"ipv6-icmp": protoICMPv6, "icmp6": protoICMPv6, "icmpv6": protoICMPv6, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": protoSCTP,
}

// flow is what a community id is made of.
type flow struct {
	proto    byte
	src, dst netip.Addr
	sp, dp   uint16
	portless bool // the transport has no ports
	oneWay   bool // no answer belongs to it: its ends stay as they are
}

// communityID sets network.community_id, version 1 with seed 0. Flows of TCP, UDP and SCTP need both ports, those of ICMP the type and
// code that the mapping names (icmp); of other transports the ends are enough.
func (r *runner) communityID() {
	a := &r.plan.auto
	if !r.has(a.sourceIP) || !r.has(a.destIP) {
		return
	}
	f := flow{proto: r.protocol()}
	var ok1, ok2 bool
	f.src, ok1 = parseAddr(r.textOf(r.leaves[a.sourceIP][0]))
	f.dst, ok2 = parseAddr(r.textOf(r.leaves[a.destIP][0]))
	if !ok1 || !ok2 || f.proto == 0 || f.src.Is4() != f.dst.Is4() {
		return
	}
	switch f.proto {
	case protoTCP, protoUDP, protoSCTP:
		ok1 = r.ports(&f)
	case protoICMP, protoICMPv6:
		ok1 = r.icmp(&f)
	default:
		f.portless = true
	}
	if !ok1 {
		return
	}
	start := len(r.mem)
	r.mem = f.appendCommunityID(r.mem)
	r.put(a.communityID, value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.String})
}

// protocol is the number of the flow's transport, or 0.
func (r *runner) protocol() byte {
	a := &r.plan.auto
	for _, leaf := range [...]int{a.transport, a.iana} {
		if leaf < 0 || !r.has(leaf) {
			continue
		}
		text := r.textOf(r.leaves[leaf][0])
		if n, ok := protocols[string(text)]; ok {
			return n
		}
		n, err := strconv.ParseUint(string(text), 10, 8)
		if err != nil {
			return 0
		}
		return byte(n)
	}
	return 0
}

func (r *runner) ports(f *flow) (ok bool) {
	a := &r.plan.auto
	if a.sourcePort < 0 || a.destPort < 0 || !r.has(a.sourcePort) || !r.has(a.destPort) {
		return false
	}
	var ok2 bool
	f.sp, ok = port(r.leaves[a.sourcePort][0].b)
	f.dp, ok2 = port(r.leaves[a.destPort][0].b)
	return ok && ok2
}

func port(b []byte) (uint16, bool) {
	n, err := strconv.ParseUint(string(b), 10, 16)
	return uint16(n), err == nil
}

// appendCommunityID writes "1:" and the base64 of SHA-1 over seed, both ends (the smaller first), the protocol and the ports.
func (f *flow) appendCommunityID(dst []byte) []byte {
	var buf [40]byte
	b := append(buf[:0], 0, 0)
	s, d := f.src.As16(), f.dst.As16()
	sb, db, sp, dp := s[:], d[:], f.sp, f.dp
	if f.src.Is4() {
		sb, db = sb[12:], db[12:]
	}
	if c := bytes.Compare(sb, db); !f.oneWay && (c > 0 || c == 0 && sp > dp) {
		sb, db, sp, dp = db, sb, dp, sp
	}
	b = append(append(b, sb...), db...)
	b = append(b, f.proto, 0)
	if !f.portless {
		b = append(b, byte(sp>>8), byte(sp), byte(dp>>8), byte(dp))
	}
	sum := sha1.Sum(b)
	dst = append(dst, "1:"...)
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}
