package intel

import "time"

// indicator is one record of a feed. Times are ns since 1970, 0 = not said. Its memory is the parser's, until the next record.
type indicator struct {
	value []byte
	kind  Kind // Unknown: the value tells
	// confidence is 0 to 100, or -1: the feed's own.
	confidence          int
	validFrom, validTo  int64
	firstSeen, lastSeen int64
	provider, reference string
	description         string
	tlp                 string // as TLP 2.0 writes it: CLEAR, GREEN, AMBER, AMBER+STRICT, RED
	id                  string
	name                string // malware family, or the rule that it is of
	tags                []string
	severity            int // 0 to 100; 0 = by confidence
}

// reset makes it a record that says nothing.
func (i *indicator) reset() { *i = indicator{value: i.value[:0], confidence: -1, tags: i.tags[:0]} }

// counts say what became of a feed's records.
type counts struct {
	// Records were read, Values were in them.
	Records, Values int
	// Used are in the table, alone or merged with what another feed says of the value.
	Used int
	// Malformed could not be read, Complex are patterns of more than one observation, Unsupported are of a kind that is not matched.
	Malformed, Complex, Unsupported int
	// Expired are past their validity or ttl, Future before it, Revoked taken back, Faint below the floor.
	Expired, Future, Revoked, Faint int
	// Allowed are known to be benign, Broad are whole registries of names or a large part of the address space.
	Allowed, Broad int
	// Covering are blocks that hold, and names that stand above, something that is allow-listed; they are used.
	Covering int
}

// list gives the counts with their names, for logs; those that are zero are left out.
func (c *counts) list() []any {
	var out []any
	for _, n := range []struct {
		name string
		n    int
	}{
		{"records", c.Records}, {"values", c.Values}, {"used", c.Used}, {"malformed", c.Malformed}, {"complex", c.Complex},
		{"unsupported", c.Unsupported}, {"expired", c.Expired}, {"not_yet_valid", c.Future}, {"revoked", c.Revoked},
		{"below_floor", c.Faint}, {"allowed", c.Allowed}, {"too_broad", c.Broad}, {"cover_allowed", c.Covering},
	} {
		if n.n > 0 {
			out = append(out, n.name, n.n)
		}
	}
	return out
}

// levelOf is ECS's threat.indicator.confidence for a confidence of 0 to 100, by the scale of STIX 2.1, appendix A.
func levelOf(confidence int) string {
	switch {
	case confidence <= 0:
		return "None"
	case confidence < 30:
		return "Low"
	case confidence < 70:
		return "Medium"
	}
	return "High"
}

// severityOf is a score for event.severity's scale where the feed has none: 21, 47 or 73 for low, medium and high confidence.
func severityOf(confidence int) int {
	switch levelOf(confidence) {
	case "None", "Low":
		return 21
	case "Medium":
		return 47
	}
	return 73
}

// tlpOf brings a marking to the words of TLP 2.0; "" where it is none.
func tlpOf(s string) string {
	s, _ = cutPrefixFold(s, "tlp:")
	switch {
	case equalFold(s, "white"), equalFold(s, "clear"):
		return "CLEAR"
	case equalFold(s, "green"):
		return "GREEN"
	case equalFold(s, "amber"):
		return "AMBER"
	case equalFold(s, "amber+strict"):
		return "AMBER+STRICT"
	case equalFold(s, "red"):
		return "RED"
	}
	return ""
}

// tlpStrict orders markings: of two the stricter holds.
func tlpStrict(s string) int {
	switch s {
	case "GREEN":
		return 1
	case "AMBER":
		return 2
	case "AMBER+STRICT":
		return 3
	case "RED":
		return 4
	}
	return 0
}

// life is when an indicator of a feed counts.
type life struct {
	now      time.Time
	ttl      time.Duration // 0 = for ever
	halfLife time.Duration // 0 = no decay
	floor    int
}

// verdict says whether an indicator is live, and if not, why.
type verdict uint8

const (
	live verdict = iota
	expired
	future
	faint
)

// judge tells whether i, with this confidence, is live. What counts is when it was last seen; where that is not said, from when it is
// valid or when it was first seen. Where no time is said it is as old as the feed's file, which is always now.
func (l *life) judge(i *indicator, confidence int) verdict {
	now := l.now.UnixNano()
	if i.validTo != 0 && now >= i.validTo {
		return expired
	}
	if i.validFrom > now {
		return future
	}
	seen := i.lastSeen
	if seen == 0 {
		seen = max(i.validFrom, i.firstSeen)
	}
	if seen == 0 {
		seen = now
	}
	age := time.Duration(max(now-seen, 0))
	if l.ttl > 0 && age >= l.ttl {
		return expired
	}
	if decayed(confidence, age, l.halfLife) < float64(l.floor) {
		return faint
	}
	return live
}
