package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	childDir  = "LEAT_LAKE_CHILD"      // the lake; this process is a committer
	childPipe = "LEAT_LAKE_CHILD_PIPE" // its pipeline; "" = it commits files without marks
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := commitForEver(dir, os.Getenv(childPipe)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// commitForEver commits files until it is killed or superseded. In a pipeline the file at mark n says n, and the position
// of the source is n.
func commitForEver(dir, pipe string) error {
	ctx := context.Background()
	l, err := Open(dir)
	if err != nil {
		return err
	}
	w, err := l.NewWriter(ctx)
	if err != nil {
		return err
	}
	var sess Session
	if pipe != "" {
		if sess, err = l.OpenPipeline(ctx, pipe); err != nil {
			return err
		}
		if got := sess.Positions["src"]; sess.Mark > 0 && got != strconv.FormatInt(sess.Mark, 10) {
			return fmt.Errorf("mark %d with position %q", sess.Mark, got)
		}
	}
	for n := sess.Mark + 1; ; n++ {
		name := fmt.Sprintf("%d.parquet", n)
		body := fmt.Sprintf("%s %d\n", pipe, n)
		if err := os.WriteFile(filepath.Join(w.Staging(), name), []byte(body), 0o600); err != nil {
			return err
		}
		files := []Staged{{Name: name, File: File{Dataset: "d", Date: "2026-11-24", Rows: 1}}}
		if pipe == "" {
			_, err = w.CommitFiles(ctx, files, "")
		} else {
			_, err = w.CommitMark(ctx, MarkCommit{
				Pipeline: pipe, Run: sess.Run, Epoch: sess.Epoch, Prev: n - 1, Mark: n, Since: n - 1,
				Positions: map[string]string{"src": strconv.FormatInt(n, 10)}, Files: files,
			})
		}
		if errors.Is(err, ErrSuperseded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type process struct {
	cmd    *exec.Cmd
	stderr strings.Builder
}

func start(t *testing.T, dir, pipe string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childDir+"="+dir, childPipe+"="+pipe)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

// kill ends it with SIGKILL and fails the test where it had failed by itself.
func (p *process) kill(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	if p.stderr.Len() > 0 {
		t.Errorf("a committer failed: %s", p.stderr.String())
	}
}

// TestKill lets several processes commit at once, two of them into one pipeline, and kills them with SIGKILL, again and
// again. Afterwards the log is one whole chain, each pipeline has each mark once, and each file is there as it was written.
func TestKill(t *testing.T) {
	l := newLake(t)
	r := rand.New(rand.NewPCG(7, 8))
	pipes := []string{"a", "b", "b", ""}
	running := make([]*process, len(pipes))
	for i, pipe := range pipes {
		running[i] = start(t, l.Dir(), pipe)
	}
	for range 40 {
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
		i := r.IntN(len(pipes))
		running[i].kill(t)
		running[i] = start(t, l.Dir(), pipes[i])
	}
	// The last ones must come to work before they die, however slow the machine is.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		s, err := l.State()
		if err != nil {
			t.Fatal(err)
		}
		if s.Pipelines["a"].Mark >= 10 && s.Pipelines["b"].Mark >= 10 || time.Now().After(deadline) {
			break
		}
	}
	for _, p := range running {
		p.kill(t)
	}
	checkMarks(t, l)

	if err := l.SweepWriters(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"staging", "log/tmp"} {
		if left, err := os.ReadDir(l.path(dir)); err != nil || len(left) > 0 {
			t.Errorf("%s: %d left, %v", dir, len(left), err)
		}
	}
}

// checkMarks reads the log anew and fails unless each mark of each pipeline was committed once, with its file.
func checkMarks(t *testing.T, l *Lake) {
	t.Helper()
	again, err := Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := again.State()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for path, f := range s.Files {
		body, err := os.ReadFile(l.path(filepath.FromSlash(path)))
		if err != nil || hash(body) != f.SHA256 {
			t.Errorf("%s: %v, or another content", path, err)
		}
		if f.Pipeline == "" {
			continue
		}
		if want := fmt.Sprintf("%s %d\n", f.Pipeline, f.Mark); string(body) != want {
			t.Errorf("%s holds %q, want %q", path, body, want)
		}
		seen[string(body)]++
	}
	for _, pipe := range []string{"a", "b"} {
		p := s.Pipelines[pipe]
		t.Logf("pipeline %s: epoch %d, mark %d", pipe, p.Epoch, p.Mark)
		if p.Mark < 10 || p.Epoch < 2 {
			t.Errorf("pipeline %s came to mark %d in epoch %d only", pipe, p.Mark, p.Epoch)
		}
		for n := int64(1); n <= p.Mark; n++ {
			if got := seen[fmt.Sprintf("%s %d\n", pipe, n)]; got != 1 {
				t.Errorf("mark %d of %s is there %d times", n, pipe, got)
			}
		}
		if p.Positions["src"] != strconv.FormatInt(p.Mark, 10) {
			t.Errorf("mark %d with position %q", p.Mark, p.Positions["src"])
		}
	}
}
