// Package remote looks single keys up where they live - a web service, a database, a directory, the DNS - and remembers what
// came of it. It is the opt-in way of enrichment, for what is too big or too lively to be loaded as a table.
//
// A Cache asks in batches, never twice at once for one key, with a bounded number of calls, each with a time limit. Answers
// and misses are kept for their times, over restarts too; while the other side is down, what is known is served as stale, and
// a circuit breaker keeps events from waiting for it.
//
// It is not for tables that fit in memory (pkg/dimension is: no network per event), and knows nothing of events or rules.
//
// Delivery: a look-up changes nothing elsewhere. The kept answers are a cache: what a crash cuts off is asked again, and what
// the disk garbles is seen by its checksum and cut off.
package remote
