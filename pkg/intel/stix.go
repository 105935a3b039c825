package intel

import (
	"io"

	"leat/pkg/event"
)

// objects yields the objects of a source, one after the other; each pass begins anew.
type objects func(f func(raw []byte) error) error

// readSTIX reads a bundle of STIX 2.1 (or 2.0), or a list of its objects. open gives the bytes once more for each pass.
func readSTIX(open func() (io.ReadCloser, error), t *intake) error {
	return readObjects(func(f func(raw []byte) error) error {
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		return eachObject(r, "objects", f)
	}, t)
}

// readObjects takes indicators, and observables that are not merely part of what somebody saw. A first pass learns what indicators refer
// to, and which version of each object is the newest.
func readObjects(all objects, t *intake) error {
	c := newSTIXContext()
	if err := all(func(raw []byte) error { c.learn(raw); return nil }); err != nil {
		return err
	}
	s := stixReader{context: c, intake: t}
	return all(func(raw []byte) error { s.object(raw); return nil })
}

// maxContext bounds what is remembered of objects that indicators refer to.
const maxContext = 1 << 20

// stixContext is what other objects say about indicators.
type stixContext struct {
	names     map[string]string // of malware, tools, actors, identities, by id
	markings  map[string]string // TLP by id of its definition
	indicates map[string]string // id of an indicator -> of what it indicates
	observed  map[string]struct{}
	newest    map[string]int64 // time of change of objects that are there more than once
	seen      map[string]int64
	ev        event.Event
}

func newSTIXContext() *stixContext {
	return &stixContext{names: map[string]string{}, markings: tlpMarkings(), indicates: map[string]string{}, observed: map[string]struct{}{},
		newest: map[string]int64{}, seen: map[string]int64{}}
}

// tlpMarkings are the ids of TLP 1.0 (STIX 2.1, 7.2.1.4) and TLP 2.0 (OASIS, stix-tlp2).
func tlpMarkings() map[string]string {
	const p = "marking-definition--"
	return map[string]string{
		p + "613f2e26-407d-48c7-9eca-b8e91df99dc9": "CLEAR", p + "34098fce-860f-48ae-8e50-ebd3cc5e41da": "GREEN",
		p + "f88d31f6-486f-44da-b317-01333bde0b82": "AMBER", p + "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "RED",
		p + "94868c89-83c2-464b-929b-a1a8aa3c8487": "CLEAR", p + "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "GREEN",
		p + "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "AMBER", p + "939a9414-2ddd-4d32-a0cd-375ea402b003": "AMBER+STRICT",
		p + "e828b379-4e03-4974-9ac4-e53a884c97c1": "RED",
	}
}

func text(v event.Value) string {
	if v.Kind != event.String {
		return ""
	}
	return v.String()
}

// learn notes what the second pass needs of an object.
func (c *stixContext) learn(raw []byte) {
	c.ev.Reset(raw)
	if c.ev.Parse() != nil {
		return
	}
	o := event.ValueOf(raw)
	id := text(o.Member("id"))
	if id == "" {
		return
	}
	switch text(o.Member("type")) {
	case "indicator":
		when := parseTime(text(o.Member("modified")))
		if was, ok := c.seen[id]; ok {
			c.newest[id] = max(was, when, c.newest[id])
		} else if len(c.seen) < 16*maxContext {
			c.seen[id] = when
		}
	case "malware", "tool", "threat-actor", "campaign", "intrusion-set", "attack-pattern", "identity":
		if len(c.names) < maxContext {
			c.names[id] = text(o.Member("name"))
		}
	case "marking-definition":
		tlp := tlpOf(text(o.Member("definition").Member("tlp")))
		if tlp == "" {
			tlp = tlpOf(text(o.Member("name")))
		}
		if tlp != "" && len(c.markings) < maxContext {
			c.markings[id] = tlp
		}
	case "relationship":
		source, target := text(o.Member("source_ref")), text(o.Member("target_ref"))
		if text(o.Member("relationship_type")) == "indicates" && len(c.indicates) < maxContext {
			// What it indicates by name of malware is worth more than a campaign or an actor.
			if was := c.indicates[source]; was == "" || len(target) > 9 && target[:9] == "malware--" {
				c.indicates[source] = target
			}
		}
	case "observed-data":
		for ref := range o.Member("object_refs").Elements {
			if len(c.observed) < maxContext {
				c.observed[text(ref)] = struct{}{}
			}
		}
	}
}

type stixReader struct {
	context *stixContext
	intake  *intake
	ev      event.Event
}

func (s *stixReader) object(raw []byte) {
	s.ev.Reset(raw)
	if s.ev.Parse() != nil {
		s.intake.counts.Records++
		s.intake.counts.Malformed++
		return
	}
	o := event.ValueOf(raw)
	switch typ := text(o.Member("type")); typ {
	case "indicator":
		s.indicator(o)
	case "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr":
		s.observable(o, func(i *indicator) {
			if i.kind = kindOf(typ); (i.kind == IPv4 || i.kind == IPv6) && len(o.Member("value").Raw) > 0 {
				i.kind = Unknown // it may be a block
			}
			s.put(i, text(o.Member("value")))
		})
	case "file", "artifact", "x509-certificate":
		s.observable(o, func(i *indicator) {
			o.Member("hashes").Members(func(name []byte, v event.Value) bool {
				kind, ok := hashName(string(name))
				if typ == "x509-certificate" {
					kind, ok = Certificate, kind == SHA1
				}
				if i.kind = kind; ok {
					s.put(i, text(v))
				}
				return true
			})
		})
	}
}

func (s *stixReader) put(i *indicator, value string) {
	i.value = append(i.value[:0], value...)
	s.intake.put(i)
}

// common reads what every object may have.
func (s *stixReader) common(i *indicator, o event.Value) {
	i.id = text(o.Member("id"))
	i.provider = s.context.names[text(o.Member("created_by_ref"))]
	if n, ok := o.Member("confidence").Int(); ok && n >= 0 && n <= 100 {
		i.confidence = int(n)
	}
	for ref := range o.Member("external_references").Elements {
		if u := text(ref.Member("url")); u != "" {
			i.reference = u
			break
		}
	}
	for ref := range o.Member("object_marking_refs").Elements {
		if m := s.context.markings[text(ref)]; m != "" && (i.tlp == "" || tlpStrict(m) > tlpStrict(i.tlp)) {
			i.tlp = m
		}
	}
	for l := range o.Member("labels").Elements {
		if w := text(l); w != "" && len(i.tags) < maxTags {
			i.tags = append(i.tags, w)
		}
	}
}

// observable takes an object that is a fact. What somebody merely saw (observed-data) is no indicator of anything.
func (s *stixReader) observable(o event.Value, f func(i *indicator)) {
	if _, seen := s.context.observed[text(o.Member("id"))]; seen {
		return
	}
	i := s.intake.record()
	s.common(i, o)
	f(i)
}

func (s *stixReader) indicator(o event.Value) {
	t := s.intake
	i := t.record()
	s.common(i, o)
	if newest, ok := s.context.newest[i.id]; ok {
		if parseTime(text(o.Member("modified"))) != newest {
			return // a later version of it counts
		}
		delete(s.context.newest, i.id)
		s.context.newest[i.id] = -1 // of two with one time the first
	}
	if o.Member("revoked").Kind == event.True {
		t.counts.Revoked++
		return
	}
	for typ := range o.Member("indicator_types").Elements {
		switch w := text(typ); w {
		case "benign":
			t.counts.Allowed++
			return
		case "":
		default:
			if len(i.tags) < maxTags {
				i.tags = append(i.tags, w)
			}
		}
	}
	if p := text(o.Member("pattern_type")); p != "" && p != "stix" {
		t.counts.Unsupported++
		return
	}
	p, err := parsePattern(text(o.Member("pattern")))
	switch {
	case err != nil:
		t.counts.Malformed++
		return
	case p.complex:
		t.counts.Complex++
		return
	}
	t.counts.Unsupported += p.unsupported
	i.validFrom, i.validTo = parseTime(text(o.Member("valid_from"))), parseTime(text(o.Member("valid_until")))
	i.firstSeen = parseTime(text(o.Member("created")))
	i.name = s.context.names[s.context.indicates[i.id]]
	if i.description = text(o.Member("description")); i.description == "" {
		i.description = text(o.Member("name"))
	}
	for _, v := range p.values {
		i.kind = v.kind
		s.put(i, v.text)
	}
}
