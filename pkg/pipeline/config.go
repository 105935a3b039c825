package pipeline

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"leat/pkg/yamlfile"
)

// Config is a pipeline file. Relative paths in it are relative to the file's folder.
type Config struct {
	// Name of the pipeline: the key of its marks in the lake.
	Name  string `yaml:"name"`
	Lake  string `yaml:"lake"`
	State string `yaml:"state"`
	// MetricsAddr serves the counters of the fused process, host:port; empty = not.
	MetricsAddr string    `yaml:"metrics_addr"`
	Ingest      Ingest    `yaml:"ingest"`
	Normalize   Normalize `yaml:"normalize"`
	// Enrich and Respond run where their configuration is given.
	Enrich  Enrich  `yaml:"enrich"`
	Detect  Detect  `yaml:"detect"`
	Respond Respond `yaml:"respond"`
	Persist Persist `yaml:"persist"`
	Alerts  Alerts  `yaml:"alerts"`
	Restart Restart `yaml:"restart"`

	dir string
}

// Ingest says what is read.
type Ingest struct {
	Sources []string `yaml:"sources"`
	// Config is a file of sources with settings of their own (docs/02-ingest.md), beside Sources.
	Config     string `yaml:"config"`
	Dataset    string `yaml:"dataset"`
	Follow     bool   `yaml:"follow"`
	MarkEvery  string `yaml:"mark_every"`
	JournalMax string `yaml:"journal_max"`
}

// Normalize says which mappings are there beside the built-in ones.
type Normalize struct {
	Mappings []string `yaml:"mappings"`
	Original string   `yaml:"original"`
	TZ       string   `yaml:"tz"`
	// Join is auditd, or nothing: one event of the records of each (docs/03-normalize.md).
	Join string `yaml:"join"`
	// Redact is a file of rules that take values out (docs/13-redaction.md).
	Redact string `yaml:"redact"`
	// Drift tells when the fields of a dataset change.
	Drift bool `yaml:"drift"`
}

// state is the folder of normalize: only what drift learns is remembered.
func (n Normalize) state(dir string) string {
	if !n.Drift {
		return ""
	}
	return dir
}

// Enrich has a configuration file of its own.
type Enrich struct {
	Config string `yaml:"config"`
	// StateMissing is "empty" to go on at a mark of which enrich's state knows nothing, as when learned dimensions are new.
	StateMissing string `yaml:"state_missing"`
}

// Detect says which rules are loaded; none = the built-in ones.
type Detect struct {
	Rules []string `yaml:"rules"`
	// Config is a detect.yaml: what is on, from which level on, exclusions, taxonomies and pipelines (docs/05-detect.md).
	Config  string   `yaml:"config"`
	Lookups []string `yaml:"lookups"` // as detect --lookup
	Routing string   `yaml:"routing"`
	// StateMissing is "empty" to go on at a mark of which detect's state knows nothing, as when correlations are new.
	StateMissing string `yaml:"state_missing"`
}

// Respond is dry run unless Enforce is true.
type Respond struct {
	Config  string `yaml:"config"`
	Enforce bool   `yaml:"enforce"`
	// StateMissing is "empty" to go on at a mark of which the journal knows nothing, as when enforce is new.
	StateMissing string `yaml:"state_missing"`
}

// Persist says when files are rolled between marks.
type Persist struct {
	MaxRows int           `yaml:"max_rows"`
	MaxAge  time.Duration `yaml:"max_age"`
}

// Alerts is the Unix socket that `tui --connect` reads; default: alerts.sock in State.
type Alerts struct {
	Socket string `yaml:"socket"`
}

// Restart says how often a chain that fails is started again.
type Restart struct {
	Max        int           `yaml:"max"`
	Backoff    time.Duration `yaml:"backoff"`
	MaxBackoff time.Duration `yaml:"max_backoff"`
	Drain      time.Duration `yaml:"drain"`
}

// Load reads and checks a pipeline file.
func Load(path string) (*Config, error) {
	c := &Config{
		Name:    "default",
		State:   "state",
		Restart: Restart{Max: 10, Backoff: time.Second, MaxBackoff: time.Minute, Drain: 30 * time.Second},
	}
	f, err := yamlfile.Read(path, c)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	c.dir = filepath.Dir(abs)
	var faults []error
	if c.Lake == "" {
		faults = append(faults, f.AtLine(1, 1, "no key lake; expected the lake's folder, such as lake: ./lake"))
	}
	if len(c.Ingest.Sources) == 0 && c.Ingest.Config == "" {
		faults = append(faults, f.AtLine(1, 1, "no key ingest.sources; expected a list of paths, globs and URLs, or ingest.config"))
	}
	if c.Name == "" || strings.ContainsAny(c.Name, "/\x00") || strings.HasPrefix(c.Name, ".") {
		faults = append(faults, f.AtLine(1, 1, "name %q; expected a word without / that does not begin with a dot", c.Name))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.resolve()
	return c, nil
}

// resolve makes paths absolute.
func (c *Config) resolve() {
	for _, p := range []*string{&c.Lake, &c.State, &c.Ingest.Config, &c.Normalize.Redact, &c.Detect.Config, &c.Enrich.Config, &c.Respond.Config, &c.Alerts.Socket} {
		*p = c.path(*p)
	}
	for _, list := range [][]string{c.Normalize.Mappings, c.Detect.Rules} {
		for i := range list {
			list[i] = c.path(list[i])
		}
	}
	for i, s := range c.Ingest.Sources {
		if s != "-" && !strings.Contains(s, ":") {
			c.Ingest.Sources[i] = c.path(s)
		}
	}
	if c.Alerts.Socket == "" {
		c.Alerts.Socket = filepath.Join(c.State, "alerts.sock")
	}
}

func (c *Config) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// command collects the words of a command line; an option without a value is left out.
type command []string

func (c command) opt(name, value string) command {
	if value == "" {
		return c
	}
	return append(c, "--"+name, value)
}

func (c command) opts(name string, values []string) command {
	for _, v := range values {
		c = c.opt(name, v)
	}
	return c
}

func (c command) flag(name string, on bool) command {
	if !on {
		return c
	}
	return append(c, "--"+name)
}

// Processes returns the chain as one process a stage: the commands that a person would type. exe is the leat program.
func (c *Config) Processes(exe string) []Proc {
	in := command{exe, "ingest"}.opt("resume", c.Lake).opt("pipeline", c.Name).opt("state", c.State).
		opt("mark-every", c.Ingest.MarkEvery).opt("journal-max", c.Ingest.JournalMax).
		opt("config", c.Ingest.Config).opt("dataset", c.Ingest.Dataset).flag("follow", c.Ingest.Follow)
	procs := []Proc{
		{Name: "ingest", Argv: append(in, c.Ingest.Sources...)},
		{Name: "normalize", Argv: command{exe, "normalize"}.opts("mappings", c.Normalize.Mappings).
			opt("original", c.Normalize.Original).opt("tz", c.Normalize.TZ).opt("join", c.Normalize.Join).opt("redact", c.Normalize.Redact).
			flag("drift", c.Normalize.Drift).opt("state", c.Normalize.state(c.State))},
	}
	if c.Enrich.Config != "" {
		procs = append(procs, Proc{Name: "enrich", Argv: command{exe, "enrich"}.opt("config", c.Enrich.Config).opt("state", c.State).
			opt("state-missing", c.Enrich.StateMissing)})
	}
	procs = append(procs, Proc{Name: "detect", Argv: command{exe, "detect"}.opt("config", c.Detect.Config).opts("rules", c.Detect.Rules).
		opt("routing", c.Detect.Routing).opts("lookup", c.Detect.Lookups).opt("state", c.State).opt("state-missing", c.Detect.StateMissing)})
	if c.Respond.Config != "" {
		procs = append(procs, Proc{Name: "respond", Argv: command{exe, "respond"}.opt("config", c.Respond.Config).
			flag("enforce", c.Respond.Enforce).opt("state", c.State).opt("state-missing", c.Respond.StateMissing)})
	}
	return append(procs,
		Proc{Name: "tap", Argv: command{exe, "tap"}.opt("socket", c.Alerts.Socket)},
		c.persistProc(exe))
}

// Fused returns the chain as two processes: ingest to respond in one, persist in another.
func (c *Config) Fused(exe, file string) []Proc {
	return []Proc{{Name: "fused", Argv: []string{exe, "run", "--child", "stages", file}}, c.persistProc(exe)}
}

// FusedAll returns the chain as one process.
func (c *Config) FusedAll(exe, file string) []Proc {
	return []Proc{{Name: "fused", Argv: []string{exe, "run", "--child", "all", file}}}
}

func (c *Config) persistProc(exe string) Proc {
	argv := command{exe, "persist"}.opt("lake", c.Lake)
	if c.Persist.MaxRows > 0 {
		argv = argv.opt("max-rows", strconv.Itoa(c.Persist.MaxRows))
	}
	if c.Persist.MaxAge > 0 {
		argv = argv.opt("max-age", c.Persist.MaxAge.String())
	}
	return Proc{Name: "persist", Argv: argv}
}

// Supervisor returns the supervisor of a chain of this pipeline.
func (c *Config) Supervisor(procs []Proc) *Supervisor {
	return &Supervisor{
		Procs: procs, Backoff: c.Restart.Backoff, MaxBackoff: c.Restart.MaxBackoff,
		Healthy: time.Minute, MaxRestarts: c.Restart.Max, Drain: c.Restart.Drain,
	}
}
