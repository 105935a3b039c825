package tuicmd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/stage"
)

// exit runs the command and returns its exit code; nothing here has a terminal.
func exit(t *testing.T, args ...string) int {
	t.Helper()
	return frame.Main(Command(), append([]string{"tui"}, args...))
}

func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts")
	if err := os.WriteFile(file, []byte(`{"event":{"kind":"alert"},"message":"m"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := exit(t, "--in", file, "--plain"); got != frame.ExitOK {
		t.Errorf("plain: %d", got)
	}
	out := filepath.Join(t.TempDir(), "out")
	if got := exit(t, "--in", file, "--plain", "--out", out, "--workers", "2", "--metrics-addr", "127.0.0.1:0"); got != frame.ExitOK {
		t.Errorf("--out: %d", got)
	}
	if got, err := os.ReadFile(out); err != nil || !strings.HasSuffix(string(got), " m\n") {
		t.Errorf("--out holds %q: %v", got, err)
	}
	for _, args := range [][]string{
		{"--in", file, "--out", out},
		{"--in", file, "--plain", "--log-level", "loud"},
		{"extra"},
		{"--in", file, "--follow", file},
		{"--in", "/no/such/file", "--plain"},
		{"--in", file, "--plain", "--tee"},
		{"--in", file, "--plain", "--color", "sometimes"},
		{"--in", file, "--plain", "--keep", "0"},
		{"--in", file, "--plain", "--filter", `user="`},
		{"--lake", t.TempDir(), "--plain"},
		{"--nonsense"},
	} {
		if got := exit(t, args...); got != frame.ExitUsage {
			t.Errorf("%q: exit %d", args, got)
		}
	}
	if got := exit(t, "--follow", "/no/such/file", "--plain"); got != frame.ExitUsage {
		t.Errorf("a file to follow that is not there: %d", got)
	}
}

func TestCommandOfAView(t *testing.T) {
	app := &cli.App{Name: "tui", Flags: Command().Flags, Action: func(c *cli.Context) error {
		if got := command(c); got != `tui --follow 'it'\''s.ndjson'` {
			t.Errorf("%s", got)
		}
		return nil
	}}
	if err := app.Run([]string{"tui", "--follow", "it's.ndjson"}); err != nil {
		t.Fatal(err)
	}
}

func TestEmptyLake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	if _, err := lake.Init(dir); err != nil {
		t.Fatal(err)
	}
	h, err := history(dir)
	if err != nil {
		t.Fatal(err)
	}
	lines, next, err := h(context.Background(), 0)
	if err != nil || len(lines) != 0 {
		t.Fatalf("%d alerts in an empty lake: %v", len(lines), err)
	}
	if _, again, err := h(context.Background(), next); err != nil || again != next {
		t.Errorf("cursor %d became %d: %v", next, again, err)
	}
}

// TestLake writes alerts into a lake in two commits and sees each once.
func TestLake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake's")
	commit := persistInto(t, dir)
	if _, err := lake.Init(dir); err != nil {
		t.Fatal(err)
	}
	h, err := history(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	cursor := int64(0)
	poll := func() {
		t.Helper()
		lines, next, err := h(context.Background(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		cursor = next
		for _, l := range lines {
			var e event.Event
			e.Reset(l)
			if err := e.Parse(); err != nil {
				t.Fatalf("%v: %s", err, l)
			}
			got = append(got, e.Get(event.MustPath("event.id")).String())
		}
	}
	commit(alert("a1", "2026-11-24T09:00:02Z"), alert("a0", "2026-11-24T09:00:01Z"), `{"event":{"kind":"event","id":"e"}}`)
	poll()
	poll()
	commit(alert("a2", "2026-11-24T08:00:00Z"))
	poll()
	if s := strings.Join(got, " "); s != "a0 a1 a2" {
		t.Errorf("%s", s)
	}
}

func alert(id, at string) string {
	return `{"@timestamp":"` + at + `","event":{"kind":"alert","id":"` + id + `","dataset":"leat.alert"},"message":"m"}`
}

// persistInto makes a lake and returns what commits lines to it.
func persistInto(t *testing.T, dir string) (commit func(lines ...string)) {
	return func(lines ...string) {
		t.Helper()
		sink, err := persist.New(context.Background(), persist.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		src := &stage.Lines{In: strings.NewReader(strings.Join(lines, "\n") + "\n"), Stage: "persist"}
		if err := stage.Pump(context.Background(), src, sink); err != nil {
			t.Fatal(err)
		}
	}
}
