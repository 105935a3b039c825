package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/stage"
)

// segmentSink stands for persist: what lies before a mark is written to a file of its own, and then the mark is committed.
// Only files whose mark is in the lake's log count.
type segmentSink struct {
	dir  string
	w    *lake.Writer
	h    stage.Hello
	prev int64
	buf  []byte
	slow time.Duration
}

func (s *segmentSink) Batch(b *event.Batch) error {
	s.buf = b.AppendLines(s.buf)
	return nil
}

func (s *segmentSink) Hello(h stage.Hello) error {
	s.h, s.prev = h, h.Resume
	return nil
}

func (s *segmentSink) Mark(m stage.Mark) error {
	path := filepath.Join(s.dir, fmt.Sprintf("%d-%d", s.h.Epoch, m.N))
	if err := os.WriteFile(path, s.buf, 0o600); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	time.Sleep(s.slow)
	_, err := s.w.CommitMark(context.Background(), lake.MarkCommit{
		Pipeline: s.h.Pipeline, Run: s.h.Run, Epoch: s.h.Epoch, Prev: s.prev, Mark: m.N, Since: m.Since, Positions: m.Sources, End: m.End,
	})
	s.prev = m.N
	return err
}

func (s *segmentSink) Close() error { return nil }

// killChild is the process that gets killed.
func killChild(work string) error {
	l, err := lake.Init(filepath.Join(work, "lake"))
	if err != nil {
		return err
	}
	w, err := l.NewWriter(context.Background())
	if err != nil {
		return err
	}
	cfg := Config{
		Sources: strings.Split(os.Getenv("INGEST_KILL_SOURCES"), "|"), Follow: true, Resume: l.Dir(), Poll: 30 * time.Millisecond,
		Grace: 2 * time.Second, MarkEvery: MarkEvery{Time: 15 * time.Millisecond, Events: 700}, Spool: filepath.Join(work, "spool"), Stdin: os.Stdin,
	}
	src, err := New(cfg)
	if err != nil {
		return err
	}
	return stage.Pump(context.Background(), src, &segmentSink{dir: filepath.Join(work, "out"), w: w, slow: time.Millisecond})
}

// committed returns every event that the lake's log vouches for, and the epochs and resumes seen.
func committed(t *testing.T, work string) (recs []record, commits int) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(work, "lake", "log", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range logs {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var e lake.Entry
		if err := json.NewDecoder(strings.NewReader(string(body))).Decode(&e); err != nil || e.Kind != lake.KindCommit {
			continue
		}
		commits++
		lines, err := os.ReadFile(filepath.Join(work, "out", fmt.Sprintf("%d-%d", e.Epoch, e.Mark)))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(lines)) {
			var r record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			recs = append(recs, r)
		}
	}
	return recs, commits
}

// Killed again and again, while its file grows and is rotated: every line is committed once, by content.
func TestKill(t *testing.T) {
	if work := os.Getenv("INGEST_KILL_CHILD"); work != "" {
		fmt.Fprintln(os.Stderr, killChild(work))
		os.Exit(1)
	}
	work := t.TempDir()
	logs := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "out"), 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(logs, "app.log")
	var want []string
	rnd := rand.New(rand.NewPCG(7, 7))
	write := func(n int) {
		text := ""
		for range n {
			line := fmt.Sprintf("record %06d %s", len(want), strings.Repeat("x", rnd.IntN(200)))
			want = append(want, line)
			text += line + "\n"
		}
		appendFile(t, log, text)
	}
	write(10)
	kills := 25
	if testing.Short() {
		kills = 5
	}
	for kill := range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "INGEST_KILL_CHILD="+work, "INGEST_KILL_SOURCES="+filepath.Join(logs, "app.log*"))
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 5 + rnd.IntN(20) {
			write(100 + rnd.IntN(300))
			time.Sleep(time.Duration(rnd.IntN(8)) * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if errs.Len() > 0 {
			t.Fatalf("kill %d: the process said %s", kill, errs.String())
		}
		switch kill % 4 {
		case 1:
			shift(t, log)
			rename(t, log, log+".1")
		case 2:
			shift(t, log)
			run(t, "cp", log, log+".1")
			if err := os.Truncate(log, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "INGEST_KILL_CHILD="+work, "INGEST_KILL_SOURCES="+filepath.Join(logs, "app.log*"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var recs []record
	commits := 0
	waitFor(t, fmt.Sprintf("%d lines in the lake", len(want)), func() bool {
		time.Sleep(100 * time.Millisecond)
		recs, commits = committed(t, work)
		return len(recs) >= len(want)
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	var got []string
	for _, r := range recs {
		if r.Event.Dataset == noticeDataset {
			t.Errorf("notice: %+v", r)
			continue
		}
		got = append(got, r.text())
	}
	exactly(t, got, want)
	uniqueIDs(t, &keeper{recs: recs})
	t.Logf("%d kills, %d lines, %d commits", kills, len(want), commits)
	if commits < 2*kills {
		t.Errorf("only %d commits in %d lives: the kills did not hit in mid-stream", commits, kills)
	}
}

// shift renames .1 to .2, .2 to .3 and so on, and compresses what becomes .3.
func shift(t *testing.T, log string) {
	t.Helper()
	for n := 30; n > 0; n-- {
		for _, ext := range []string{"", ".gz"} {
			from := fmt.Sprintf("%s.%d%s", log, n, ext)
			if _, err := os.Stat(from); err != nil {
				continue
			}
			rename(t, from, fmt.Sprintf("%s.%d%s", log, n+1, ext))
			if n == 2 && ext == "" {
				run(t, "gzip", fmt.Sprintf("%s.%d", log, n+1))
			}
		}
	}
}

// Standard input under --resume: what was taken from the pipe when the process was killed is in the journal, and comes
// from there, once.
func TestKillStdin(t *testing.T) {
	work := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "out"), 0o700); err != nil {
		t.Fatal(err)
	}
	var taken []string
	for life := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "INGEST_KILL_CHILD="+work, "INGEST_KILL_SOURCES=-")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			line := fmt.Sprintf("life %d line %d", life, i)
			if _, err := io.WriteString(in, line+"\n"); err != nil {
				t.Fatal(err)
			}
			taken = append(taken, line)
			time.Sleep(time.Duration(i%3) * time.Millisecond)
		}
		if life == 5 {
			in.Close()
			if err := cmd.Wait(); err == nil {
				t.Error("the child ends with 1 after an orderly end")
			}
			break
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		in.Close()
	}
	recs, _ := committed(t, work)
	order := map[string]int{}
	for i, line := range taken {
		order[line] = i
	}
	last, counts := -1, map[string]int{}
	for _, r := range recs {
		n, ok := order[r.text()]
		if !ok || n <= last {
			t.Fatalf("%q behind line %d: not ours, twice, or out of order", r.text(), last)
		}
		last = n
		counts[strings.Fields(r.text())[1]]++
	}
	// What stood in the pipe at a kill was nobody's yet; the last life must be whole.
	if counts["5"] != 40 {
		t.Errorf("of the last life %d lines, want 40", counts["5"])
	}
	uniqueIDs(t, &keeper{recs: recs})
}
