package respondcmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	frame "leat/internal/cli"
	"leat/pkg/respond"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// exit runs the command from one file to another and returns its exit code and what it wrote.
func exit(t *testing.T, in string, args ...string) (int, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	code := frame.Main(Command(), append([]string{"respond", "--in", write(t, "in", in), "--out", out}, args...))
	got, err := os.ReadFile(out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return code, string(got)
}

const alert = `{"event":{"kind":"alert","id":"a1"},"rule":{"id":"r"},"leat":{"alert":{"level":"high"}},"user":{"name":"mallory"}}` + "\n"

const plays = "plays: [{name: p, when: {rule: r}, target: user.name, actions: [{exec: {argv: [/bin/true]}}]}]\n"

func TestExitCodes(t *testing.T) {
	book := write(t, "playbook.yaml", plays)
	state := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string // in the output
	}{
		{"no playbook", nil, frame.ExitUsage, ""},
		{"no such file", []string{"-c", "/no/such"}, frame.ExitUsage, ""},
		{"fault", []string{"-c", write(t, "bad.yaml", "plays: 1\n")}, frame.ExitUsage, ""},
		{"enforce without state", []string{"-c", book, "--enforce"}, frame.ExitUsage, ""},
		{"state-missing", []string{"-c", book, "--state-missing", "perhaps"}, frame.ExitUsage, ""},
		{"dry run", []string{"-c", book}, frame.ExitOK, "respond-would-run"},
		{"enforced", []string{"-c", book, "--enforce", "--state", state}, frame.ExitOK, "respond-done"},
		{"halted", []string{"-c", write(t, "p.yaml", plays+"budget: {total: {max: 0, per: 1h}}\n"), "--enforce", "--state", t.TempDir()}, frame.ExitAttention, "respond-halted"},
		{"check", []string{"-c", book, "--check"}, frame.ExitOK, ""},
		{"check of a fault", []string{"-c", write(t, "bad.yaml", "plays: 1\n"), "--check"}, frame.ExitUsage, ""},
	} {
		code, out := exit(t, alert, c.args...)
		if code != c.code || !strings.Contains(out, c.want) || c.want == "" && out != "" {
			t.Errorf("%s: exit %d, want %d; wrote %q", c.name, code, c.code, out)
		}
	}
}

func TestOtherLake(t *testing.T) {
	book := write(t, "playbook.yaml", plays)
	state := t.TempDir()
	hello := func(lake, resume string) string {
		return `{"@leat":{"hello":{"lake":"` + lake + `","pipeline":"default","epoch":1,"run":"x","resume":` + resume + `}}}` + "\n" +
			`{"@leat":{"mark":99,"run":"x","since":0,"end":true}}` + "\n"
	}
	if code, _ := exit(t, hello("one", "0"), "-c", book, "--enforce", "--state", state); code != frame.ExitOK {
		t.Fatalf("exit %d", code)
	}
	if code, _ := exit(t, hello("two", "0"), "-c", book, "--enforce", "--state", state); code != frame.ExitUsage {
		t.Errorf("another lake: exit %d", code)
	}
	if code, _ := exit(t, hello("one", "40"), "-c", book, "--enforce", "--state", t.TempDir()); code != frame.ExitUsage {
		t.Errorf("no state for the mark: exit %d", code)
	}
	if code, _ := exit(t, hello("one", "40"), "-c", book, "--enforce", "--state", t.TempDir(), "--state-missing", "empty"); code != frame.ExitOK {
		t.Errorf("begin empty: exit %d", code)
	}
}

func TestVerdict(t *testing.T) {
	for err, want := range map[error]int{
		respond.ErrHeld:        frame.ExitAttention,
		&respond.DamageError{}: frame.ExitAttention,
		respond.ErrNoState:     frame.ExitUsage,
		errors.New("other"):    frame.ExitRuntime,
		nil:                    frame.ExitOK,
	} {
		if got := frame.Code(verdict(err, nil)); got != want {
			t.Errorf("%v: exit %d, want %d", err, got, want)
		}
	}
}
