package intel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// mispKind is the kind of an attribute's value; kinds for a type that is not matched, Unknown where the value tells.
func mispKind(typ string) Kind {
	switch typ {
	case "ip-src", "ip-dst", "ip":
		return Unknown
	case "domain", "hostname":
		return Domain
	case "url", "uri", "link":
		return URL
	case "md5":
		return MD5
	case "sha1":
		return SHA1
	case "sha256":
		return SHA256
	case "sha512":
		return SHA512
	case "email", "email-src", "email-dst":
		return Email
	case "x509-fingerprint-sha1":
		return Certificate
	case "ja3-fingerprint-md5":
		return JA3
	}
	return kinds
}

// mispParts gives the kinds of both halves of a composite type (a|b); kinds where a half is no indicator.
func mispParts(typ string) [2]Kind {
	if typ == "malware-sample" { // a file's name and its MD5
		return [2]Kind{kinds, MD5}
	}
	a, b, ok := strings.Cut(typ, "|")
	if !ok {
		return [2]Kind{mispKind(typ), kinds}
	}
	return [2]Kind{mispKind(a), mispKind(b)} // neither port nor filename is a kind
}

// readMISP reads one event of MISP ({"Event": …}), or a response of its API with several ({"response": [{"Event": …}]}).
func readMISP(r io.Reader, t *intake) error {
	data, err := io.ReadAll(io.LimitReader(r, maxMISPEvent+1))
	switch {
	case err != nil:
		return err
	case len(data) > maxMISPEvent:
		return fmt.Errorf("an event of more than %d bytes", maxMISPEvent)
	case !json.Valid(data):
		return errJSON
	}
	v := event.ValueOf(bytes.TrimSpace(data))
	events := v.Member("response")
	if !events.Exists() {
		events = v
	}
	found := false
	for e := range events.Elements {
		if e = e.Member("Event"); e.Kind == event.Object {
			found = true
			t.mispEvent(e)
		}
	}
	if !found && events.Kind != event.Array {
		return fmt.Errorf("no %q: %w", "Event", errJSON)
	}
	return nil
}

// maxMISPEvent bounds an event, which is read whole.
const maxMISPEvent = 256 << 20

// mispInfo is what an event says of all its attributes.
type mispInfo struct {
	id, info, org, tlp, name string
	tags                     []string
	severity                 int
}

func (t *intake) mispEvent(e event.Value) {
	info := mispInfo{id: text(e.Member("uuid")), info: text(e.Member("info")), org: text(e.Member("Orgc").Member("name"))}
	switch text(e.Member("threat_level_id")) {
	case "1":
		info.severity = 73
	case "2":
		info.severity = 47
	case "3":
		info.severity = 21
	}
	info.tags, info.tlp, info.name = mispTags(nil, e.Member("Tag"))
	for a := range e.Member("Attribute").Elements {
		t.mispAttribute(a, &info)
	}
	for o := range e.Member("Object").Elements {
		if o.Member("deleted").Kind == event.True {
			continue
		}
		for a := range o.Member("Attribute").Elements {
			t.mispAttribute(a, &info)
		}
	}
}

// mispTags splits tags into the marking, the malware's name (of a galaxy) and the others.
func mispTags(dst []string, tags event.Value) (list []string, tlp, name string) {
	for tag := range tags.Elements {
		w := text(tag.Member("name"))
		if m := tlpOf(w); m != "" {
			if tlp == "" || tlpStrict(m) > tlpStrict(tlp) {
				tlp = m
			}
			continue
		}
		if g, ok := strings.CutPrefix(w, "misp-galaxy:"); ok {
			if kind, value, ok := strings.Cut(g, `="`); ok && name == "" {
				switch kind {
				case "malpedia", "tool", "ransomware", "banker", "rat", "botnet", "stealer", "mitre-malware", "mitre-tool":
					name = strings.TrimSuffix(value, `"`)
				}
			}
		}
		if w != "" && len(dst) < maxTags {
			dst = append(dst, w)
		}
	}
	return dst, tlp, name
}

// mispAttribute takes an attribute that is meant for detection (to_ids).
func (t *intake) mispAttribute(a event.Value, info *mispInfo) {
	if a.Member("to_ids").Kind != event.True || a.Member("deleted").Kind == event.True {
		return
	}
	i, typ := t.record(), text(a.Member("type"))
	parts := mispParts(typ)
	if parts[0] == kinds && parts[1] == kinds {
		t.counts.Unsupported++
		return
	}
	i.tags, i.tlp, i.name = mispTags(i.tags, a.Member("Tag"))
	if i.tlp == "" {
		i.tlp = info.tlp
	}
	if i.name == "" {
		i.name = info.name
	}
	if len(i.tags) < maxTags {
		i.tags = append(i.tags, info.tags[:min(len(info.tags), maxTags-len(i.tags))]...)
	}
	i.id, i.provider, i.severity = text(a.Member("uuid")), info.org, info.severity
	if i.description = info.info; text(a.Member("comment")) != "" {
		i.description += ": " + text(a.Member("comment"))
	}
	i.firstSeen, i.lastSeen = parseTime(text(a.Member("first_seen"))), parseTime(text(a.Member("last_seen")))
	if n, err := strconv.ParseInt(a.Member("timestamp").String(), 10, 64); err == nil && i.lastSeen == 0 && n > 0 && n < 1<<33 {
		i.lastSeen = n * 1e9
	}
	first, second := text(a.Member("value")), ""
	composite := strings.Contains(typ, "|") || typ == "malware-sample"
	if composite {
		first, second, _ = strings.Cut(first, "|")
	}
	if parts[0] != kinds {
		i.kind, i.value = parts[0], append(i.value[:0], first...)
		t.put(i)
	}
	if parts[1] != kinds && composite {
		i.kind, i.value = parts[1], append(i.value[:0], second...)
		t.put(i)
	}
}
