package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
)

// TestMain is also the program that the terminal tests run: Run on its standard input, as the command does.
func TestMain(m *testing.M) {
	switch os.Getenv("LEAT_TUI_CHILD") {
	case "":
		goleak.VerifyTestMain(m)
		return
	case "start":
		fmt.Println("started", os.Getenv("TERM"))
		os.Exit(0)
	}
	cfg := Config{In: os.Stdin, Palette: PaletteFor(os.Getenv), Zone: time.UTC, Notice: os.Stderr, Command: "tui"}
	if os.Getenv("LEAT_TUI_CHILD") == "tee" {
		cfg.Tee = os.Stdout
	}
	if err := Run(context.Background(), cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func childCommand(mode string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LEAT_TUI_CHILD="+mode, "TERM=xterm-256color", "CI=")
	return cmd
}

// TestMuteTerminal: a terminal that answers no query must not hold the start of a program that links the library, nor be
// asked at all. The libraries wait five seconds for the answer; the bound is far from both.
func TestMuteTerminal(t *testing.T) {
	cmd := childCommand("start")
	began := time.Now()
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Skip("no pty here: ", err)
	}
	defer tty.Close()
	out, _ := io.ReadAll(tty) // ends with an error when the child has gone
	took := time.Since(began)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "started xterm-256color" {
		t.Errorf("it wrote %q: the terminal was asked, or TERM was not restored", got)
	}
	if took > 4*time.Second {
		t.Errorf("it took %v to start", took)
	}
}

// TestFirstFrameOnMuteTerminal draws on a terminal that never answers, with the events on a pipe.
func TestFirstFrameOnMuteTerminal(t *testing.T) {
	cmd := childCommand("screen")
	events, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pty here: ", err)
	}
	defer master.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = slave, slave
	cmd.SysProcAttr = controllingTerminal(1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	fmt.Fprintln(events, alertLine(7, "critical"))
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), "message 7") {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("it ended: %v\n%q", err, seen.String())
		}
		seen.Write(buf[:n])
	}
	if _, err := master.Write([]byte("q")); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := master.Read(buf); err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// tmux runs tmux commands on a server of its own.
type tmux struct {
	t      *testing.T
	socket string
}

func newTmux(t *testing.T, width, height int, command string) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: the real screen was not looked at")
	}
	x := &tmux{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	x.run("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), command)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", x.socket, "kill-server").Run() })
	return x
}

func (x *tmux) run(args ...string) string {
	x.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", x.socket}, args...)...)
	// LC_ALL: tmux draws _ for what is not ASCII otherwise.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LEAT_TUI_CHILD=screen", "TMUX=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// until looks at the screen until it holds every word.
func (x *tmux) until(words ...string) string {
	x.t.Helper()
	var screen string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		screen = x.run("capture-pane", "-p")
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(screen, w)
		}
		if !missing {
			return screen
		}
	}
	x.t.Fatalf("the screen never showed %q:\n%s", words, screen)
	return ""
}

func (x *tmux) keys(keys ...string) {
	x.t.Helper()
	x.run(append([]string{"send-keys"}, keys...)...)
}

// TestRealTerminal plays a session in a real terminal: events on the pipe, keys from the terminal.
func TestRealTerminal(t *testing.T) {
	dir := t.TempDir()
	events := filepath.Join(dir, "events")
	var lines strings.Builder
	for i := range 40 {
		lines.WriteString(alertLine(i, []string{"low", "high"}[i%2]) + "\n")
	}
	lines.WriteString(wideAlert + "\n")
	write(t, events, 0, lines.String())
	x := newTmux(t, 80, 24, fmt.Sprintf("tail -n +1 -f %s | %s; echo it ended; sleep 60", events, os.Args[0]))
	x.until("shown 41 of 41", "山田太郎", "live")
	x.keys("k", "k", "Enter")
	x.until("2 newer", "RULE", "message 38")
	x.keys("Escape", "/")
	x.keys("-l", "severity>=high user=u1")
	x.keys("Enter")
	x.until("shown 4 of 41", "filter: severity>=high user=u1")
	x.keys("Space")
	write(t, events, os.O_APPEND, alertLine(51, "high")+"\n")
	x.until("PAUSED, 1 waiting")
	x.keys("Space")
	x.until("shown 5 of 42", "message 51")
	x.keys("Escape", "r")
	x.until("COUNT", "WHO / WHERE")
	x.keys("?")
	x.until("Move", "Filter and search")
	x.keys("?", "r")
	x.run("resize-window", "-x", "140", "-y", "40")
	x.keys("G", "Enter")
	x.until("│", "JSON")
	x.keys("q")
	x.until("it ended")
}

// TestTee: the screen is on the terminal, the stream goes through whole, also after q.
func TestTee(t *testing.T) {
	dir := t.TempDir()
	fifo, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := exec.Command("mkfifo", fifo).Run(); err != nil {
		t.Skip("no mkfifo: ", err)
	}
	x := newTmux(t, 100, 24, fmt.Sprintf("LEAT_TUI_CHILD=tee %s < %s > %s; echo it ended; sleep 60", os.Args[0], fifo, out))
	in, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	first := alertLine(1, "high") + "\nnot json\n" + `{"@leat":{"mark":1,"run":"x"}}` + "\n"
	fmt.Fprint(in, first)
	x.until("message 1", "not JSON 1")
	x.keys("q")
	x.until("the stream still passes")
	second := strings.Repeat(alertLine(2, "low")+"\n", 5000)
	fmt.Fprint(in, second)
	_ = in.Close()
	x.until("it ended")
	got, err := os.ReadFile(out)
	if err != nil || string(got) != first+second {
		t.Errorf("%d bytes of %d went through: %v", len(got), len(first+second), err)
	}
}
