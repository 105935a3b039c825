package redact

import (
	"net/netip"
)

// hit is a part of a text that something else takes the place of.
type hit struct {
	start, end int
	to         []byte // nil: act says
	act        *action
	name       int // 1 + the pattern's number, or 0
}

// redactText appends text with every secret and every match of a pattern replaced, and tells whether there were any. All are looked
// for in the text as it came: what was put in is not redacted again.
func (r *run) redactText(dst, text []byte) (out []byte, changed bool) {
	r.hits = r.hits[:0]
	for i := range r.secrets.list {
		s := &r.secrets.list[i]
		for at := s.find(text, 0); at >= 0; at = s.find(text, at+len(s.from)) {
			r.hits = append(r.hits, hit{start: at, end: at + len(s.from), to: s.to})
		}
	}
	if len(r.secrets.addrs) > 0 {
		r.addresses(text)
	}
	var kinds shape
	if len(r.cfg.patterns) > 0 {
		kinds = shapeOf(text)
	}
	for i := range r.cfg.patterns {
		p := &r.cfg.patterns[i]
		if !kinds.mayHold(p.name) {
			continue
		}
		for start, end := p.find(text, 0); start >= 0; start, end = p.find(text, end) {
			r.hits = append(r.hits, hit{start: start, end: end, act: &p.act, name: i + 1})
		}
	}
	if len(r.hits) == 0 {
		return dst, false
	}
	at := 0
	for {
		h := r.first(at)
		if h == nil {
			break
		}
		dst = append(dst, text[at:h.start]...)
		if h.to != nil {
			dst = append(dst, h.to...)
		} else {
			dst = h.act.append(dst, text[h.start:h.end], r.keyed)
		}
		at = h.end
		if h.name > 0 {
			r.note(r.cfg.patterns[h.name-1].name)
		}
	}
	return append(dst, text[at:]...), true
}

// first returns the hit that begins first from at on; of several there, the longest. One that a replaced part cut into counts from
// its rest on: that rest goes with it.
func (r *run) first(at int) *hit {
	var best *hit
	for i := range r.hits {
		h := &r.hits[i]
		if h.end <= at {
			continue
		}
		h.start = max(h.start, at)
		if best == nil || h.start < best.start || h.start == best.start && h.end > best.end {
			best = h
		}
	}
	return best
}

// addresses finds the addresses that are secrets.
func (r *run) addresses(text []byte) {
	for start, end := findAddress(text, 0, true, true); start >= 0; start, end = findAddress(text, end, true, true) {
		a, err := netip.ParseAddr(view(text[start:end]))
		if err != nil {
			continue
		}
		if to := r.secrets.address(a.Unmap().WithZone("")); to != nil {
			r.hits = append(r.hits, hit{start: start, end: end, to: to})
		}
	}
}
