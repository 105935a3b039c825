// Package enrich is the stage that writes into an event what an analyst would look up: who the user is, what the host is
// for, where an address belongs.
//
// What is looked up stands in dimensions: named, immutable snapshots of a table, each with a version. A dimension is joined
// by exact key (several key columns are aliases of one row), by CIDR (longest prefix, IPv4 and IPv6), by range or by domain
// suffix, and, where its rows have times, as of the event's time. Its rows come from a file (CSV, JSON, list, Parquet,
// MaxMind), a directory (pkg/directory), a query or a web service (pkg/dimension/...), or feeds of indicators (pkg/intel). A
// snapshot is replaced as a whole when its source changes, is kept when the new one is broken, and lies on disk for the next
// start. Two kinds of dimension are no snapshots: what the stream itself teaches (pkg/enrich/learn), and what is asked for
// key by key (pkg/enrich/remote).
//
// Rules say which field of the event is the key, which dimension answers, and which column goes to which field:
//
//	dimensions:
//	  users: {file: users.csv, key: [id, sam, email], fold: true}
//	rules:
//	  - field: user.name
//	    dimension: users
//	    set: {user.full_name: name, user.email: email, user.department: department}
//
// It is not for parsing or renaming fields (normalize), nor for judging what it wrote (detect). No event waits for a network,
// but where a dimension is remote, or a rule says hold.
//
// Delivery: one event comes out for each that goes in, in the same order, whatever happens to a dimension. An event is
// enriched by one generation of all dimensions: in a marked pipe they are replaced at a mark, or where a rule holds, else between two
// batches. What is learned is restored at a mark exactly as it was there. Events of its own (dataset leat.enrich) tell of
// dimensions that are stale, failed or well again; in a crash such an event may be lost, or told again with the same id.
package enrich
