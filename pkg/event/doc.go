// Package event holds one JSON event in memory: a line of NDJSON, checked once and parsed once, read by compiled paths
// and edited without being encoded again.
//
// An [Event] keeps the line as it came and a tape of its object members (the spans of key and value). Reading a field
// follows the tape; setting one appends the new bytes beside the line and relinks the tape; [Event.Append] copies what
// was not touched. Nothing is decoded that nobody asked for: a number keeps its digits, a string its escapes.
// In the steady state no operation allocates.
//
// A [Batch] is what stages hand to each other: the events that lay between two reads, in the order of the stream.
//
// Rules of the format (RFC 8259, with these choices):
//   - a line is one JSON object; any other value is a [SyntaxError];
//   - at most [MaxDepth] levels;
//   - of two members with the same name the first is read; both are written again as they came;
//   - text must be UTF-8; a lone surrogate escape is accepted and kept as its escape;
//   - field names are nested objects; a dot in a key is a dot in a key.
//
// The package knows nothing of ECS, of pipes or of marks.
package event
