package parse

import (
	"bytes"

	"leat/pkg/event"
)

var (
	keyMessage, keyParam = []byte("message"), []byte("param")
	keyRendering         = []byte("rendering")
	keyAzure             = []byte("azure")
)

// attributeNames are the attributes of a Windows event's System that are cells of their own, by element and attribute
// (Windows Event Schema, SystemPropertiesType).
var attributeNames = map[string]string{
	"Provider Name": "provider_name", "Provider Guid": "provider_guid", "TimeCreated SystemTime": "time",
	"Execution ProcessID": "process_id", "Execution ThreadID": "thread_id", "Security UserID": "user_id",
	"Correlation ActivityID": "activity_id", "Correlation RelatedActivityID": "related_activity_id",
}

// WinlogXML adds a Windows event in the XML form of its schema, as wevtutil, WEF and many shippers write it, to the object
// at parent; its cells are those that [Winlog] makes. Data without a name is param1, param2 and so on; what stands in
// UserData is event data too. It tells whether s is one whole event. The bounds of [XML] hold.
func WinlogXML(r *Record, parent int32, s []byte) bool {
	x := xmlReader{rest: bytes.TrimPrefix(s, []byte("- "))}
	root, ok := x.root()
	if !ok || root.empty || string(root.name) != "Event" {
		return false
	}
	system := false
	for {
		switch t := x.next(); t.kind {
		case xmlOpen:
			system = system || string(t.name) == "System"
			if !x.eventPart(r, parent, t) {
				return false
			}
		case xmlClose:
			return system && string(t.name) == "Event" && x.ended()
		case xmlText:
			// Copies of what the event viewer shows have its dashes in front of the elements.
			if len(bytes.Trim(t.text, " \t\r\n-")) > 0 {
				return false
			}
		default:
			return false
		}
	}
}

// eventPart reads System, EventData and the other parts of an event.
func (x *xmlReader) eventPart(r *Record, parent int32, t xmlToken) bool {
	switch name := string(t.name); {
	case t.empty:
		return true
	case name == "System":
		return x.children(t.name, func(c xmlToken) bool { return x.systemPart(r, parent, c) })
	case name == "EventData" || name == "UserData":
		data := r.Find(parent, "event_data")
		if data == None {
			data = r.AddObject(parent, keyEventData)
		}
		return data != None && x.children(t.name, func(c xmlToken) bool {
			if name == "EventData" {
				return x.datum(r, data, c)
			}
			// The element below UserData bears the provider's name for the event, and what it holds are the data.
			return c.empty || x.content(r, data, c.name, 1)
		})
	case name == "RenderingInfo":
		at := r.AddObject(parent, keyRendering)
		if at == None || !x.content(r, at, t.name, 0) {
			return false
		}
		if m := r.Find(at, "Message"); m != None {
			r.Cells[m].Used = true
			r.AddText(parent, keyMessage, r.Cells[m].Val)
		}
		return true
	}
	return x.element(r, parent, t, 0)
}

// children calls each with the elements up to the end of the one called name.
func (x *xmlReader) children(name []byte, each func(t xmlToken) bool) bool {
	for {
		switch t := x.next(); t.kind {
		case xmlOpen:
			if x.elements > 2*maxXMLElements || !each(t) {
				return false
			}
		case xmlClose:
			return bytes.Equal(t.name, name)
		case xmlText:
		default:
			return false
		}
	}
}

// systemPart reads an element of System: its text, or its attributes.
func (x *xmlReader) systemPart(r *Record, parent int32, t xmlToken) bool {
	for attrs := t.attrs; len(attrs) > 0; {
		name, val, rest, ok := attribute(attrs)
		if !ok {
			return false
		}
		attrs = bytes.TrimSpace(rest)
		// Parts of few bytes: the text of the key is made on the stack.
		var buf [64]byte
		key := append(append(append(buf[:0], t.name...), ' '), name...)
		if cell, known := attributeNames[string(key)]; known && len(val) > 0 && r.Find(parent, cell) == None {
			r.AddText(parent, r.copied(cell), r.unescapeXML(val))
		}
	}
	if t.empty {
		return true
	}
	text, leaf, ok := x.leaf(r, xmlToken{name: t.name})
	if !leaf || !ok {
		return ok && x.children(t.name, func(c xmlToken) bool { return x.element(r, parent, c, 2) })
	}
	if len(text) > 0 {
		name, known := systemNames[string(t.name)]
		if !known {
			return r.AddText(parent, r.freeName(parent, t.name), text) != None
		}
		if r.Find(parent, name) == None {
			r.AddText(parent, r.copied(name), text)
		}
	}
	return true
}

// copied is name in memory of the record, which costs no allocation.
func (r *Record) copied(name string) []byte {
	return r.Memory(func(dst []byte) []byte { return append(dst, name...) })
}

// datum reads <Data Name='name'>text</Data>, or another element of EventData.
func (x *xmlReader) datum(r *Record, data int32, t xmlToken) bool {
	if string(t.name) != "Data" && string(t.name) != "ComplexData" {
		return x.element(r, data, t, 1)
	}
	var key []byte
	if name, val, _, ok := attribute(t.attrs); ok && string(name) == "Name" && len(val) > 0 {
		key = r.freeName(data, r.unescapeXML(val))
	} else {
		n := 1
		for i := r.Child(data); i >= 0; i = r.Cells[i].Next {
			n++
		}
		key = r.Memory(func(dst []byte) []byte { return appendInt(append(dst, keyParam...), n) })
	}
	text, leaf, ok := x.leaf(r, xmlToken{name: t.name, empty: t.empty})
	if !ok {
		return false
	}
	if leaf {
		return r.AddText(data, key, text) != None
	}
	at := r.AddObject(data, key)
	return at != None && x.content(r, at, t.name, 2)
}

var pathRawXML = event.MustPath("properties.RawXml")

// azureWinlog reads an event as Azure's diagnostics agent writes it: its XML in properties.RawXml and its text in Description.
// What Azure says besides becomes the object azure.
func azureWinlog(r *Record, parent int32, e *event.Event, root event.Node) bool {
	raw := e.Get(pathRawXML)
	if raw.Kind != event.String || !WinlogXML(r, parent, r.Decode(raw)) {
		return false
	}
	at := r.AddObject(parent, keyAzure)
	if at == None {
		return true
	}
	for n := e.First(root); n != event.None; n = e.Next(n) {
		if string(e.Key(n)) != "properties" {
			addMember(r, at, e, n)
			continue
		}
		for p := e.First(n); p != event.None; p = e.Next(p) {
			switch string(e.Key(p)) {
			case "RawXml":
			case "Description":
				addNamed(r, parent, "message", e.ValueAt(p))
			default:
				addMember(r, at, e, p)
			}
		}
	}
	return true
}
