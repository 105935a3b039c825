// Package script runs the built programs as a user types them and looks at what they print and how they end.
package script

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// bin returns the folder of the built programs.
func bin(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LEAT_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "leat")); err != nil {
		t.Skip("the programs are not built: make build")
	}
	return dir
}

func TestScripts(t *testing.T) {
	dir := bin(t)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", dir+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("EXAMPLES", examples)
			return nil
		},
	})
}

// result is how a program ended.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, dir string, stdin string, argv ...string) result {
	t.Helper()
	c := exec.Command(filepath.Join(bin(t), argv[0]), argv[1:]...)
	c.Dir = dir
	c.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// TestUsage: a wrong option, an option behind an argument and a broken file end every command with 2, a word that helps
// on stderr, and nothing on stdout, where data would be.
func TestUsage(t *testing.T) {
	broken := map[string]string{
		"pipeline.yaml": "lake: ./lake\ningest:\n  sources: [a.log]\n  folow: true\n",
		"enrich.yaml":   "dimensions:\n  users: {file: users.csv, kye: [id]}\nrules: []\n",
		"playbook.yaml": "plays:\n  - name: x\n    wen: {severity: high}\n",
		"policy.yaml":   "rules:\n  - dataset: '*'\n    kep: 30d\n",
		"maps/m.yaml":   "name: demo.x\nparse: json\nfeilds:\n  source.ip: ip\n",
		"rules/r.yml":   "title: x\nid: 6f1c3a52-6f0e-4d6e-9d0c-4b5a6c7d8e9f\nlogsource: {product: linux}\ndetection:\n  sel: {a|contians: b}\n  condition: sel\nlevel: high\n",
		"x.ndjson":      "{}\n",
	}
	dir := t.TempDir()
	for name, text := range broken {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		argv string
		want []string // words on stderr
	}{
		{"ingest --folow x.ndjson", []string{"--folow", "did you mean --follow?"}},
		{"normalize --mapings x", []string{"--mapings", "did you mean --mappings?"}},
		{"enrich --confg x", []string{"--confg", "did you mean --config?"}},
		{"detect --rulez x", []string{"--rulez", "did you mean --rules?"}},
		{"respond --enforced", []string{"--enforced", "did you mean --enforce?"}},
		{"persist --lak x", []string{"--lak", "did you mean --lake?"}},
		{"retain plan --lak x", []string{"--lak", "did you mean --lake?"}},
		{"tui --folow x", []string{"--folow", "did you mean --follow?"}},
		{"leat run --proceses x", []string{"--proceses", "did you mean --processes?"}},

		{"ingest x.ndjson --follow", []string{"--follow", "behind an argument"}},
		{"normalize x.ndjson --tz UTC", []string{"--tz", "behind an argument"}},
		{"enrich x.ndjson -c enrich.yaml", []string{"-c", "behind an argument"}},
		{"detect x.ndjson --alerts-only", []string{"--alerts-only", "behind an argument"}},
		{"respond x.ndjson --enforce", []string{"--enforce", "behind an argument"}},
		{"persist x.ndjson --lake l", []string{"--lake", "behind an argument"}},
		{"retain plan x --lake l", []string{"--lake", "behind an argument"}},
		{"tui x.ndjson --plain", []string{"--plain", "behind an argument"}},
		{"leat run pipeline.yaml --processes", []string{"--processes", "behind an argument"}},

		{"leat run pipeline.yaml", []string{"pipeline.yaml:4:3", `"folow"`, "expected one of", "follow", "^"}},
		{"normalize --mappings maps", []string{"m.yaml:3:1", `"feilds"`, "expected", "fields", "^"}},
		{"enrich -c enrich.yaml", []string{"enrich.yaml:2:28", `"kye"`, "expected", "key", "^"}},
		{"detect -r rules/r.yml", []string{"r.yml:5:9", "contians", "there are", "contains", "^"}},
		{"respond -c playbook.yaml", []string{"playbook.yaml:3:5", `"wen"`, "expected", "when", "^"}},
		{"retain plan --lake l -c policy.yaml", []string{"policy.yaml:3:5", `"kep"`, "expected", "keep", "^"}},

		{"leat nonsense", []string{"no command", "nonsense"}},
		{"leat", []string{"which command"}},
		{"persist", []string{"--lake"}},
		{"enrich", []string{"-c"}},
		{"ingest", []string{"ingest --help"}},
	} {
		t.Run(c.argv, func(t *testing.T) {
			r := run(t, dir, "", strings.Fields(c.argv)...)
			if r.code != 2 {
				t.Errorf("exit %d, want 2", r.code)
			}
			if r.stdout != "" && c.argv != "leat" {
				t.Errorf("on stdout: %q", r.stdout)
			}
			for _, w := range c.want {
				if !strings.Contains(r.stderr, w) {
					t.Errorf("stderr lacks %q:\n%s", w, r.stderr)
				}
			}
		})
	}
}

// TestHelp: every help has examples and the exit codes; every program tells its commit.
func TestHelp(t *testing.T) {
	for _, name := range []string{"ingest", "normalize", "enrich", "detect", "respond", "persist", "retain", "tui", "leat"} {
		t.Run(name, func(t *testing.T) {
			r := run(t, t.TempDir(), "", name, "--help")
			if r.code != 0 || r.stderr != "" {
				t.Errorf("exit %d, stderr %q", r.code, r.stderr)
			}
			for _, w := range []string{"NAME:", "USAGE:", "EXIT STATUS:", "130  interrupted", "\n   " + map[bool]string{true: "leat ", false: ""}[name == "leat"]} {
				if !strings.Contains(r.stdout, w) {
					t.Errorf("help lacks %q:\n%s", w, r.stdout)
				}
			}
			if strings.Count(r.stdout, name) < 3 {
				t.Errorf("no example:\n%s", r.stdout)
			}
			v := run(t, t.TempDir(), "", name, "--version")
			if v.code != 0 || !strings.Contains(v.stdout, "commit ") || strings.Contains(v.stdout, "unknown") {
				t.Errorf("version: %q", v.stdout)
			}
		})
	}
}

// TestCommonOptions: the options that every stage promises.
func TestCommonOptions(t *testing.T) {
	for _, name := range []string{"ingest", "normalize", "enrich", "detect", "respond", "persist"} {
		r := run(t, t.TempDir(), "", name, "--help")
		for _, o := range []string{"--in", "--out", "--metrics-addr", "--log-format", "--log-level", "--max-line", "--workers", "--version", "--help"} {
			if !strings.Contains(r.stdout, o+" ") && !strings.Contains(r.stdout, o+",") {
				t.Errorf("%s has no %s", name, o)
			}
		}
	}
}
