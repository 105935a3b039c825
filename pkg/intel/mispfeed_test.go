package intel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
)

const uuidA, uuidB, uuidC = "5d0092c5-5f74-4287-9642-33f4c354e56a", "5d0092c5-5f74-4287-9642-33f4c354e56b", "5d0092c5-5f74-4287-9642-33f4c354e56c"

func mispOf(ip string) string {
	return `{"Event":{"uuid":"x","info":"i","Attribute":[{"type":"ip-dst","value":"` + ip + `","to_ids":true}]}}`
}

func TestMISPFeed(t *testing.T) {
	web := newSite(t, false)
	web.set("/feed/manifest.json", `{"`+uuidA+`":{"timestamp":"1"},"`+uuidB+`":{"timestamp":2}}`)
	web.set("/feed/"+uuidA+".json", mispOf("192.0.2.1"))
	web.set("/feed/"+uuidB+".json", mispOf("192.0.2.2"))
	c := &clock{noon}
	s := source(t, &Config{Feeds: []*Feed{{Name: "misp", MISP: web.URL + "/feed/"}}, Allow: Allow{Builtin: no()}}, t.TempDir(), c.now)
	first := fetch(t, s)
	if got := values(t, first); got != "192.0.2.1 192.0.2.2" {
		t.Errorf("got %q", got)
	}
	// One is gone, one has changed, one is new; what has not changed is not asked for.
	web.set("/feed/manifest.json", `{"`+uuidB+`":{"timestamp":3},"`+uuidC+`":{"timestamp":3}}`)
	web.set("/feed/"+uuidB+".json", mispOf("192.0.2.22"))
	web.set("/feed/"+uuidC+".json", mispOf("192.0.2.3"))
	c.pass(time.Hour)
	second, err := s.Fetch(t.Context(), first.Stamp)
	if err != nil {
		t.Fatal(err)
	}
	if got := values(t, second); got != "192.0.2.22 192.0.2.3" {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(filepath.Join(s.feeds[0].dir, uuidA+".json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the event that is gone: %v", err)
	}
	c.pass(time.Hour)
	if _, err := s.Fetch(t.Context(), second.Stamp); !errors.Is(err, dimension.ErrUnchanged) {
		t.Errorf("got %v", err)
	}
	if a, b := web.served("/feed/"+uuidA+".json"), web.served("/feed/"+uuidB+".json"); a != 1 || b != 2 {
		t.Errorf("served %d and %d times", a, b)
	}
	// A manifest that names a file elsewhere is refused; what is there stays.
	web.set("/feed/manifest.json", `{"../../etc/passwd":{"timestamp":3}}`)
	c.pass(time.Hour)
	s.print = ""
	f, err := s.Fetch(t.Context(), dimension.Stamp{})
	if err != nil || values(t, f) != "192.0.2.22 192.0.2.3" {
		t.Errorf("got %v", err)
	}
}

func TestMISPFolder(t *testing.T) {
	dir := t.TempDir()
	feed := filepath.Join(dir, "misp")
	if err := os.Mkdir(feed, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, feed, "manifest.json", `{"`+uuidA+`":{"timestamp":"1"}}`)
	write(t, feed, uuidA+".json", mispOf("192.0.2.1"))
	s := source(t, &Config{Feeds: []*Feed{{Name: "misp", MISP: "misp"}}, Allow: Allow{Builtin: no()}}, dir, nil)
	if got := values(t, fetch(t, s)); got != "192.0.2.1" {
		t.Errorf("got %q", got)
	}
	write(t, feed, "manifest.json", `{"`+uuidB+`":{}}`)
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), uuidB) {
		t.Errorf("got %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"` + uuidA + `":{"timestamp":"1"}}`))
	f.Add([]byte(`{"../x":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "m")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(path)
		for id := range m {
			if err == nil && filepath.Base(id) != id {
				t.Fatalf("%q leaves the folder", id)
			}
		}
	})
}
