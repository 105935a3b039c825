package alert

import (
	"bytes"

	"leat/pkg/event"
)

// maxEntity is the size of an entity above which an alert leaves it to the event that it refers to.
const maxEntity = 32 << 10

// copied is a member that an alert takes over from its event.
type copied struct {
	path   event.Path
	prefix string
}

func members(names ...string) []copied {
	var out []copied
	for _, n := range names {
		out = append(out, copied{event.MustPath(n), `,"` + n + `":`})
	}
	return out
}

var (
	// entities are the ECS objects that say who, where and what.
	entities = members("user", "host", "source", "destination", "client", "server", "process", "file", "registry", "url",
		"dns", "network", "cloud", "service", "observer", "user_agent", "related")

	eventFields = []copied{
		{event.MustPath("event.category"), `,"category":`},
		{event.MustPath("event.action"), `,"action":`},
		{event.MustPath("event.outcome"), `,"outcome":`},
	}

	pathDataset = event.MustPath("event.dataset")
	pathEventID = event.MustPath("event.id")

	// times are the places of an event's time: ours, and those of Windows events that were not normalised.
	times = paths("@timestamp", "SystemTime", "TimeCreated", "winlog.time_created",
		`Event.System.TimeCreated.#attributes.SystemTime`, `Event.System.TimeCreated.@SystemTime`)

	rawHost = paths("Computer", "winlog.computer_name", "Event.System.Computer")
	rawUser = paths("User", "winlog.event_data.User", "Event.EventData.User", "SubjectUserName",
		"winlog.event_data.SubjectUserName", "Event.EventData.SubjectUserName", "SourceUser", "AccountName")
)

func paths(names ...string) []event.Path {
	var out []event.Path
	for _, n := range names {
		out = append(out, event.MustPath(n))
	}
	return out
}

// Time returns the event's time as the JSON text of a string, or nil where it has none that is RFC 3339.
func Time(e *event.Event) []byte {
	for _, p := range times {
		v := e.Get(p)
		if v.Kind != event.String || v.Escaped() {
			continue
		}
		if _, ok := event.ParseTime(v.Raw[1 : len(v.Raw)-1]); ok {
			return v.Raw
		}
	}
	return nil
}

// EventID returns the event's id; an event that never saw ingest gets one from its bytes.
func EventID(e *event.Event) string {
	if v := e.Get(pathEventID); v.Kind == event.String {
		return v.String()
	}
	return event.ID("", 0, 0, 0, e.Line())
}

// appendEntities appends the entities that e has. Where it has no host or user, one that a raw Windows event names.
func appendEntities(dst []byte, e *event.Event) []byte {
	for _, c := range entities {
		v := e.Get(c.path)
		if v.Kind == event.Object && len(v.Raw) <= maxEntity && !bytes.Equal(v.Raw, []byte("{}")) {
			dst = append(append(dst, c.prefix...), v.Raw...)
		}
	}
	if e.Get(pathHost).Kind != event.Object {
		dst = appendRaw(dst, e, `,"host":{"name":`, rawHost)
	}
	if e.Get(pathUser).Kind != event.Object {
		dst = appendRaw(dst, e, `,"user":{"name":`, rawUser)
	}
	return dst
}

func appendRaw(dst []byte, e *event.Event, prefix string, places []event.Path) []byte {
	if v := first(e, places); v.Exists() {
		return append(append(append(dst, prefix...), v.Raw...), '}')
	}
	return dst
}

// first returns the first text that is not empty.
func first(e *event.Event, places []event.Path) event.Value {
	for _, p := range places {
		if v := e.Get(p); v.Kind == event.String && len(v.Raw) > 2 {
			return v
		}
	}
	return event.Value{}
}
