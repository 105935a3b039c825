package parse

import (
	"leat/pkg/event"
)

// systemNames are the members of a flat Windows event that say where it comes from, by the cell that they become. What
// is none of them is data of the event.
var systemNames = map[string]string{
	"Channel": "channel", "LogName": "channel",
	"EventID": "event_id", "EventId": "event_id",
	"Provider_Name": "provider_name", "SourceName": "provider_name", "ProviderName": "provider_name",
	"Computer": "computer_name", "Hostname": "computer_name", "MachineName": "computer_name",
	"EventRecordID": "record_id", "RecordNumber": "record_id", "RecordId": "record_id",
	"SystemTime": "time", "EventTime": "time", "TimeCreated": "time", "@timestamp": "time",
	"Level": "level", "Task": "task", "Opcode": "opcode", "Keywords": "keywords", "Version": "version",
	"ExecutionProcessID": "process_id", "ExecutionThreadID": "thread_id", "ThreadID": "thread_id",
	"ProviderGuid": "provider_guid", "Provider_Guid": "provider_guid", "UserID": "user_id", "SourceModuleType": "module",
	"EventType": "event_type", "AccountName": "user_name", "Domain": "user_domain",
}

var keyEventData, keyBeat = []byte("event_data"), []byte("beat")

// Winlog adds a Windows event to the object at parent, whatever shape it has: {"Event":{"System","EventData"}} as EVTX
// readers write it, winlog.* as Winlogbeat does, XML within the JSON of Azure's diagnostics, or flat. The cells are channel, event_id, provider_name, computer_name,
// record_id, time and others of System, and the object event_data; of Winlogbeat's also beat, with what stood beside
// winlog. It tells whether e is such an event.
func Winlog(r *Record, parent int32, e *event.Event) bool {
	root := e.Root()
	if root == event.None {
		return false
	}
	if ev := e.Find(root, "Event"); ev != event.None && e.KindAt(ev) == event.Object {
		return nestedWinlog(r, parent, e, ev)
	}
	if w := e.Find(root, "winlog"); w != event.None && e.KindAt(w) == event.Object {
		r.FromEvent(parent, e, w)
		if t := e.Find(root, "@timestamp"); t != event.None {
			addNamed(r, parent, "time", e.ValueAt(t))
		}
		if m := e.Find(root, "message"); m != event.None {
			addNamed(r, parent, "message", e.ValueAt(m))
		}
		besides(r, parent, e, root)
		return true
	}
	if azureWinlog(r, parent, e, root) {
		return true
	}
	if e.Find(root, "EventID") == event.None && e.Find(root, "EventId") == event.None {
		return false
	}
	data := None
	for n := e.First(root); n != event.None; n = e.Next(n) {
		name, system := systemNames[string(e.Key(n))]
		switch {
		case system && r.Find(parent, name) == None:
			addNamed(r, parent, name, e.ValueAt(n))
		case string(e.Key(n)) == "Message" || string(e.Key(n)) == "message":
			addNamed(r, parent, "message", e.ValueAt(n))
		default:
			if data == None {
				if data = r.AddObject(parent, keyEventData); data == None {
					return true
				}
			}
			addMember(r, data, e, n)
		}
	}
	return true
}

// besides adds what Winlogbeat writes beside winlog (agent, host, event ...) below the object beat.
func besides(r *Record, parent int32, e *event.Event, root event.Node) {
	beat := None
	for n := e.First(root); n != event.None; n = e.Next(n) {
		switch string(e.RawKey(n)) {
		case "winlog", "@timestamp", "message":
			continue
		}
		if beat == None {
			if beat = r.AddObject(parent, keyBeat); beat == None {
				return
			}
		}
		addMember(r, beat, e, n)
	}
}

func nestedWinlog(r *Record, parent int32, e *event.Event, ev event.Node) bool {
	sys := e.Find(ev, "System")
	if sys == event.None || e.KindAt(sys) != event.Object {
		return false
	}
	for n := e.First(sys); n != event.None; n = e.Next(n) {
		v := e.ValueAt(n)
		switch string(e.Key(n)) {
		case "Provider":
			addAttribute(r, parent, "provider_name", v, "Name")
			addAttribute(r, parent, "provider_guid", v, "Guid")
		case "TimeCreated":
			addAttribute(r, parent, "time", v, "SystemTime")
		case "Execution":
			addAttribute(r, parent, "process_id", v, "ProcessID")
			addAttribute(r, parent, "thread_id", v, "ThreadID")
		case "EventID":
			if v.Kind == event.Object {
				v = v.Member("#text")
			}
			addNamed(r, parent, "event_id", v)
		default:
			if name, ok := systemNames[string(e.Key(n))]; ok {
				addNamed(r, parent, name, v)
			} else {
				addMember(r, parent, e, n)
			}
		}
	}
	for n := e.First(ev); n != event.None; n = e.Next(n) {
		k := string(e.Key(n))
		if k == "System" || len(k) > 0 && (k[0] == '#' || k[0] == '@') {
			continue
		}
		if (k == "EventData" || k == "UserData") && e.KindAt(n) == event.Object {
			if data := r.AddObject(parent, keyEventData); data != None {
				r.FromEvent(data, e, n)
			}
			continue
		}
		addMember(r, parent, e, n)
	}
	return true
}

// addAttribute adds an attribute of an XML element that was written as JSON: {"#attributes":{"Name":…}} or {"Name":…}.
func addAttribute(r *Record, parent int32, name string, v event.Value, attribute string) {
	if v.Kind != event.Object {
		addNamed(r, parent, name, v)
		return
	}
	if a := v.Member("#attributes"); a.Exists() {
		v = a
	}
	if m := v.Member(attribute); m.Exists() {
		addNamed(r, parent, name, m)
	} else if m := v.Member("@" + attribute); m.Exists() {
		addNamed(r, parent, name, m)
	}
}

func addNamed(r *Record, parent int32, name string, v event.Value) {
	if v.Exists() {
		r.Add(parent, Cell{Key: r.copied(name), Val: v.Raw, Kind: v.Kind, JSON: true})
	}
}

func addMember(r *Record, parent int32, e *event.Event, n event.Node) {
	v := e.ValueAt(n)
	c := r.Add(parent, Cell{Key: e.RawKey(n), Val: v.Raw, Kind: v.Kind, JSON: true, JSONKey: true})
	if c != None && v.Kind == event.Object {
		r.FromEvent(c, e, n)
	}
}
