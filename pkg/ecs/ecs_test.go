package ecs_test

import (
	"slices"
	"strings"
	"testing"

	"leat/pkg/ecs"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name  string
		typ   ecs.Type
		array bool
		ext   bool
	}{
		{"@timestamp", ecs.Date, false, false},
		{"source.ip", ecs.IP, false, false},
		{"source.port", ecs.Long, false, false},
		{"event.category", ecs.Keyword, true, false},
		{"related.ip", ecs.IP, true, false},
		{"process.parent.command_line", ecs.Wildcard, false, false},
		{"user.target.name", ecs.Keyword, false, false},
		{"user.department", ecs.Keyword, false, true},
		{"host.office.country", ecs.Keyword, false, true},
		{"leat.note", ecs.Keyword, false, true},
	} {
		f, ok := ecs.Lookup(c.name)
		if !ok || f.Type != c.typ || f.Array != c.array || f.Extension != c.ext {
			t.Errorf("%s: got %+v, %v", c.name, f, ok)
		}
	}
	if _, ok := ecs.Lookup("source.ipaddress"); ok {
		t.Error("source.ipaddress is no field")
	}
}

func TestAllowedValues(t *testing.T) {
	f, _ := ecs.Lookup("event.outcome")
	if !f.Allows("failure") || f.Allows("failed") {
		t.Errorf("event.outcome allows %v", f.Values)
	}
	f, _ = ecs.Lookup("event.action")
	if !f.Allows("anything") {
		t.Error("event.action is free")
	}
}

func TestNearest(t *testing.T) {
	for typed, want := range map[string]string{
		"source.ipp": "source.ip", "evnt.category": "event.category", "user.nmae": "user.name", "xyzzy": "",
	} {
		if got := ecs.Nearest(typed); got != want {
			t.Errorf("%s: got %q, want %q", typed, got, want)
		}
	}
}

func TestTableIsWellFormed(t *testing.T) {
	known := []ecs.Type{ecs.Keyword, ecs.Wildcard, ecs.Text, ecs.Constant, ecs.Long, ecs.Integer, ecs.Float, ecs.Double,
		ecs.Scaled, ecs.Boolean, ecs.Date, ecs.IP, ecs.GeoPoint, ecs.Object, ecs.Flattened, ecs.Nested}
	names := ecs.Names()
	if len(names) < 1500 {
		t.Fatalf("%d fields", len(names))
	}
	for _, n := range names {
		f, _ := ecs.Lookup(n)
		if !slices.Contains(known, f.Type) {
			t.Errorf("%s has the type %q", n, f.Type)
		}
		head, _, _ := strings.Cut(n, ".")
		if !ecs.Root(head) {
			t.Errorf("%s: %s is no root", n, head)
		}
	}
	if ecs.Root("vendor") {
		t.Error("vendor is no root of ECS")
	}
}
