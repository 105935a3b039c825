package tui

import (
	"bytes"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

func screenOf(t *testing.T) (*screen, *bytes.Buffer) {
	t.Helper()
	m := testModel(80, 24)
	feedN(t, m, 10)
	var out bytes.Buffer
	return &screen{m: m, in: &intake{}, out: &out}, &out
}

func TestKeysFromTheTerminal(t *testing.T) {
	s, _ := screenOf(t)
	send := func(k tea.Key) { s.Update(tea.KeyMsg(k)) }
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("kk")}) // typed faster than read
	if s.m.list.cursor != 7 {
		t.Errorf("kk: cursor at %d", s.m.list.cursor)
	}
	send(tea.Key{Type: tea.KeyUp})
	send(tea.Key{Type: tea.KeySpace, Runes: []rune{' '}})
	if s.m.list.cursor != 6 || !s.m.paused {
		t.Error("up, space")
	}
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("q"), Paste: true})
	if s.m.effects.quit {
		t.Error("a pasted q quits")
	}
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("/")})
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("user=u1 x\n"), Paste: true})
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("b"), Alt: true})
	if got := string(s.m.prompt.filter.text); got != "user=u1 x " {
		t.Errorf("pasted: %q", got)
	}
	send(tea.Key{Type: tea.KeyEsc})
	send(tea.Key{Type: tea.KeyEnter})
	send(tea.Key{Type: tea.KeyRunes, Runes: []rune("r"), Alt: true}) // escape, then r
	if s.m.detail.open || !s.m.groups.on {
		t.Error("escape and r in one read")
	}
	if _, cmd := s.Update(tea.KeyMsg{Type: tea.KeyCtrlC}); cmd == nil {
		t.Error("ctrl+c does not quit")
	}
}

func TestClipboard(t *testing.T) {
	t.Setenv("TMUX", "")
	s, out := screenOf(t)
	s.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("y")})
	if got := out.String(); !strings.HasPrefix(got, "\x1b]52;c;") || !strings.Contains(got, "eyJAdGltZXN0YW1wIj") {
		t.Errorf("%q", got)
	}
	s.m.selected().raw = make([]byte, maxCopy+1)
	out.Reset()
	s.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("y")})
	if out.Len() != 0 || !strings.Contains(s.m.note, "too long") {
		t.Errorf("%q, %d bytes", s.m.note, out.Len())
	}
}

// TestFrames: arrivals are taken frame by frame, and nothing is drawn again when nothing has changed.
func TestFrames(t *testing.T) {
	s, _ := screenOf(t)
	s.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
	s.in.waiting = []*row{rowOf(t, alertLine(77, "critical"))}
	if strings.Contains(s.View(), "message 77") {
		t.Fatal("shown before its frame")
	}
	if _, cmd := s.Update(frameMsg(time.Now())); cmd == nil {
		t.Fatal("no next frame")
	}
	if !strings.Contains(s.View(), "message 77") {
		t.Error("not shown")
	}
	s.m.list.rows = nil
	if !strings.Contains(s.View(), "message 77") {
		t.Error("drawn again though no message came")
	}
}
