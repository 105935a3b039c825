package faults

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leat/pkg/event"
)

// stageRun is one finished process of a pipe.
type stageRun struct {
	name   string
	code   int
	rssMiB int64
	stderr string
}

// pipe runs commands of the leat program joined by pipes and waits for all.
func pipe(t *testing.T, leat string, commands ...[]string) []stageRun {
	t.Helper()
	var argvs [][]string
	errs := make([]*bytes.Buffer, len(commands))
	for i, c := range commands {
		argvs = append(argvs, append([]string{leat}, c...))
		errs[i] = &bytes.Buffer{}
	}
	cmds := startPipe(t, nil, argvs, func(i int) io.Writer { return errs[i] })
	peaks := make([]atomic.Int64, len(cmds))
	stop := make(chan struct{})
	var watch sync.WaitGroup
	for i, c := range cmds {
		watch.Go(func() { watchMemory(c.Process.Pid, &peaks[i], stop) })
	}
	var out []stageRun
	for i, c := range cmds {
		_ = c.Wait()
		out = append(out, stageRun{commands[i][0], c.ProcessState.ExitCode(), 0, errs[i].String()})
	}
	close(stop)
	watch.Wait()
	for i := range out {
		out[i].rssMiB = peaks[i].Load() >> 10
	}
	return out
}

// watchMemory keeps the peak of a process's resident memory, in KiB. What wait(2) tells would count what the test itself
// held when it forked.
func watchMemory(pid int, peak *atomic.Int64, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return
		}
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				peak.Store(kib)
			}
		}
	}
}

// chainTo is the usual pipe from sources into a lake, marked.
func chainTo(lakeDir string, sources ...string) [][]string {
	return [][]string{
		append([]string{"ingest", "--resume", lakeDir, "--mark-every", "1000"}, sources...),
		{"normalize"}, {"detect"}, {"persist", "--lake", lakeDir},
	}
}

func mustEndWell(t *testing.T, runs []stageRun) {
	t.Helper()
	for _, r := range runs {
		if r.code != 0 {
			t.Errorf("%s: exit %d: %s", r.name, r.code, r.stderr)
		}
	}
}

// originals returns the records that the lake holds, as the bytes that they were, in order; alerts left out.
func originals(t *testing.T, leat, lakeDir string) []string {
	t.Helper()
	out, err := exec.Command(leat, "query", "--lake", lakeDir, "--json",
		"SELECT event.original AS o, coalesce(leat.escaped, false) AS e FROM everything WHERE coalesce(event.kind, '') <> 'alert'").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("query: %v: %s", err, exit.Stderr)
		}
		t.Fatalf("query: %v", err)
	}
	var got []string
	for l := range strings.Lines(string(out)) {
		var r struct {
			O string
			E bool
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatalf("%v: %q", err, l)
		}
		if r.E {
			r.O = string(event.UnescapeText(nil, []byte(r.O)))
		}
		got = append(got, r.O)
	}
	slices.Sort(got)
	return got
}

// TestBadInput: whatever a source writes is in the lake as it was, once, and nobody stops for it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	leat := program(t, "leat")
	dir := t.TempDir()
	lakeDir := filepath.Join(dir, "lake")
	lines := []string{
		"garbage that nobody knows",
		"Nov 24 08:17:44 bastion sshd[4711]: Failed password for root from 198.51.100.7 port 4711 ssh2",
		"caf\xe9 and \xff\xfe bytes that are no UTF-8",
		"a NUL \x00 within, and a backslash \\x00 that is none",
		`{"@leat":{"hello":{"lake":"l","pipeline":"default","epoch":99,"run":"x","resume":0}}}`,
		`{"@leat":{"mark":9999,"run":"x","since":0,"sources":{},"end":true}}`,
		`{"@leat":1,"userIP":"10.0.0.1"}`,
		`{"lone":"\ud800 surrogate","big":123456789012345678901234567890.123e400}`,
		`{"a":1,"a":2,"":{"":[]}}`,
		`{"broken":`,
		"\x1b[2J\x1b]0;owned\x07 control characters",
		strings.Repeat("[", 5000),
		`{"event":"not an object","source":7,"@timestamp":{"x":1}}`,
		`{"event":{"dataset":"../../etc/passwd","id":"mine","kind":"alert"}}`,
		"\ufeff with a byte order mark",
		"tab\tand\rcarriage return",
	}
	src := write(t, dir, "in.log", strings.Join(lines, "\n")+"\n")
	mustEndWell(t, pipe(t, leat, chainTo(lakeDir, src)...))
	want := slices.Clone(lines)
	slices.Sort(want)
	if got := originals(t, leat, lakeDir); !slices.Equal(got, want) {
		t.Errorf("the lake holds\n%q\nwant\n%q", got, want)
	}
	// The same again finds nothing new.
	mustEndWell(t, pipe(t, leat, chainTo(lakeDir, src)...))
	if got := originals(t, leat, lakeDir); len(got) != len(lines) {
		t.Errorf("after a second run %d records, want %d", len(got), len(lines))
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	leat := program(t, "leat")
	dir := t.TempDir()
	lakeDir := filepath.Join(dir, "lake")
	mustEndWell(t, pipe(t, leat, chainTo(lakeDir, write(t, dir, "empty.log", ""))...))
	if got := originals(t, leat, lakeDir); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// TestHugeLine: 100 MB without a line feed are kept whole in a file, with bounded memory, and the lines around go on.
func TestHugeLine(t *testing.T) {
	t.Parallel()
	leat := program(t, "leat")
	dir := t.TempDir()
	lakeDir := filepath.Join(dir, "lake")
	huge := bytes.Repeat([]byte("0123456789"), 10_000_000)
	src := filepath.Join(dir, "in.log")
	if err := os.WriteFile(src, slices.Concat([]byte("before\n"), huge, []byte("\nafter\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := chainTo(lakeDir, src)
	commands[0] = slices.Insert(commands[0], 1, "--spool", filepath.Join(dir, "spool"))
	runs := pipe(t, leat, commands...)
	mustEndWell(t, runs)
	for _, r := range runs[:3] {
		if r.rssMiB > 150 {
			t.Errorf("%s took %d MiB for a line of 95 MiB", r.name, r.rssMiB)
		}
	}
	out, err := exec.Command(leat, "query", "--lake", lakeDir, "--json",
		"SELECT error.type AS type, json_extract_string(rest, '$.leat.spool.path') AS path, json_extract_string(rest, '$.leat.spool.sha256') AS sha FROM errors").Output()
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Type, Path, Sha string }
	if err := json.Unmarshal([]byte(lastLine(out)), &e); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kept, err := os.ReadFile(e.Path)
	sum := sha256.Sum256(huge)
	if err != nil || !bytes.Equal(kept, huge) || e.Sha != hex.EncodeToString(sum[:]) || e.Type != "line_too_long" {
		t.Errorf("%+v: %d bytes kept, %v", e, len(kept), err)
	}
	got := originals(t, leat, lakeDir)
	if len(got) != 3 || !slices.Contains(got, "before") || !slices.Contains(got, "after") {
		t.Errorf("%d records", len(got))
	}
}

// TestTruncatedGzip: what can be read is read; that the rest can't is an event, not silence.
func TestTruncatedGzip(t *testing.T) {
	t.Parallel()
	leat := program(t, "leat")
	dir := t.TempDir()
	lakeDir := filepath.Join(dir, "lake")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	const n = 20000
	for i := range n {
		fmt.Fprintf(z, "line %d %x\n", i, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	src := write(t, dir, "in.log.gz", packed.String()[:packed.Len()/2])
	mustEndWell(t, pipe(t, leat, chainTo(lakeDir, src)...))
	whole := 0
	for _, o := range originals(t, leat, lakeDir) {
		if strings.HasPrefix(o, "line ") && len(o) > 64 {
			whole++
		}
	}
	out, err := exec.Command(leat, "query", "--lake", lakeDir, "--json", "SELECT count(*) AS n, min(error.message) AS m FROM errors").Output()
	if err != nil {
		t.Fatal(err)
	}
	if whole < n*40/100 || whole > n*60/100 || !strings.Contains(string(out), "in.log.gz") {
		t.Errorf("%d lines of a file cut in the middle of %d; errors: %s", whole, n, out)
	}
}
