package enrich

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

func hindsight(t *testing.T, config, iocs string) *Hindsight {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "iocs.txt", iocs)
	h, err := open(t, put(t, dir, "enrich.yaml", config), Options{Fixed: true}).Hindsight("")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const feeds = "dimensions:\n  ioc: {intel: {feeds: [{name: own, file: iocs.txt}], allow: {builtin: false}}}\n"

func TestHindsight(t *testing.T) {
	h := hindsight(t, feeds+"rules:\n  - {dimension: ioc, related: true, unless: threat.seen, status: true}\n", "192.0.2.1\nevil.example\n")
	for line, want := range map[string]string{
		`{"related":{"ip":["192.0.2.1"]}}`:                        `"leat":{"enrich":{"ioc":"hit"}}`,
		`{"url":{"domain":"a.evil.example"}}`:                     `"atomic":"a.evil.example"`,
		`{"related":{"ip":["192.0.2.1"]},"threat":{"seen":true}}`: "",
		`{"related":{"ip":["192.0.2.2"]}}`:                        "",
	} {
		var e event.Event
		e.Reset([]byte(line))
		match := h.Match(&e)
		if enriched := h.Enrich(&e); enriched != match || match != (want != "") || !strings.Contains(string(e.Append(nil)), want) {
			t.Errorf("%s: match %v, enriched %v: %s", line, match, enriched, e.Append(nil))
		}
	}
	fields := strings.Join(h.Fields(), " ")
	for _, f := range []string{"related.ip", "threat.seen", "source.ip"} {
		if !strings.Contains(fields, f) {
			t.Errorf("%s is not among %s", f, fields)
		}
	}
}

// TestNoIndicators: a dimension of feeds may be empty; then nothing is a hit.
func TestNoIndicators(t *testing.T) {
	h := hindsight(t, feeds+"rules:\n  - {dimension: ioc}\n", "# none yet\n")
	var e event.Event
	e.Reset([]byte(`{"source":{"ip":"192.0.2.1"}}`))
	if h.Match(&e) || h.Enrich(&e) {
		t.Errorf("a hit: %s", e.Append(nil))
	}
	dir := t.TempDir()
	put(t, dir, "users.csv", "id,name\n1,ann\n")
	s := open(t, put(t, dir, "enrich.yaml", "dimensions: {u: {file: users.csv, key: id}}\nrules: [{field: user.id, dimension: u, set: {user.name: name}}]\n"), Options{Fixed: true})
	if _, err := s.Hindsight(""); err == nil || !strings.Contains(err.Error(), "no rule is about indicators") {
		t.Errorf("got %v", err)
	}
}
