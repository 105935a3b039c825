// Package row is the form that an event has in the lake: typed columns that people query, and a text column `rest` that
// holds what the columns don't give back exactly. Event and row say the same JSON value: every number to its digits, absent
// told from null, from empty, from a lone value and from an array of one, and two members of one name kept both.
//
// The rule for a field that has a column: a value that casts to the column's type is in the column; if the cast is not
// exact (1.0 in an integer column, nanoseconds in a timestamp of microseconds, a single text in a list), its JSON is in
// rest too; a value that does not cast is in rest only. A field without column is in rest. Going back, rest wins.
//
// rest is the JSON text of an object. Three things that DuckDB's JSON functions can't take are written in it with U+001A
// (SUBSTITUTE) as the escape: a NUL as U+001A 0000, half of a surrogate pair such as U+001A d83d, and a number beyond the range of a
// double as the string of U+001A, n, and the number; U+001A itself is doubled. Nothing else is changed, and going back undoes it.
//
// The package knows the columns and their SQL types, but no database and no file: pkg/persist makes Parquet of the cells of an
// [Encoder], pkg/query hands back what DuckDB says to a [Decoder]. It is not for transport between stages,
// which is plain NDJSON. It guarantees nothing about delivery.
package row
