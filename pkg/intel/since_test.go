package intel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNewSince(t *testing.T) {
	dir := write(t, t.TempDir(), "f.txt", "192.0.2.1\n")
	c := &clock{noon}
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "f.txt"}}, Allow: Allow{Builtin: no()}}, dir, c.now)
	first := fetch(t, s)
	c.pass(time.Hour)
	write(t, dir, "f.txt", "192.0.2.1\n192.0.2.2\n")
	f, err := s.Fetch(t.Context(), first.Stamp)
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(f.Table)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ since, want string }{
		{first.Version, "192.0.2.2"},
		{f.Version, ""},
		{"2026-11-24T12:00:00Z", "192.0.2.1 192.0.2.2"},
		{"2026-11-24T12:00:01Z", "192.0.2.2"},
		{"2026-11-25", ""},
	} {
		since, err := NewSince(s.dir, tt.since)
		if err != nil {
			t.Errorf("%s: %v", tt.since, err)
		}
		var got []string
		for row := range f.Table.Rows() {
			if set.AddedSince(row, since) {
				_, v := set.key(uint32(row))
				got = append(got, string(v))
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("since %s: got %q, want %q", tt.since, got, tt.want)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, versionsName), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "yesterday", "0123456789abcdef", first.Version} {
		if _, err := NewSince(s.dir, bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	if _, err := NewSince(t.TempDir(), "0123456789abcdef"); err == nil {
		t.Error("a version of nowhere passes")
	}
}
