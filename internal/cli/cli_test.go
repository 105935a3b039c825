package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/urfave/cli/v2"

	"leat/pkg/event"
	"leat/pkg/stage"
)

func TestCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{fmt.Errorf("write: %w", stage.ErrClosed), 0},
		{errors.New("disk"), 1},
		{Usagef("no --lake"), 2},
		{fmt.Errorf("start: %w", Usagef("x")), 2},
		{Attention(errors.New("overdue")), 3},
		{stage.ErrTail, 3},
		{errInterrupted, 130},
		{context.Canceled, 130},
		{Usage(Runtime(errors.New("locked"))), 1}, // the first word counts
		{Usage(fmt.Errorf("make the state folder: %w", syscall.ENOSPC)), 1},
		{Usage(fmt.Errorf("open rules: %w", syscall.EACCES)), 2},
	} {
		if got := Code(c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "4096": 4096, "64KiB": 65536, "16MiB": 16 << 20, "2 GB": 2e9, "1TiB": 1 << 40, "7B": 7} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "-1", "1.5GiB", "9999999TiB", "KiB", "1 KiB KiB"} {
		if n, err := ParseSize(in); err == nil {
			t.Errorf("%q was read as %d", in, n)
		}
	}
}

func TestNewLogger(t *testing.T) {
	var b bytes.Buffer
	l, err := NewLogger(&b, "auto", "warn")
	if err != nil {
		t.Fatal(err)
	}
	l.Info("no")
	l.Warn("yes", "n", 1)
	if got := b.String(); strings.Contains(got, "no") || !strings.Contains(got, `"msg":"yes","n":1}`) {
		t.Errorf("%s", got)
	}
	for _, c := range [][2]string{{"xml", "info"}, {"text", "loud"}} {
		if _, err := NewLogger(&b, c[0], c[1]); Code(err) != ExitUsage {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// drop is a stage without a purpose.
type drop struct{}

func (drop) Process(b *event.Batch) error { return nil }

// command returns a filter as the stages build theirs.
func command(built *Env) *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "x", UsageText: "demo",
		Flags: append([]cli.Flag{&cli.StringFlag{Name: "state"}, &cli.StringSliceFlag{Name: "rules", Aliases: []string{"r"}}}, CommonFlags()...),
		Action: func(c *cli.Context) error {
			return RunFilter(c, "demo", false, func(env *Env) (stage.Stage, error) {
				*built = *env
				if len(c.StringSlice("rules")) > 0 && c.StringSlice("rules")[0] == "bad" {
					return nil, errors.New("rule bad")
				}
				return drop{}, nil
			})
		},
	}
}

func TestFilterFromFileToFile(t *testing.T) {
	dir := t.TempDir()
	in, out := dir+"/in", dir+"/out"
	if err := os.WriteFile(in, []byte("{\"a\":1}\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var env Env
	code := Main(command(&env), []string{"demo", "--in", in, "--out", out, "--state", "/s", "--max-line", "1KiB", "--metrics-addr", "127.0.0.1:0"})
	got, _ := os.ReadFile(out)
	if code != 0 || !strings.HasPrefix(string(got), "{\"a\":1}\n{\"event\":{\"kind\":\"pipeline_error\",\"original\":\"x\"}") {
		t.Errorf("exit %d: %s", code, got)
	}
	if env.Spool != "/s/spool" || env.MaxLine != 1024 {
		t.Errorf("%+v", env)
	}
	if in, _, failed := env.Counters.Totals(); in != 2 || failed != 1 {
		t.Errorf("counted %d in, %d failed", in, failed)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"--ruls", "x"}, {"file", "--in", "x"}, {"file"}, {"--max-line", "many"}, {"--workers", "0"}, {"--log-format", "xml"},
		{"--in", "/no/such/file"}, {"--rules", "bad", "--in", "/dev/null"}, {"--metrics-addr", "nowhere:-1", "--in", "/dev/null"},
	} {
		var env Env
		if code := Main(command(&env), append([]string{"demo"}, args...)); code != ExitUsage {
			t.Errorf("%v: exit %d, want 2", args, code)
		}
	}
}

// TestRulesKeepCommas: a path with a comma is one path.
func TestRulesKeepCommas(t *testing.T) {
	var got []string
	cmd := &cli.Command{
		Name: "demo", Flags: []cli.Flag{&cli.StringSliceFlag{Name: "rules"}},
		Action: func(c *cli.Context) error { got = c.StringSlice("rules"); return nil },
	}
	if Main(cmd, []string{"demo", "--rules", "a,b", "--rules", "c"}); len(got) != 2 || got[0] != "a,b" {
		t.Errorf("%q", got)
	}
}

func TestSubcommands(t *testing.T) {
	ran := ""
	sub := &cli.Command{Name: "sub", Action: func(c *cli.Context) error { ran = strings.Join(c.Args().Slice(), " "); return nil }}
	cmds := []*cli.Command{{Name: "group", Subcommands: []*cli.Command{sub}}}
	for _, c := range []struct {
		args string
		code int
		ran  string
	}{
		{"leat group sub a b", 0, "a b"},
		{"leat group sub -- grep -v x", 0, "grep -v x"},
		{"leat group sub a -v", 2, ""},
		{"leat group nothing", 2, ""},
		{"leat nothing", 2, ""},
	} {
		ran = ""
		if code := MainAll("leat", "x", "y", cmds, strings.Fields(c.args)); code != c.code || ran != c.ran {
			t.Errorf("%s: exit %d, ran %q", c.args, code, ran)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"follow", "folow", 1}, {"rules", "rulez", 1}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
