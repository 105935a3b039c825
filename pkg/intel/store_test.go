package intel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompact: a store that is rewritten says the same in fewer bytes, and is left alone until it has doubled.
func TestCompact(t *testing.T) {
	srv := newTAXII(t)
	srv.collections = []collection{{ID: "c1", Title: "High", CanRead: true}}
	for i := range 5 {
		for version := 1; version < 4; version++ {
			more := ""
			switch {
			case i == 1 && version == 3:
				more = `,"revoked":true`
			case i == 2 && version == 3:
				more = `,"valid_until":"2026-11-24T11:00:00Z"`
			}
			srv.add("c1", 10*version+i, stixIP(fmt.Sprint(i), fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("2026-11-0%dT00:00:00Z", version), more))
		}
	}
	srv.add("c1", 50, `{"type":"identity","id":"identity--1","name":"x"}`)
	cfg, dir := taxiiConfig(t, srv.URL+"/api1/collections/c1/")
	s := source(t, cfg, dir, nil)
	before := values(t, fetch(t, s))
	if before != "192.0.2.0 192.0.2.3 192.0.2.4" {
		t.Fatalf("got %q", before)
	}
	f := s.feeds[0]
	store := filepath.Join(f.dir, storeName)
	lines := func() int {
		data, err := os.ReadFile(store)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), `"id"`)
	}
	if err := f.compact(t.Context(), noon, compactFrom); err != nil || lines() != 16 {
		t.Errorf("a small store: %d lines, %v", lines(), err)
	}
	if err := f.compact(t.Context(), noon, 0); err != nil || lines() != 4 || f.state.Compacted == 0 {
		t.Errorf("%d lines, %v", lines(), err)
	}
	if err := f.storePrint(); err != nil {
		t.Fatal(err)
	}
	if after := values(t, fetch(t, s)); after != before {
		t.Errorf("got %q", after)
	}
	was := lines()
	if err := f.compact(t.Context(), noon.Add(365*24*time.Hour), 0); err != nil || lines() != was {
		t.Errorf("one that has not doubled: %d lines, %v", lines(), err)
	}
	if names, err := filepath.Glob(filepath.Join(f.dir, "*.tmp-*")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
}
