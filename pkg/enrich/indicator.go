package enrich

import (
	"leat/pkg/event"
	"leat/pkg/intel"
)

// indicatorFields are the fields of an event in which a value of any kind is looked for: together they reach every table of
// indicators.
var indicatorFields = []string{"source.ip", "dns.question.name", "url.full", "email.from.address", "file.hash.md5", "file.hash.sha1",
	"file.hash.sha256", "file.hash.sha512", "tls.client.hash.sha1", "tls.client.ja3"}

// indicator returns the row that an event with key in a fitting field would have, or -1.
func indicator(set *intel.Set, key string) int {
	text, _ := intel.Classify(nil, []byte(key)) // takes off what defangs it
	m := intel.NewMatcher(set, intel.MatchOptions{})
	for _, name := range indicatorFields {
		var e event.Event
		e.Reset([]byte("{}"))
		if e.Parse() != nil || e.SetString(event.MustPath(name), string(text)) != nil {
			continue
		}
		if hits := m.Match(&e); len(hits) > 0 {
			return hits[0].Row
		}
	}
	return -1
}
