// Package evtx reads Windows event logs in the EVTX format (the .evtx files of Windows Vista and later) and writes each
// record as JSON.
//
//	log, err := evtx.Open(f, size)
//	for _, n := range log.Chunks() {
//		c, err := log.Chunk(n)                                 // an error of reading; what is damaged is in c.Damage
//		for rec, ok := c.Next(); ok; rec, ok = c.Next() {
//			line, err := c.AppendJSON(nil, rec)
//		}
//	}
//
// The JSON is the form that readers of EVTX agree on: elements are members, attributes stand below "#attributes", text beside
// attributes or children in "#text", and <Data Name="Image"> of EventData is a member Image:
//
//	{"Event":{"#attributes":{"xmlns":"…"},"System":{"EventID":1,…},"EventData":{"Image":"C:\\…",…}}}
//
// Numbers and booleans stay numbers and booleans; what Windows shows in hexadecimal, SIDs, GUIDs and times are strings. An
// element that occurs several times is an array. What can't be text (a lone surrogate, NUL) is escaped as JSON allows.
//
// Sources of the format: MS-EVEN6 section 2.2 (binary XML), and the description of the EVTX file format by the project libevtx.
//
// It is not for reading the live log of a running Windows, for the older .evt, or for the messages that a provider's DLL would
// add: a record has data, not prose.
//
// Logs are hostile input. Whatever a file holds, memory and time are bounded by a chunk's 64 KiB and by MaxJSON for a record, and
// nothing panics. What is damaged is told, and what lies behind it is still read.
package evtx
