package tui

import "unicode"

// edit is a line of text that is being typed, with the lines typed before.
type edit struct {
	text    []rune
	at      int
	history []string // oldest first
	recall  int      // index in history; len(history) = the line itself
	draft   []rune
}

// open begins a new line with a text.
func (l *edit) open(text string) {
	l.text = []rune(text)
	l.at = len(l.text)
	l.recall = len(l.history)
}

// done remembers the line and returns it.
func (l *edit) done() string {
	s := string(l.text)
	if s != "" && (len(l.history) == 0 || l.history[len(l.history)-1] != s) {
		l.history = append(l.history, s)
		if len(l.history) > 50 {
			l.history = l.history[1:]
		}
	}
	return s
}

// key takes one key: a name, or typed text.
func (l *edit) key(name string, typed []rune) {
	switch name {
	case "left", "ctrl+b":
		l.at = max(l.at-1, 0)
	case "right", "ctrl+f":
		l.at = min(l.at+1, len(l.text))
	case "home", "ctrl+a":
		l.at = 0
	case "end", "ctrl+e":
		l.at = len(l.text)
	case "backspace", "ctrl+h":
		if l.at > 0 {
			l.text = append(l.text[:l.at-1], l.text[l.at:]...)
			l.at--
		}
	case "delete", "ctrl+d":
		if l.at < len(l.text) {
			l.text = append(l.text[:l.at], l.text[l.at+1:]...)
		}
	case "ctrl+u":
		l.text = append([]rune(nil), l.text[l.at:]...)
		l.at = 0
	case "ctrl+k":
		l.text = l.text[:l.at]
	case "ctrl+w":
		i := l.at
		for i > 0 && l.text[i-1] == ' ' {
			i--
		}
		for i > 0 && l.text[i-1] != ' ' {
			i--
		}
		l.text = append(l.text[:i:i], l.text[l.at:]...)
		l.at = i
	case "up", "ctrl+p":
		l.remember(-1)
	case "down", "ctrl+n":
		l.remember(1)
	default:
		l.insert(typed)
	}
}

// maxEdit is the longest line that can be typed or pasted, in characters.
const maxEdit = 1000

func (l *edit) insert(typed []rune) {
	for _, r := range typed {
		if unicode.IsControl(r) {
			r = ' '
		}
		if len(l.text) < maxEdit {
			l.text = append(l.text[:l.at], append([]rune{r}, l.text[l.at:]...)...)
			l.at++
		}
	}
}

func (l *edit) remember(step int) {
	to := l.recall + step
	if to < 0 || to > len(l.history) {
		return
	}
	if l.recall == len(l.history) {
		l.draft = append([]rune(nil), l.text...)
	}
	l.recall = to
	if to == len(l.history) {
		l.text = append([]rune(nil), l.draft...)
	} else {
		l.text = []rune(l.history[to])
	}
	l.at = len(l.text)
}
