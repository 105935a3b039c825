package intel

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	f, err := w.Create("dump.csv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.String()
}

func TestAllow(t *testing.T) {
	dir := write(t, t.TempDir(), "own.txt", "# ours\n203.0.114.0/24\nwww.corp.example\n.intern.example # and below\n*.wild.example\nnonsense\n")
	write(t, dir, "warning.json", `{"name":"x","type":"hostname","version":1,"list":["cdn.example",".sub.example"]}`)
	write(t, dir, "feed.txt", `10.1.2.3
8.8.8.8
dns.google
203.0.114.7
203.0.0.0/16
10.1.0.0/16
www.corp.example
x.www.corp.example
intern.example
a.intern.example
a.wild.example
cdn.example
a.sub.example
http://10.1.2.3/x
http://www.corp.example/upload/x
http://a.intern.example/
bob@intern.example
http://[fe80::1]/
evil.example
`)
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "feed.txt"}}, Allow: Allow{Files: []string{"own.txt", "warning.json"}}}, dir, nil)
	if got := values(t, fetch(t, s)); got != "203.0.0.0/16 evil.example http://www.corp.example/upload/x x.www.corp.example" {
		t.Errorf("got %q", got)
	}
	_, n := read(t, formatList, "203.0.0.0/16\n10.1.2.3\nquad9.net\n", func(c *Config) { c.Allow.Builtin = nil })
	if n.Allowed != 1 || n.Covering != 2 {
		t.Errorf("%+v", n)
	}
	for name, text := range map[string]string{"torn": `{"type":"cidr","list":[`, "type": `{"type":"regex","list":["x"]}`} {
		write(t, dir, "bad.json", text)
		if _, err := newAllowList().readAllow(dir + "/bad.json"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
