// Package dimension holds tables that are looked up for events: rows of named columns, found by key. A Table is built once
// and never changes. A Dimension is a table with the index of its keys (exact, CIDR, range, domain suffix), optionally with
// the times within which each row is valid; it is written to a file that another process maps into memory and has at once.
// A Source reads a table from where it lives.
//
// It knows nothing of events, rules or reloading (those are enrich's), and is not for tables that change row by row.
//
// Delivery: a file that Open accepts is whole (its checksum is right); one that is torn is refused.
package dimension
