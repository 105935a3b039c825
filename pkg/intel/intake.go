package intel

import (
	"bytes"

	"golang.org/x/net/publicsuffix"
)

// intake takes the records of one feed: it brings values into canonical form, judges them, and hands what is live to the collector.
type intake struct {
	feed   *Feed
	number uint16
	life   life
	allow  *allowList
	kinds  [kinds]bool
	out    *collector
	counts counts

	rec   indicator // memory of the parser's records
	value []byte
}

// record returns an empty record; the parser fills it in and calls put.
func (t *intake) record() *indicator {
	t.counts.Records++
	t.rec.reset()
	return &t.rec
}

// put takes a value of the record i. kind Unknown: the value tells.
func (t *intake) put(i *indicator) {
	t.counts.Values++
	kind := i.kind
	if kind >= kinds {
		t.counts.Unsupported++
		return
	}
	if kind == Unknown {
		t.value, kind = Classify(t.value[:0], i.value)
	} else {
		t.value = AppendCanonical(t.value[:0], i.value, kind)
		kind = settle(t.value, kind)
	}
	if len(t.value) == 0 {
		t.counts.Malformed++
		return
	}
	value, kind := single(t.value, kind)
	if !t.kinds[kind] {
		t.counts.Unsupported++
		return
	}
	if isBroad(value, kind) {
		t.counts.Broad++
		return
	}
	confidence := i.confidence
	if confidence < 0 {
		confidence = *t.feed.Confidence
	}
	confidence = min(confidence, 100)
	if i.tlp == "" {
		i.tlp = t.feed.TLP
	}
	switch t.life.judge(i, confidence) {
	case expired:
		t.counts.Expired++
		return
	case future:
		t.counts.Future++
		return
	case faint:
		t.counts.Faint++
		return
	}
	benign, covers := t.allow.holds(value, kind)
	if benign {
		t.counts.Allowed++
		return
	}
	if covers {
		t.counts.Covering++
	}
	t.counts.Used++
	t.out.add(t.number, value, kind, i, confidence)
}

// isBroad tells whether a value stands for so much that a hit says nothing: a large part of the address space, or a registry's names.
func isBroad(value []byte, kind Kind) bool {
	switch kind {
	case CIDR:
		p, ok := parsePrefix(value)
		return !ok || p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 19
	case Domain:
		switch bytes.Count(value, []byte(".")) {
		case 0:
			return true
		case 1, 2:
			name := string(value)
			suffix, icann := publicsuffix.PublicSuffix(name)
			return icann && suffix == name
		}
	}
	return false
}
