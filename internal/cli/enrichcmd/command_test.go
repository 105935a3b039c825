package enrichcmd

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	frame "leat/internal/cli"
)

const yaml = `dimensions:
  users: {file: users.csv, key: sam, fold: true}
rules:
  - {field: user.name, dimension: users, set: {user.email: email}, status: true}
`

// folder holds a users.csv, an enrich.yaml and an input of one event.
func folder(t *testing.T, users, config string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"users.csv": users, "enrich.yaml": config, "in.ndjson": `{"user":{"name":"ANN"}}` + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs the command with stdout and stderr in files; DIR in an argument is the folder.
func command(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	argv := []string{"enrich"}
	for _, a := range args {
		argv = append(argv, strings.ReplaceAll(a, "DIR", dir))
	}
	outs := [2]*os.File{}
	for i := range outs {
		f, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		outs[i] = f
	}
	was, errs := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = outs[0], outs[1]
	code = frame.Main(Command(), argv)
	os.Stdout, os.Stderr = was, errs
	var text [2]string
	for i, f := range outs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(data)
	}
	return code, text[0], text[1]
}

func TestCommand(t *testing.T) {
	const users = "sam,email\nann,ann@corp.example\nbob,\n"
	for _, c := range []struct {
		name, users, yaml string
		args              []string
		code              int
		out, errs         string // a part of each
	}{
		{"enrich", users, yaml, []string{"-c", "DIR/enrich.yaml", "--in", "DIR/in.ndjson"}, 0, `"email":"ann@corp.example"},"leat":{"enrich":{"users":"hit"}}`, "dimension loaded"},
		{"with state and workers", users, yaml, []string{"-c", "DIR/enrich.yaml", "--in", "DIR/in.ndjson", "--state", "DIR/s", "--workers", "2"}, 0, `"hit"`, ""},
		{"no configuration", users, yaml, []string{"--in", "DIR/in.ndjson"}, 2, "", "no -c enrich.yaml"},
		{"no such configuration", users, yaml, []string{"-c", "DIR/x.yaml", "--in", "DIR/in.ndjson"}, 2, "", "no such file"},
		{"fault", users, strings.Replace(yaml, "key:", "kye:", 1), []string{"-c", "DIR/enrich.yaml", "--in", "DIR/in.ndjson"}, 2, "", `enrich.yaml:2:28: unknown key "kye"`},
		{"torn table", "sam,email\nann", yaml, []string{"-c", "DIR/enrich.yaml", "--in", "DIR/in.ndjson"}, 2, "", "torn"},
		{"option behind an argument", users, yaml, []string{"x", "-c", "DIR/enrich.yaml"}, 2, "", "behind an argument"},
		{"mistyped option", users, yaml, []string{"--confg", "x"}, 2, "", "did you mean --config?"},
		{"check", users, yaml, []string{"check", "-c", "DIR/enrich.yaml"}, 0, "email 50.0%", ""},
		{"check of duplicates", users + "ANN,x\n", yaml, []string{"check", "-c", "DIR/enrich.yaml"}, 3, "users", "more than one row"},
		{"check of a torn table", "sam,email\nann", yaml, []string{"check", "-c", "DIR/enrich.yaml"}, 3, "not loaded", "torn"},
		{"check of a fault", users, "rules: 1\n", []string{"check", "-c", "DIR/enrich.yaml"}, 2, "", "expected a list"},
		{"check of nothing", users, yaml, []string{"check"}, 2, "", "no -c"},
		{"lookup", users, yaml, []string{"lookup", "-c", "DIR/enrich.yaml", "users", "Ann"}, 0, `{"sam":"ann","email":"ann@corp.example"}` + "\n", ""},
		{"lookup of none", users, yaml, []string{"lookup", "-c", "DIR/enrich.yaml", "users", "eve"}, 3, "", "no row"},
		{"lookup in none", users, yaml, []string{"lookup", "-c", "DIR/enrich.yaml", "hosts", "eve"}, 2, "", "expected one of users"},
		{"lookup without a key", users, yaml, []string{"lookup", "-c", "DIR/enrich.yaml", "users"}, 2, "", "found 1 arguments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := command(t, folder(t, c.users, c.yaml), c.args...)
			if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" || !strings.Contains(errs, c.errs) {
				t.Errorf("exit %d, want %d\nstdout %q, want %q\nstderr %q, want %q", code, c.code, out, c.out, errs, c.errs)
			}
		})
	}
}
