package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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

// canaryEvery is how often a line must raise an alert.
const canaryEvery = 50

// feed writes numbered sshd lines to a log file at a steady rate, and rotates it by renaming.
type feed struct {
	path    string
	rate    int // lines a second
	rotate  int // lines a file
	written atomic.Int64
	stop    chan struct{}
	done    sync.WaitGroup
	err     error
}

func startFeed(path string, rate, rotate int) *feed {
	f := &feed{path: path, rate: rate, rotate: rotate, stop: make(chan struct{})}
	f.done.Go(func() { f.err = f.run() })
	return f
}

func line(n int64) string {
	user := fmt.Sprintf("user%d", n%97)
	if n%canaryEvery == 0 {
		user = "canary"
	}
	return fmt.Sprintf("Nov 24 08:17:44 bastion sshd[4711]: Accepted publickey for %s from 10.%d.%d.%d port %d ssh2: ED25519 SHA256:seq=%d\n",
		user, n>>16&255, n>>8&255, n&255, 1024+n%60000, n)
}

func (f *feed) run() error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	const period = 10 * time.Millisecond
	tick := time.NewTicker(period)
	defer tick.Stop()
	n, inFile, turn := int64(0), 0, 0
	for {
		select {
		case <-f.stop:
			return nil
		case <-tick.C:
		}
		var block bytes.Buffer
		for range f.rate / int(time.Second/period) {
			n++
			inFile++
			block.WriteString(line(n))
		}
		// Torn on purpose: a reader must see lines only when they are whole.
		cut := rand.IntN(block.Len())
		for _, part := range [][]byte{block.Bytes()[:cut], block.Bytes()[cut:]} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
		f.written.Store(n)
		if inFile >= f.rotate {
			turn++
			inFile = 0
			if err := out.Close(); err != nil {
				return err
			}
			if err := os.Rename(f.path, fmt.Sprintf("%s.%d", f.path, turn)); err != nil {
				return err
			}
			if out, err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
				return err
			}
		}
	}
}

func (f *feed) finish(t *testing.T) int64 {
	t.Helper()
	close(f.stop)
	f.done.Wait()
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.written.Load()
}

// census is what the lake holds, as Python's duckdb sees it over `leat files`.
type census struct {
	Lines       int64 `json:"lines"`        // rows that are neither alert nor error
	Distinct    int64 `json:"distinct"`     // different numbers in them
	MaxSeq      int64 `json:"max_seq"`      // the highest
	WrongText   int64 `json:"wrong_text"`   // rows whose text is not the line of that number
	DistinctIDs int64 `json:"distinct_ids"` // different event.id
	Alerts      int64 `json:"alerts"`
	AlertIDs    int64 `json:"alert_ids"`
	Errors      int64 `json:"errors"`
}

const censusScript = `
import duckdb, json, sys
files = [f for f in sys.stdin.read().split("\n") if f]
con = duckdb.connect()
con.execute("create view lake as select * from read_parquet(?, union_by_name=true, hive_partitioning=true)".replace("?", repr(files)))
lines, distinct, max_seq, ids = con.execute("""
  select count(*), count(distinct seq), coalesce(max(seq), 0), count(distinct id) from (
    select cast(regexp_extract(event.original, 'seq=(\\d+)', 1) as bigint) seq, event.id id
    from lake where coalesce(event.kind, 'event') not in ('alert', 'pipeline_error') and event.original like '%seq=%')""").fetchone()
wrong = con.execute("""
  select count(*) from (select event.original o, cast(regexp_extract(event.original, 'seq=(\\d+)', 1) as bigint) n
    from lake where coalesce(event.kind, 'event') not in ('alert', 'pipeline_error') and event.original like '%seq=%')
  where o <> printf('Nov 24 08:17:44 bastion sshd[4711]: Accepted publickey for %s from 10.%d.%d.%d port %d ssh2: ED25519 SHA256:seq=%d',
    case when n % 50 = 0 then 'canary' else 'user' || (n % 97) end, (n >> 16) & 255, (n >> 8) & 255, n & 255, 1024 + n % 60000, n)""").fetchone()[0]
alerts, alert_ids = con.execute("select count(*), count(distinct event.id) from lake where event.kind = 'alert'").fetchone()
errors = con.execute("select count(*) from lake where event.kind = 'pipeline_error'").fetchone()[0]
print(json.dumps(dict(lines=lines, distinct=distinct, max_seq=max_seq, wrong_text=wrong, distinct_ids=ids, alerts=alerts, alert_ids=alert_ids, errors=errors)))
`

func count(t *testing.T, leat, py, lakeDir string) census {
	t.Helper()
	files, err := exec.Command(leat, "files", "--lake", lakeDir).Output()
	if err != nil {
		t.Fatalf("leat files: %v", err)
	}
	cmd := exec.Command(py, "-c", censusScript)
	cmd.Stdin = bytes.NewReader(files)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("census: %v: %s", err, out)
	}
	var c census
	if err := json.Unmarshal([]byte(lastLine(out)), &c); err != nil {
		t.Fatalf("census: %v: %s", err, out)
	}
	return c
}

// mustBeExact fails the test unless each of n lines is in the lake once by content, and each of its alerts once.
func mustBeExact(t *testing.T, c census, n int64) {
	t.Helper()
	want := census{Lines: n, Distinct: n, MaxSeq: n, DistinctIDs: n, Alerts: n / canaryEvery, AlertIDs: n / canaryEvery}
	if c != want {
		t.Errorf("the lake holds %+v\nwant          %+v", c, want)
	}
}

// startPipe starts processes joined by pipes; the first has no input, the last no output.
func startPipe(t *testing.T, argvs [][]string, stderr func(i int) io.Writer) []*exec.Cmd {
	t.Helper()
	var cmds []*exec.Cmd
	var prev *os.File
	for i, argv := range argvs {
		c := exec.Command(argv[0], argv[1:]...)
		c.Stderr = stderr(i)
		if i > 0 {
			c.Stdin = prev
		}
		var rd, wr *os.File
		if i < len(argvs)-1 {
			var err error
			if rd, wr, err = os.Pipe(); err != nil {
				t.Fatal(err)
			}
			c.Stdout = wr
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for _, f := range []*os.File{prev, wr} {
			if f != nil {
				_ = f.Close()
			}
		}
		prev = rd
		cmds = append(cmds, c)
	}
	return cmds
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
