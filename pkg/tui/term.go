package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sys/unix"

	"leat/pkg/tui/background"
)

// This file is all that knows the terminal library: program options, names of keys, the clipboard.

// The libraries are initialised by now: see package background.
var _ = background.Restore()

// frameTime is how often arrivals are taken and the screen drawn, at most.
const frameTime = 50 * time.Millisecond

// ErrNoTerminal says that there is nothing to draw on or no keyboard.
var ErrNoTerminal = errors.New("no terminal")

type frameMsg time.Time

// screen is the model as the library wants it.
type screen struct {
	m      *model
	in     *intake
	out    io.Writer // the terminal, for the clipboard
	drawn  string
	behind bool // something changed since drawn
}

func (s *screen) Init() tea.Cmd { return nextFrame() }

func nextFrame() tea.Cmd {
	return tea.Tick(frameTime, func(t time.Time) tea.Msg { return frameMsg(t) })
}

// Update hands keys, sizes and arrivals to the model.
func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	s.behind = true
	switch msg := msg.(type) {
	case frameMsg:
		a := s.in.drain(time.Time(msg))
		if a.err != nil && s.in.tee != nil {
			return s, tea.Quit // the stream can't go on: neither must the pipe
		}
		s.m.arrive(a)
		return s, nextFrame()
	case tea.WindowSizeMsg:
		s.m.width, s.m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		s.key(msg)
	}
	return s, s.effects()
}

// key hands a key to the model. Keys that were typed faster than they are read come as one message of several letters,
// a pasted text as one that says so.
func (s *screen) key(msg tea.KeyMsg) {
	switch {
	case msg.Paste && s.m.prompt.kind == promptNone:
	case msg.Paste:
		s.m.key("", msg.Runes)
	case msg.Type == tea.KeySpace:
		s.m.key("space", []rune{' '})
	case msg.Type == tea.KeyRunes && msg.Alt && s.m.prompt.kind != promptNone:
	case msg.Type == tea.KeyRunes:
		if msg.Alt {
			s.m.key("esc", nil) // escape and a letter right behind it look like this
		}
		for _, r := range msg.Runes {
			name := string(r)
			if r == ' ' {
				name = "space"
			}
			s.m.key(name, []rune{r})
		}
	default:
		s.m.key(msg.String(), nil)
	}
}

// effects does what the model asked for.
func (s *screen) effects() tea.Cmd {
	e := s.m.effects
	s.m.effects = effects{}
	if e.copy != "" {
		seq := osc52.New(e.copy)
		if os.Getenv("TMUX") != "" {
			seq = seq.Tmux()
		}
		// Best effort: terminals don't say whether they took it.
		_, _ = seq.WriteTo(s.out)
	}
	if e.quit {
		return tea.Quit
	}
	return nil
}

// View draws the model. The library calls it after every message; one drawing serves until something changes.
func (s *screen) View() string {
	if s.behind {
		s.drawn, s.behind = s.m.view(), false
	}
	return s.drawn
}

// show runs the screen until the user quits or ctx ends.
func show(ctx context.Context, m *model, in *intake, keys *os.File, out *os.File) error {
	p := tea.NewProgram(&screen{m: m, in: in, out: out, behind: true}, tea.WithContext(ctx), tea.WithAltScreen(),
		tea.WithInput(keys), tea.WithOutput(atomically{out}), tea.WithoutSignalHandler(), tea.WithFPS(20))
	_, err := p.Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// atomically makes each write one frame for terminals that know synchronized output (DEC private mode 2026); others
// ignore the marks.
type atomically struct{ *os.File }

func (a atomically) Write(p []byte) (int, error) {
	frame := make([]byte, 0, len(p)+16)
	frame = append(append(append(frame, "\x1b[?2026h"...), p...), "\x1b[?2026l"...)
	if n, err := a.File.Write(frame); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// openTerminal finds where keys come from and where to draw: standard input and output where they are the terminal, else
// the controlling terminal.
func openTerminal(stdinIsData, stdoutIsData bool) (keys, out *os.File, done func(), err error) {
	keys, out, done = os.Stdin, os.Stdout, func() {}
	if !stdinIsData && isTerminal(os.Stdin) && !stdoutIsData && isTerminal(os.Stdout) {
		return keys, out, done, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	keys, out = tty, tty
	if !stdoutIsData && isTerminal(os.Stdout) {
		out = os.Stdout
	}
	return keys, out, func() { _ = tty.Close() }, nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
