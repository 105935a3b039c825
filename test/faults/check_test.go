package faults

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"leat/pkg/lake"
)

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
con.execute("set enable_progress_bar = false")
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
	if len(files) == 0 {
		return census{}
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

// exact is what the lake must hold after n lines.
func exact(n int64) census {
	return census{Lines: n, Distinct: n, MaxSeq: n, DistinctIDs: n, Alerts: n / canaryEvery, AlertIDs: n / canaryEvery}
}

// mustBeExact fails the test unless each of n lines is in the lake once by content, and each of its alerts once.
func mustBeExact(t *testing.T, c census, n int64) {
	t.Helper()
	if want := exact(n); c != want {
		t.Errorf("the lake holds %+v\nwant          %+v", c, want)
	}
}

// check fails the test unless the lake holds the lines 1 to n and their alerts, each once, and its log and all files that the
// log names are whole.
func (s *site) check(t *testing.T, n int64) census {
	t.Helper()
	c := count(t, s.leat, s.py, s.cfg.Lake)
	mustBeExact(t, c, n)
	if out, err := s.verify(); err != nil {
		t.Errorf("retain verify: %v: %s", err, out)
	}
	return c
}

// verify lets retain read the log from its first entry and compare every file with its SHA-256.
func (s *site) verify() ([]byte, error) {
	return exec.Command(s.leat, "retain", "verify", "--lake", s.cfg.Lake).CombinedOutput()
}

// state is what the lake's log says.
func (s *site) state(t *testing.T) *lake.State {
	t.Helper()
	st, err := s.lake.State()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s *site) pipeline(t *testing.T) lake.Pipeline {
	t.Helper()
	return s.state(t).Pipelines["default"]
}

// lines counts the committed rows that are no alerts.
func (s *site) lines(t *testing.T) (lines int64) {
	t.Helper()
	for _, f := range s.state(t).Files {
		lines += f.Rows - f.Kinds["alert"]
	}
	return lines
}

// waitFor waits until ok, and fails the test after a minute.
func (s *site) waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.tail(t)
			if s.lake != nil {
				t.Logf("the lake holds %d lines at mark %d", s.lines(t), s.pipeline(t).Mark)
			}
			t.Fatalf("after a minute: %s", what)
		}
	}
}

func (s *site) waitForLines(t *testing.T, n int64) {
	t.Helper()
	s.waitFor(t, "the lines are not in the lake", func() bool { return s.lines(t) >= n })
}

// waitForMarks waits until the pipeline has committed n marks more.
func (s *site) waitForMarks(t *testing.T, n int64) {
	t.Helper()
	from := s.pipeline(t).Mark
	s.waitFor(t, "no new marks", func() bool { return s.pipeline(t).Mark >= from+n })
}
