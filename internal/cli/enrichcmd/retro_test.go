package enrichcmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/persist"
	"leat/pkg/stage"
)

const iocYAML = `dimensions:
  ioc: {intel: {feeds: [{name: own, file: iocs.txt}], allow: {builtin: false}}}
rules:
  - {dimension: ioc}
`

// persisted puts lines into a lake in the folder.
func persisted(t *testing.T, dir string, lines ...string) {
	t.Helper()
	s, err := persist.New(t.Context(), persist.Config{Dir: filepath.Join(dir, "lake")})
	if err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader(strings.Join(lines, "\n") + "\n")
	if err := stage.Pump(t.Context(), &stage.Lines{In: in, Stage: "persist"}, s); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRetro(t *testing.T) {
	dir := folder(t, "", iocYAML)
	put(t, dir, "iocs.txt", "192.0.2.1\n")
	persisted(t, dir, `{"@timestamp":"2026-11-20T10:00:00.000Z","event":{"id":"1"},"source":{"ip":"192.0.2.1"}}`,
		`{"@timestamp":"2026-11-21T10:00:00.000Z","event":{"id":"2"},"dns":{"question":{"name":"a.evil.example"}}}`,
		`{"@timestamp":"2026-11-22T10:00:00.000Z","event":{"id":"3"},"source":{"ip":"192.0.2.9"}}`)
	ids := func(args ...string) string {
		t.Helper()
		code, out, errs := command(t, dir, append([]string{"retro", "-c", "DIR/enrich.yaml", "--lake", "DIR/lake", "--state", "DIR/state"}, args...)...)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		var got []string
		for line := range strings.Lines(out) {
			_, rest, _ := strings.Cut(line, `"id":"`)
			id, _, _ := strings.Cut(rest, `"`)
			if !strings.Contains(line, `"type":"indicator_match_rule"`) {
				t.Errorf("not enriched: %s", line)
			}
			got = append(got, id)
		}
		return strings.Join(got, " ")
	}
	if got := ids(); got != "1" {
		t.Errorf("got %q", got)
	}
	// A name becomes known later than the second in which the address did.
	for second := time.Now().Unix(); time.Now().Unix() == second; {
		time.Sleep(10 * time.Millisecond)
	}
	later := time.Now().UTC().Format(time.RFC3339)
	put(t, dir, "iocs.txt", "192.0.2.1\nevil.example\n")
	if got := ids("--new-since", later); got != "2" {
		t.Errorf("new since %s: got %q", later, got)
	}
	for _, tt := range []struct{ args, want string }{
		{"", "1 2"}, {"--since 2026-11-21", "2"}, {"--until 2026-11-21T00:00:00Z", "1"}, {"--new-since 7d", "1 2"}, {"--since 2026-11-22", ""},
	} {
		if got := ids(strings.Fields(tt.args)...); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestRetroFaults(t *testing.T) {
	dir := folder(t, "sam,email\nann,a@b.example\n", iocYAML)
	put(t, dir, "iocs.txt", "192.0.2.1\n")
	put(t, dir, "users.yaml", yaml)
	persisted(t, dir, `{"event":{"id":"1"}}`)
	for _, tt := range []struct {
		args, errs string
	}{
		{"-c DIR/enrich.yaml", "no lake here"},
		{"-c DIR/enrich.yaml --lake DIR", "no lake here"},
		{"-c DIR/enrich.yaml --lake DIR/lake --since yesterday", `--since: "yesterday" is no time`},
		{"-c DIR/enrich.yaml --lake DIR/lake --new-since yesterday", `"yesterday" is neither a time`},
		{"-c DIR/users.yaml --lake DIR/lake", "no rule is about indicators"},
		{"-c DIR/enrich.yaml --lake DIR/lake x", `unexpected argument "x"`},
		{"--lake DIR/lake", "no -c"},
	} {
		code, out, errs := command(t, dir, append([]string{"retro"}, strings.Fields(tt.args)...)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.errs) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q; want %q", tt.args, code, out, errs, tt.errs)
		}
	}
}
