package persist_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
)

func batchOf(lines ...string) *event.Batch {
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	return &b
}

// events writes n events whose ids are never said again.
func events(w io.Writer, n int) {
	for i := range n {
		fmt.Fprintf(w, `{"@timestamp":"2026-11-24T08:17:%02d.%03dZ","event":{"id":"%016x","kind":"event","dataset":"d%d"},"message":"line %d of a test, with some text"}`+"\n",
			i/1000%60, i%1000, uint64(i)*0x9E3779B97F4A7C15, i%5, i)
	}
}

// TestKilledInMidCopy: kill -9 while a file is written leaves nothing that a reader sees and nothing that stays.
func TestKilledInMidCopy(t *testing.T) {
	l := initLake(t)
	var in bytes.Buffer
	events(&in, 300_000)
	hits := 0
	for try := 0; try < 8 && hits < 2; try++ {
		cmd := child("persist", l.Dir())
		cmd.Stdin = bytes.NewReader(in.Bytes())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if caughtWriting(l) {
			hits++
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if hits > 0 {
			left, _ := filepath.Glob(filepath.Join(l.Dir(), "staging", "*", "*"))
			t.Logf("killed; in staging: %d files", len(left))
		}
	}
	if hits == 0 {
		t.Fatal("no kill hit a file that was being written")
	}
	committed := state(t, l)
	if _, rows, _ := committed.Totals(); rows != 0 {
		t.Fatalf("%d rows are committed", rows)
	}
	if err := pump(l.Dir(), bytes.NewReader(in.Bytes())); err != nil {
		t.Fatal(err)
	}
	sweptClean(t, l)
	if got := ask(t, l, "SELECT count(*), count(DISTINCT event.id) FROM events"); got != "300000 300000\n" {
		t.Errorf("after the restart: %s", got)
	}
}

// caughtWriting waits until a Parquet file grows in staging, for as long as a busy machine needs to come so far.
func caughtWriting(l *lake.Lake) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		found, _ := filepath.Glob(filepath.Join(l.Dir(), "staging", "*", "spill-*.parquet"))
		if len(found) > 0 {
			return true
		}
	}
	return false
}

// noise writes n events of a text that does not shrink.
func noise(w io.Writer, n int) {
	r := rand.New(rand.NewPCG(8, 9))
	for range n {
		var text [110]byte
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		fmt.Fprintf(w, `{"message":%q}`+"\n", base64.StdEncoding.EncodeToString(text[:]))
	}
}

// TestDiskFull: a clear word, nothing half-visible, and all is well when there is room again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l, err := lake.Init(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	if err := persistAll(t, persist.Config{Dir: l.Dir()}, `{"message":"before"}`); err != nil {
		t.Fatal(err)
	}
	var in bytes.Buffer
	events(&in, 80_000) // 13 MB of spill
	err = pump(l.Dir(), &in)
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a full disk says %v", err)
	}
	sweptClean(t, l)
	if got := strings.Join(contents(t, l, ""), ""); got != `{"message":"before"}` {
		t.Errorf("after a full disk the lake holds %s", got)
	}
	// The spill fits here, and the Parquet file does not.
	fill := filepath.Join(dir, "fill")
	if err := os.WriteFile(fill, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	in.Reset()
	noise(&in, 12_000)
	if err := pump(l.Dir(), bytes.NewReader(in.Bytes())); err == nil {
		t.Error("a full disk while the file is written is no error")
	} else {
		t.Log(err)
	}
	sweptClean(t, l)
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if err := pump(l.Dir(), &in); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if got := ask(t, l, "SELECT count(*) FROM events"); got != "12001\n" {
		t.Errorf("%s events", got)
	}
}

// TestPythonReadsTheFiles: the files are Parquet for others too, with one schema.
func TestPythonReadsTheFiles(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import duckdb").CombinedOutput(); err != nil {
		t.Skipf("no python3 with duckdb: %s", bytes.TrimSpace(out))
	}
	l := initLake(t)
	var in bytes.Buffer
	events(&in, 20_000)
	in.WriteString(`{"event":{"kind":"alert","dataset":"d1"},"rule":{"name":"r"},"threat":{"technique":{"id":["T1110"]}}}` + "\nno JSON\n")
	if err := pump(l.Dir(), &in); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range state(t, l).Sorted() {
		p, err := l.Abs(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	const script = `import duckdb, sys
r = duckdb.read_parquet(sys.argv[1:], hive_partitioning=True)
print(r.aggregate("count(*), count(DISTINCT event.id), max(message), count(threat.technique.id[1]), count(rule.name), count(source.geo.city_name)").fetchall()[0])
print(duckdb.sql("SELECT dataset, date, count(*) FROM r GROUP BY ALL ORDER BY ALL").fetchall()[0][0])
print(len({tuple(duckdb.read_parquet(p, hive_partitioning=False).columns) + tuple(map(str, duckdb.read_parquet(p, hive_partitioning=False).types)) for p in sys.argv[1:]}))
from importlib.util import find_spec
if find_spec("pyarrow"):
    import pyarrow.dataset as ds, pyarrow.parquet as pq
    assert ds.dataset(sys.argv[1:]).count_rows(filter=ds.field("event", "dataset") == "d1") == 4001
    assert sum(pq.read_table(p, partitioning=None).num_rows for p in sys.argv[1:]) == 20002
    assert any(pq.ParquetFile(p).metadata.row_group(0).column(0).statistics.has_min_max for p in sys.argv[1:])
if find_spec("polars"):
    import polars as pl
    t = pl.scan_parquet(sys.argv[1:])
    assert t.filter(pl.col("event").struct.field("dataset") == "d1").select(pl.len()).collect().item() == 4001
    assert t.select(pl.col("message").max()).collect().item() == "line 9999 of a test, with some text"`
	out, err := exec.Command("python3", append([]string{"-c", script}, paths...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := "(20002, 20000, 'line 9999 of a test, with some text', 1, 1, 0)\n_alerts\n1\n"
	if string(out) != want {
		t.Errorf("got %s\nwant %s", out, want)
	}
}
