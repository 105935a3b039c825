package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"leat/pkg/lake"
	"leat/pkg/pipeline"
)

// site is a place to break things in: a lake, the rules, a pipeline file, and a log of what the processes said.
type site struct {
	dir, leat, py string
	file          string // pipeline.yaml
	cfg           *pipeline.Config
	lake          *lake.Lake
	log           *os.File
	env           []string // of every process that is started here
}

// siteEnv marks the processes of a site, so that none outlives its test.
const siteEnv = "LEAT_FAULTS_SITE="

// canaryEvery is how often a line must raise an alert.
const canaryEvery = 50

const canaryRule = `title: The canary logged in
id: 6f1c3a52-6f0e-4d6e-9d0c-4b5a6c7d8e9f
status: test
description: A user whom nobody may use logged in.
logsource: {product: linux}
detection:
  login: {user.name: canary, event.outcome: success}
  condition: login
level: high
`

const pipelineFile = `lake: lake
state: state
ingest:
  follow: true
  mark_every: 100ms
  sources: ['logs/auth.log*']
detect: {rules: [rules]}
restart: {max: 0, backoff: 10ms, max_backoff: 50ms}
`

// newSite makes one with the programs of LEAT_BIN.
func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOf(t, program(t, "leat"))
}

// newSiteOf makes one with the program at path leat.
func newSiteOf(t *testing.T, leat string) *site {
	t.Helper()
	s := bareSiteOf(t, leat)
	if err := os.MkdirAll(s.path("state"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.openLake(t)
	return s
}

// bareSite is a site without a lake and a state folder.
func bareSite(t *testing.T) *site {
	t.Helper()
	return bareSiteOf(t, program(t, "leat"))
}

func bareSiteOf(t *testing.T, leat string) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), leat: leat, py: python(t)}
	s.env = append(os.Environ(), siteEnv+s.dir)
	write(t, s.dir, "rules/canary.yml", canaryRule)
	s.file = write(t, s.dir, "pipeline.yaml", pipelineFile)
	s.load(t)
	if err := os.MkdirAll(s.path("logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.log, err = os.Create(s.path("stderr.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.killAll()
		if t.Failed() {
			s.tail(t)
		}
		_ = s.log.Close()
	})
	return s
}

// load reads the pipeline file.
func (s *site) load(t *testing.T) {
	t.Helper()
	var err error
	if s.cfg, err = pipeline.Load(s.file); err != nil {
		t.Fatal(err)
	}
}

// openLake makes the lake, or opens it anew.
func (s *site) openLake(t *testing.T) {
	t.Helper()
	var err error
	if s.lake, err = lake.Init(s.cfg.Lake); err != nil {
		t.Fatal(err)
	}
}

func (s *site) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// auth is the log that the pipeline file names.
func (s *site) auth() string { return s.path("logs", "auth.log") }

// killAll ends what a test has left running.
func (s *site) killAll() {
	for pid, p := range processes() {
		if strings.Contains(p.environ, siteEnv+s.dir+"\x00") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func (s *site) tail(t *testing.T) {
	data, _ := os.ReadFile(s.log.Name())
	t.Logf("the processes said: …%s", data[max(0, len(data)-6000):])
}

// process is what /proc tells of one.
type process struct {
	parent  int
	argv    []string
	environ string
}

func processes() map[int]process {
	out := map[int]process{}
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range names {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue
		}
		// The name in parentheses may hold anything.
		_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
		var state string
		var p process
		if _, err := fmt.Sscan(rest, &state, &p.parent); err != nil || state == "Z" {
			continue
		}
		argv, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		p.argv, p.environ = strings.Split(strings.TrimSuffix(string(argv), "\x00"), "\x00"), string(env)
		out[pid] = p
	}
	return out
}

// program returns the path of a built program.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("LEAT_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	p, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Skipf("%s is not built: make build", name)
	}
	return p
}

// python returns a Python that has duckdb.
func python(t testing.TB) string {
	t.Helper()
	p := os.Getenv("LEAT_PYTHON")
	if p == "" {
		p = "python3"
	}
	if out, err := exec.Command(p, "-c", "import duckdb").CombinedOutput(); err != nil {
		t.Skipf("no Python with duckdb (make test installs one): %s", lastLine(out))
	}
	return p
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}
