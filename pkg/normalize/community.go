package normalize

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net/netip"
	"strconv"

	"leat/pkg/event"
)

// protocols are the numbers of the transports that a community id is defined for (IANA protocol numbers).
var protocols = map[string]byte{
	"icmp": 1, "tcp": 6, "udp": 17, "rsvp": 46, "ipv6-icmp": 58, "icmp6": 58, "icmpv6": 58, "sctp": 132,
	"1": 1, "6": 6, "17": 17, "58": 58, "132": 132,
}

// communityID sets network.community_id, version 1 with seed 0, of a flow of TCP, UDP or SCTP. For ICMP it needs type
// and code, which mappings of packets may set; so those flows get none here.
func (r *runner) communityID() {
	a := &r.plan.auto
	if !r.has(a.sourceIP) || !r.has(a.destIP) || a.sourcePort < 0 || a.destPort < 0 || !r.has(a.sourcePort) || !r.has(a.destPort) {
		return
	}
	var proto byte
	if a.transport >= 0 && r.has(a.transport) {
		proto = protocols[string(r.textOf(r.leaves[a.transport][0]))]
	} else if a.iana >= 0 && r.has(a.iana) {
		proto = protocols[string(r.textOf(r.leaves[a.iana][0]))]
	}
	if proto != 6 && proto != 17 && proto != 132 {
		return
	}
	src, ok1 := parseAddr(r.textOf(r.leaves[a.sourceIP][0]))
	dst, ok2 := parseAddr(r.textOf(r.leaves[a.destIP][0]))
	sp, ok3 := port(r.leaves[a.sourcePort][0].b)
	dp, ok4 := port(r.leaves[a.destPort][0].b)
	if !ok1 || !ok2 || !ok3 || !ok4 || src.Is4() != dst.Is4() {
		return
	}
	start := len(r.mem)
	r.mem = appendCommunityID(r.mem, proto, src, dst, sp, dp)
	r.put(a.communityID, value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.String})
}

func port(b []byte) (uint16, bool) {
	n, err := strconv.ParseUint(string(b), 10, 16)
	return uint16(n), err == nil
}

// appendCommunityID writes "1:" and the base64 of SHA-1 over seed, both ends (the smaller first) and the protocol.
func appendCommunityID(dst []byte, proto byte, src, to netip.Addr, sp, dp uint16) []byte {
	var buf [40]byte
	b := append(buf[:0], 0, 0)
	s, d := src.As16(), to.As16()
	sb, db := s[:], d[:]
	if src.Is4() {
		sb, db = sb[12:], db[12:]
	}
	if c := bytes.Compare(sb, db); c > 0 || c == 0 && sp > dp {
		sb, db, sp, dp = db, sb, dp, sp
	}
	b = append(append(b, sb...), db...)
	b = append(b, proto, 0, byte(sp>>8), byte(sp), byte(dp>>8), byte(dp))
	sum := sha1.Sum(b)
	dst = append(dst, "1:"...)
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}
