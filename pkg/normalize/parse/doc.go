// Package parse turns the text of one log record into a [Record]: a small tree of named values.
//
// It knows the wire formats that logs come in: JSON, syslog headers (RFC 3164 and RFC 5424), key=value and logfmt, CSV,
// CEF, LEEF, Zeek's TSV, Windows events, and line patterns with captures; and the ways in which they write a time.
// It is not a grammar kit, and it knows nothing of ECS, of mappings or of events on a pipe.
//
// No parser fails on hostile input in any way but by saying so; none keeps what it was given; in the steady state none
// allocates. Values are spans of the input wherever they need no decoding, so a Record is valid as long as its input.
package parse
