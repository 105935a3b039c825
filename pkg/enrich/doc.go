// Package enrich is the stage that writes into an event what an analyst would look up: who the user is, what the host is
// for, where an address belongs.
//
// What is looked up stands in dimensions: named, immutable snapshots of a table, each with a version (a hash of its
// content). A dimension is joined by exact key (several key columns are aliases of one row), by CIDR (longest prefix, IPv4
// and IPv6) or by range. A snapshot is loaded from a CSV or JSON file, a plain list or a MaxMind database, is replaced as
// a whole when the file changes, and is kept when the new one is broken.
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
// It is not for calls over a network for every event, nor for parsing or renaming fields (normalize), nor for judging
// what it wrote (detect).
//
// Delivery: one event comes out for each that goes in, in the same order, whatever happens to a dimension. An event is
// enriched by one generation of all dimensions: in a marked pipe they are replaced at a mark only, else between two
// batches.
package enrich
