package respond

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script writes an executable shell script.
func script(t testing.TB, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "act.sh")
	if err := os.WriteFile(p, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func requestFor(t testing.TB, target, line string) *request {
	t.Helper()
	j := &job{Play: "p", Action: "a", Kind: "exec", Field: "user.name", Target: target, Alert: "a1", Rule: "r-1", Key: actionKey("p", "a", "user.name", target, "a1")}
	r, err := newRequest(j, []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hostile are targets that a shell, an option parser or a terminal would choke on.
var hostile = []string{
	"$(touch /tmp/leat-pwned)", "`id`", "a; rm -rf /", "a|b", "a && b", "a > /tmp/x", "-rf", "--help", "a\nb", "a\rb",
	"a\x00b", "a'b", `a"b`, "a b", "*", "~root", "../../etc/passwd", "\x1b[2J", "ä", "", strings.Repeat("x", 300), `DOM\user`, "%s%n",
}

func TestExecHostileValues(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	x := &Exec{Argv: []string{script(t, `
[ $# -eq 1 ] && [ "$1" = fixed ] || exit 9
cat > `+out+`
env >> `+out+`.env
`), "fixed"}, Timeout: 5 * time.Second}
	for _, target := range hostile {
		line, _ := json.Marshal(map[string]any{"user": map[string]string{"name": target}})
		if _, err := x.run(t.Context(), requestFor(t, target, string(line))); err != nil {
			t.Fatalf("%q: %v", target, err)
		}
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var got body
		if err := json.Unmarshal(raw, &got); err != nil || got.Target.Value != target || got.Version != 1 || len(got.Key) != 32 {
			t.Fatalf("%q came as %s: %v", target, raw, err)
		}
		env, _ := os.ReadFile(out + ".env")
		if strings.Contains(string(env), "LEAT_TARGET=") {
			t.Fatalf("%q is in the environment:\n%s", target, env)
		}
	}
	if _, err := os.Stat("/tmp/leat-pwned"); err == nil {
		t.Fatal("a target was run by a shell")
	}
}

func TestExecEnvironment(t *testing.T) {
	t.Setenv("LEAT_TEST_SECRET", "hidden")
	t.Setenv("PASSED_ON", "yes")
	x := &Exec{Argv: []string{script(t, "env; pwd")}, Timeout: 5 * time.Second, Env: []string{"PASSED_ON", "NOT_SET"}}
	got, err := x.run(t.Context(), requestFor(t, "mallory@corp.example", `{}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PASSED_ON=yes", "LEAT_TARGET=mallory@corp.example", "LEAT_TARGET_FIELD=user.name", "LEAT_ALERT_ID=a1", "LEAT_RULE_ID=r-1", "LEAT_KEY="} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hidden") || strings.Contains(got, "NOT_SET") || strings.Contains(got, "HOME=") {
		t.Errorf("more than was listed:\n%s", got)
	}
}

func TestExecFails(t *testing.T) {
	x := &Exec{Argv: []string{script(t, "echo went wrong >&2; exit 3")}, Timeout: 5 * time.Second}
	if _, err := x.run(t.Context(), requestFor(t, "m", `{}`)); err == nil || !strings.Contains(err.Error(), "exit status 3: went wrong") {
		t.Errorf("%v", err)
	}
	x.Argv[0] = "/no/such/program"
	if _, err := x.run(t.Context(), requestFor(t, "m", `{}`)); err == nil {
		t.Error("a missing program succeeded")
	}
}

// TestExecTimeout has a program that ignores SIGTERM and starts another in the background: both must be gone.
func TestExecTimeout(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	x := &Exec{Argv: []string{script(t, "trap '' TERM\nsleep 1000 & echo $! > "+pids+"\necho $$ >> "+pids+"\nwait; sleep 1000")}, Timeout: 300 * time.Millisecond}
	_, err := x.run(t.Context(), requestFor(t, "m", `{}`))
	if err == nil || !strings.Contains(err.Error(), "killed after 300ms") {
		t.Fatalf("%v", err)
	}
	gone(t, pids)
}

// TestExecLeftover has a program that ends well and leaves a child behind that holds its output.
func TestExecLeftover(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	x := &Exec{Argv: []string{script(t, "sleep 1000 & echo $! > "+pids+"\necho fine")}, Timeout: 20 * time.Second}
	got, err := x.run(t.Context(), requestFor(t, "m", `{}`))
	if err != nil || got != "fine" {
		t.Fatalf("%q, %v", got, err)
	}
	gone(t, pids)
}

// gone waits until the processes whose numbers the file holds have ended.
func gone(t *testing.T, pids string) {
	t.Helper()
	raw, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(raw)) {
		for {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil || strings.Contains(string(stat), ") Z ") {
				break
			}
			if t.Context().Err() != nil {
				t.Fatalf("process %s lives", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestExecOutputIsCapped(t *testing.T) {
	x := &Exec{Argv: []string{script(t, "head -c 50000000 /dev/zero | tr '\\0' x")}, Timeout: 30 * time.Second}
	got, err := x.run(t.Context(), requestFor(t, "m", `{}`))
	if err != nil || len(got) > 600 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	// A program that never reads its input must not block, nor fail.
	big := `{"x":"` + strings.Repeat("y", 1<<20) + `"}`
	x = &Exec{Argv: []string{"/bin/true"}, Timeout: 5 * time.Second}
	if _, err := x.run(context.Background(), requestFor(t, "m", big)); err != nil {
		t.Errorf("input that nobody reads: %v", err)
	}
}

func TestPlainText(t *testing.T) {
	for _, s := range []string{"a", "mallory@corp.example", "10.0.0.1", "fe80::1", "x_y-z"} {
		if !plainText(s) {
			t.Errorf("%q is plain", s)
		}
	}
	for _, s := range hostile {
		if plainText(s) {
			t.Errorf("%q is not plain", s)
		}
	}
}
