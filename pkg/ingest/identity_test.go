package ingest

import (
	"slices"
	"strings"
	"testing"
)

func TestFamily(t *testing.T) {
	for path, want := range map[string]string{
		"/var/log/auth.log":              "/var/log/auth.log",
		"/var/log/auth.log.1":            "/var/log/auth.log",
		"/var/log/auth.log.12.gz":        "/var/log/auth.log",
		"/var/log/auth.log.gz":           "/var/log/auth.log",
		"/var/log/auth.log-20261124":     "/var/log/auth.log",
		"/var/log/auth.log-20261124.zst": "/var/log/auth.log",
		"/var/log/a.log.2026-11-24_0300": "/var/log/a.log",
		"/var/log/a.log-20261124-09":     "/var/log/a.log",
		"/var/log/app-2026-11-24.log":    "/var/log/app-2026-11-24.log",
		"/var/log/hosts/192.0.2.1":       "/var/log/hosts/192.0.2.1",
		"/var/log/hosts/192.0.2.1.gz":    "/var/log/hosts/192.0.2.1",
		"/var/log/x.bak":                 "/var/log/x.bak",
		"/var/log/20261124":              "/var/log/20261124",
		"/var/log/port.8080":             "/var/log/port.8080",
	} {
		if got := family(path); got != want {
			t.Errorf("family(%s) = %s, want %s", path, got, want)
		}
	}
}

func TestByAge(t *testing.T) {
	want := []string{"/l/a.10.gz", "/l/a.2.gz", "/l/a.1", "/l/a", "/l/b-20261101", "/l/b-20261124", "/l/b"}
	got := slices.Clone(want)
	slices.Sort(got)
	if byAge(got); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLabel(t *testing.T) {
	long := strings.Repeat("x", printSize)
	for _, c := range []struct {
		head, part string
		ok         bool
	}{
		{"", "", false},
		{"no end", "no end", false},
		{"first\nsecond", "first\n", true},
		{"#a\n#b\n", "#a\n#b\n", false},
		{"#a\n#b\nrow\nrow\n", "#a\n#b\nrow\n", true},
		{long, long, true},
	} {
		if part, ok := label([]byte(c.head)); string(part) != c.part || ok != c.ok {
			t.Errorf("label(%q) = %q, %v", c.head, part, ok)
		}
	}
}

func TestSourceName(t *testing.T) {
	for _, path := range []string{"/var/log/a#b/c.log", "/tmp/\xff\x00\\n", "/x"} {
		name := sourceName(path, []byte("line\n")) + "/7"
		source, gen, ok := splitName(name)
		if !ok || gen != 7 || pathOf(source) != path {
			t.Errorf("%q: split into %q, %d, %v", name, source, gen, ok)
		}
	}
	for _, name := range []string{"journal:00ff", "file:/x", "file:/x#00/y", ""} {
		if _, _, ok := splitName(name); ok {
			t.Errorf("splitName took %q", name)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("182734 ino=801:12 head=256:00ff tail=12:00ff done")
	f.Add("0")
	f.Add("5 cursor=s=c98;i=3;b=01;m=bb8;t=64;x=b0 done")
	f.Add("9223372036854775807 tail=300:1")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		again, err := parseCursor(c.String())
		if err != nil || again != c && c.ino != 0 && c.head.n > 0 && c.tail.n > 0 {
			t.Fatalf("%q: %+v, again %+v, %v", s, c, again, err)
		}
	})
}
