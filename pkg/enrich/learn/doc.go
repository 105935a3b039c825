// Package learn holds dimensions that are learned from the stream itself: which host and which user had an address, and
// when. A fact is what one event says (a lease, a log-on, a ticket); a Table keeps the facts of each key in event time and
// answers who had the key at a given time.
//
//	t, err := learn.New(&learn.Config{Preset: learn.Names{"dhcp", "kerberos"}}, learn.Options{Name: "leases"})
//	if row := t.Find([]byte("192.0.2.7"), at); row >= 0 { cell := t.Cell(row, t.Column("user.name")) }
//	t.Learn(e, at)                                     // for every event, in the order of the stream
//
// Facts that come late or out of order go to their places: within Config.Late the answers are the same in whatever order the
// facts came. Memory is bounded by Config; what is forgotten for that is counted. What was learned is given out for
// snapshots by Changes and Base, and taken in by Restore.
//
// It is not for tables that are loaded (dimension), nor for counting (correlate), and it is no access control: what it
// says is what the logs said, and logs can be forged.
//
// Delivery: the same calls in the same order give the same answers, also over a Restore in between. A Table is used by
// one goroutine.
package learn
