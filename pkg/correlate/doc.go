// Package correlate evaluates Sigma's correlations over event time, with bounded memory.
//
//	e, err := correlate.New([]correlate.Rule{{ID: "a", Correlation: c}}, correlate.Limits{})
//	e.Advance(at, raise)                                         // for every event, whether a rule matched it or not
//	m, ok := e.Observe(0, &correlate.Observation{Key: key, At: at, ID: id})
//
// A caller tells what it saw of each group (Observation), in whatever order it comes, and gets a [Match] where the
// correlation holds. Matching events, finding groups and writing alerts are the caller's.
//
// Two kinds of conditions are told apart, for what a late event may do to them:
//
//   - Rising: more events can only make them true (counts and sums with gt or gte, temporal without not). They are decided at
//     once. The window slides: it is any Timespan, both ends included, that holds enough. It begins with its first event,
//     and no event within Timespan from there raises another match of the group.
//   - Closing: all others (lt, lte, eq, neq, averages, percentiles, not). A window begins with the first event that no window
//     before it holds and is decided when it is over, Lateness later.
//
// Both depend on the times of the events and on the order of what comes alone: never on a clock. Results are exact for events
// that are at most Lateness older than the newest of their group that came before. What is older still is correlated
// beside it, as an older file that is read after a newer one; of a closing condition an event whose window is over is
// left out and counted (Stats.Late). A group that lags behind the stream as a whole keeps its own time.
//
// Memory is bounded by Limits: the group that was not seen for longest, or a group's oldest event, goes first, and each is
// counted. What is remembered is given out for snapshots by AppendBase and AppendChanges, and taken in by Restore.
//
// Delivery: the same observations in the same order give the same matches, also over a Restore in between.
package correlate
