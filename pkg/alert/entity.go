package alert

import (
	"slices"

	"leat/pkg/event"
)

// maxEntity is the size of an entity above which an alert leaves it to the event that it refers to.
const maxEntity = 32 << 10

// span is a run of slots of Subject: the places of one thing, best first.
type span struct{ from, to int }

// layout numbers every place that an alert is made from, so that one walk over the event reads them all.
type layout struct{ names []string }

func (l *layout) add(names ...string) span {
	from := len(l.names)
	// A place that two things share is read for both.
	l.names = append(l.names, names...)
	return span{from, len(l.names)}
}

// entities are the ECS objects that say who, where and what.
var entities = []string{
	"user", "host", "source", "destination", "client", "server", "process", "file", "registry", "url",
	"dns", "network", "cloud", "service", "observer", "user_agent", "related",
}

// copied are the members of event that an alert takes over.
var copied = []string{"category", "action", "outcome"}

// intelligence are the members of threat that say which indicators an event has, and from where they are.
var intelligence = []string{"indicator", "enrichments", "feed"}

// places says where an event has what an alert tells.
var places = newPlaces()

type placeTable struct {
	fields *event.Fields
	prefix []string // of each entity and copied member as a member of the alert

	entity, copied, dataset, threat     span
	time, utcTime                       span // utcTime says no zone
	rawHost, rawUser                    span
	user, fullName, dept, userCity      span
	host, function, hostCity, hostState span
	source, sourceCity, sourceState     span
}

func newPlaces() *placeTable {
	var l layout
	rawHost := []string{"Computer", "winlog.computer_name", "Event.System.Computer"}
	rawUser := []string{
		"User", "winlog.event_data.User", "Event.EventData.User", "SubjectUserName", "winlog.event_data.SubjectUserName",
		"Event.EventData.SubjectUserName", "SourceUser", "AccountName",
	}
	t := &placeTable{
		entity: l.add(entities...),
		copied: l.add("event.category", "event.action", "event.outcome"), dataset: l.add("event.dataset"),
		threat: l.add("threat.indicator", "threat.enrichments", "threat.feed"),
		// Ours, and those of Windows events that nobody normalised.
		time: l.add("@timestamp", "SystemTime", "TimeCreated", "winlog.time_created",
			"Event.System.TimeCreated.#attributes.SystemTime", "Event.System.TimeCreated.@SystemTime"),
		utcTime: l.add("UtcTime"),
		rawHost: l.add(rawHost...), rawUser: l.add(rawUser...),
		user:     l.add(slices.Concat([]string{"user.name", "user.email", "user.full_name", "user.id"}, rawUser)...),
		fullName: l.add("user.full_name"),
		dept:     l.add("user.department"),
		userCity: l.add("user.office.city", "user.office.name", "user.office.country"),
		host: l.add(slices.Concat([]string{"host.name", "host.hostname", "host.id", "host.ip", "destination.domain",
			"destination.ip"}, rawHost)...),
		function: l.add("host.function"), hostCity: l.add("host.office.city", "host.office.name"), hostState: l.add("host.office.country"),
		source: l.add("source.ip", "source.address", "source.domain", "client.ip"), sourceCity: l.add("source.geo.city_name"),
		sourceState: l.add("source.geo.country_name", "source.geo.country_iso_code"),
	}
	t.fields = event.MustFields(l.names...)
	for _, n := range slices.Concat(entities, copied) {
		t.prefix = append(t.prefix, `,"`+n+`":`)
	}
	return t
}

// Subject is an event that raises alerts, read once for all of them, and not before the first. Its memory is reused; it is for
// one goroutine.
type Subject struct {
	e    *event.Event
	vals []event.Value // by places.fields, where read is set
	read bool
	id   string // "" = not read yet

	ts    []byte // its time as a JSON string, where timed is set; nil: none
	timed bool
}

// Read takes in e, which must have been parsed and must stay unchanged while s is used.
func (s *Subject) Read(e *event.Event) { s.e, s.read, s.timed, s.id = e, false, false, "" }

// all returns the event's values by places.fields.
func (s *Subject) all() []event.Value {
	if s.vals == nil {
		s.vals = make([]event.Value, places.fields.Len())
	}
	if !s.read {
		places.fields.Read(s.e, s.vals)
		s.read = true
	}
	return s.vals
}

var pathID = event.MustPath("event.id")

// EventID returns the event's id; an event that never saw ingest gets one from its bytes.
func (s *Subject) EventID() string {
	if s.id == "" {
		if v := s.e.Get(pathID); v.Kind == event.String {
			s.id = v.String()
		} else {
			s.id = event.ID("", 0, 0, 0, s.e.Line())
		}
	}
	return s.id
}

// first returns the first text that is not empty.
func (s *Subject) first(at span) event.Value {
	for _, v := range s.all()[at.from:at.to] {
		if v.Kind == event.String && len(v.Raw) > 2 {
			return v
		}
	}
	return event.Value{}
}

// time returns the event's time as the JSON text of a string, or nil where it has none that is RFC 3339.
func (s *Subject) time() []byte {
	if !s.timed {
		s.ts, s.timed = s.findTime(), true
	}
	return s.ts
}

func (s *Subject) findTime() []byte {
	for _, v := range s.all()[places.time.from:places.time.to] {
		if v.Kind != event.String || v.Escaped() {
			continue
		}
		if _, ok := event.ParseTime(v.Raw[1 : len(v.Raw)-1]); ok {
			return v.Raw
		}
	}
	if v := s.all()[places.utcTime.from]; v.Kind == event.String && !v.Escaped() {
		if ns, ok := event.ParseUTC(v.Raw[1 : len(v.Raw)-1]); ok {
			return append(event.AppendTime([]byte{'"'}, ns), '"')
		}
	}
	return nil
}

// appendCopied appends what the alert's event object takes over.
func (s *Subject) appendCopied(dst []byte) []byte {
	for i, v := range s.all()[places.copied.from:places.copied.to] {
		if v.Exists() && v.Kind != event.Null {
			dst = append(append(dst, places.prefix[len(entities)+i]...), v.Raw...)
		}
	}
	return dst
}

// appendThreat appends the member threat: what the rule says of it, rule, and the indicators that the event has.
func (s *Subject) appendThreat(dst, rule []byte) []byte {
	open := len(rule) > 0
	if open {
		dst = append(dst, rule[:len(rule)-1]...)
	}
	for i, v := range s.all()[places.threat.from:places.threat.to] {
		if v.Kind != event.Object && v.Kind != event.Array || len(v.Raw) > maxEntity {
			continue
		}
		if open {
			dst = append(dst, ',')
		} else {
			dst = append(dst, `,"threat":{`...)
			open = true
		}
		dst = append(append(append(append(dst, '"'), intelligence[i]...), `":`...), v.Raw...)
	}
	if open {
		dst = append(dst, '}')
	}
	return dst
}

// appendEntities appends the entities that the event has. Where it has no host or user, one that a raw Windows event names.
func (s *Subject) appendEntities(dst []byte) []byte {
	for i, v := range s.all()[places.entity.from:places.entity.to] {
		if v.Kind == event.Object && len(v.Raw) > len("{}") && len(v.Raw) <= maxEntity {
			dst = append(append(dst, places.prefix[i]...), v.Raw...)
		}
	}
	if s.all()[slices.Index(entities, "host")].Kind != event.Object {
		dst = s.appendRaw(dst, `,"host":{"name":`, places.rawHost)
	}
	if s.all()[slices.Index(entities, "user")].Kind != event.Object {
		dst = s.appendRaw(dst, `,"user":{"name":`, places.rawUser)
	}
	return dst
}

func (s *Subject) appendRaw(dst []byte, prefix string, at span) []byte {
	if v := s.first(at); v.Exists() {
		return append(append(append(dst, prefix...), v.Raw...), '}')
	}
	return dst
}
