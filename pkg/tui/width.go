package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const spaces = "                                                                                                                                "

// textWidth is the number of cells that a clean text takes: the same count as the library that draws uses.
func textWidth(s string) int {
	if plainASCII(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// fit cuts or pads a clean text to exactly w cells. A cut text ends with …
func fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	n := textWidth(s)
	if n > w {
		s = cut(s, w)
		n = textWidth(s)
	}
	return s + pad(w-n)
}

// cut shortens a clean text that is wider than w cells.
func cut(s string, w int) string {
	if plainASCII(s) {
		return s[:max(w-1, 0)] + "…"
	}
	return ansi.Truncate(s, w, "…")
}

// shift leaves out the first n cells of a clean text.
func shift(s string, n int) string {
	if n <= 0 {
		return s
	}
	if plainASCII(s) {
		return s[min(n, len(s)):]
	}
	return ansi.TruncateLeft(s, n, "")
}

func pad(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(spaces) {
		return spaces[:n]
	}
	return strings.Repeat(" ", n)
}

// wrap breaks a clean text into lines of at most w cells, at spaces where there are any.
func wrap(s string, w int) []string {
	if w < 1 {
		return nil
	}
	return strings.Split(ansi.Wrap(s, w, " "), "\n")
}
