package tui

import "strings"

// Palette is how many colours the terminal may be given.
type Palette uint8

// The palettes. Plain has no styles at all; NoColor has bold and reverse, which are no colours.
const (
	Plain Palette = iota
	NoColor
	Sixteen
	Many // 256
)

// PaletteFor chooses by the environment: NO_COLOR, TERM and COLORTERM.
func PaletteFor(env func(string) string) Palette {
	term := env("TERM")
	switch {
	case term == "dumb", term == "":
		return Plain
	case env("NO_COLOR") != "":
		return NoColor
	case env("COLORTERM") == "truecolor", env("COLORTERM") == "24bit", strings.Contains(term, "256color"), strings.Contains(term, "direct"):
		return Many
	}
	return Sixteen
}

// style is what a piece of the screen is for.
type style uint8

const (
	styleInfo style = iota // the first five are the levels, least first
	styleLow
	styleMedium
	styleHigh
	styleCritical
	styleUnknown
	styleDim
	styleHead
	styleBar
	styleSelected
	styleKey
	styleWarn
	styleLabel
	styleString
	styleText
	styleSpark // the sparkline of the gravest level: its background would be a wall
	styleCount // how many there are
)

// codes are the SGR parameters of each style for the palettes but Plain.
var codes = [styleCount][3]string{
	styleInfo:     {"", "2", "38;5;245"},
	styleLow:      {"", "36", "38;5;37"},
	styleMedium:   {"", "33", "38;5;172"},
	styleHigh:     {"1", "1;31", "1;38;5;203"},
	styleCritical: {"1", "1;97;41", "1;38;5;231;48;5;160"},
	styleUnknown:  {"", "", "38;5;245"},
	styleDim:      {"", "2", "38;5;244"},
	styleHead:     {"1", "1", "1"},
	styleBar:      {"7", "7", "38;5;252;48;5;236"},
	styleSelected: {"7", "7", "7"},
	styleKey:      {"1", "1;36", "1;38;5;37"},
	styleWarn:     {"1", "1;33", "1;38;5;214"},
	styleLabel:    {"", "36", "38;5;73"},
	styleString:   {"", "32", "38;5;108"},
	styleText:     {"", "", ""},
	styleSpark:    {"1", "1;31", "38;5;196"},
}

// paint wraps a text in a style. An empty text stays empty.
func (p Palette) paint(s style, text string) string {
	if p == Plain || text == "" || codes[s][p-1] == "" {
		return text
	}
	return "\x1b[" + codes[s][p-1] + "m" + text + "\x1b[0m"
}

// levels are Sigma's, least first, and then what has none.
var levels = [...]string{"informational", "low", "medium", "high", "critical", ""}

// letters stand for the levels beside the colour.
const letters = "ILMHC?"

const levelUnknown = len(levels) - 1

func levelOf(name string) int {
	switch strings.ToLower(name) {
	case "informational", "info", "i":
		return 0
	case "low", "l":
		return 1
	case "medium", "med", "m":
		return 2
	case "high", "h":
		return 3
	case "critical", "crit", "c":
		return 4
	}
	return levelUnknown
}
