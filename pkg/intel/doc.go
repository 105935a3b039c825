// Package intel reads threat-intelligence feeds (STIX 2.1, TAXII 2.1, MISP, abuse.ch, plain lists) into one table of live indicators,
// and finds the indicators in events.
//
// A [Config] is opened as a dimension.Source. Its Fetch brings each feed to a file (of a feed that can't be reached, the last good one
// is used), reads the files one record at a time, brings each value into one canonical form ([AppendCanonical]), leaves out what is past its
// validity, below the floor of its decayed confidence, or known to be benign, and merges what several feeds say of one value.
// A [Matcher] looks at all usual fields of an event and writes threat.enrichments.
//
// It is not for indicators that are about more than one observation (patterns with AND or FOLLOWEDBY are counted, not used), nor for
// judging a hit: a rule of detect does that. It sends nothing about events to anybody.
//
// Delivery: the same events and the same table give the same bytes. A feed that fails leaves its last good state in use; a feed that
// never came is an error of Fetch unless the feed is optional.
package intel
