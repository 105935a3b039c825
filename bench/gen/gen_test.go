package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// generate writes the files of n events each; the tables of users, which are always whole, only where asked for.
func generate(t *testing.T, n int, tables bool) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files(n) {
		if f.n != n && !tables {
			continue
		}
		if err := f.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSameBytesEveryTime holds for a beginning too: peers that get fewer events get the same ones.
func TestSameBytesEveryTime(t *testing.T) {
	a, b, longer := generate(t, 200, false), generate(t, 200, false), generate(t, 300, false)
	for _, f := range files(200) {
		if f.n != 200 {
			continue
		}
		one, err := os.ReadFile(filepath.Join(a, f.name))
		if err != nil {
			t.Fatal(err)
		}
		two, _ := os.ReadFile(filepath.Join(b, f.name))
		more, _ := os.ReadFile(filepath.Join(longer, f.name))
		if !bytes.Equal(one, two) || !bytes.HasPrefix(more, one) {
			t.Errorf("%s differs from run to run", f.name)
		}
		if left, _ := filepath.Glob(filepath.Join(a, "*.part")); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestSizes holds the sizes that the report speaks of.
func TestSizes(t *testing.T) {
	dir := generate(t, 5000, false)
	for name, want := range map[string]int{"audit.ndjson": 879, "sshd.log": 121, "fortigate.log": 489, "cef.log": 357, "ecs.ndjson": 651, "cloudtrail.ndjson": 1244} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(data) / 5000; got < want-2 || got > want+2 {
			t.Errorf("%s: %d bytes a line, expected about %d", name, got, want)
		}
	}
}

func TestJSONIsJSON(t *testing.T) {
	dir := generate(t, 100, true)
	for _, name := range []string{"audit.ndjson", "ecs.ndjson", "cloudtrail.ndjson"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
		if len(lines) != 100 {
			t.Errorf("%s: %d lines", name, len(lines))
		}
		for _, l := range lines {
			if !json.Valid(l) {
				t.Fatalf("%s: %s", name, l)
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "users.json"))
	if err != nil {
		t.Fatal(err)
	}
	var people map[string]struct{ Name, Email, Office string }
	if err := json.Unmarshal(data, &people); err != nil {
		t.Fatal(err)
	}
	if len(people) != users || people["u000001"].Office != "Dublin" {
		t.Errorf("%d users, u000001 is %+v", len(people), people["u000001"])
	}
}
