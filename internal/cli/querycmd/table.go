package querycmd

import (
	"bufio"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/sys/unix"

	"leat/pkg/query"
)

const (
	sampleRows = 1000 // by which a table's widths are settled
	nullText   = "NULL"
)

// writeTable writes aligned columns, as wide as the first rows need; where they are wider than the terminal the widest are cut, and where
// that does not help each row is written as a record. width 0 = no limit.
func writeTable(out *bufio.Writer, rows *query.Rows, width int) error {
	right := make([]bool, len(rows.Names))
	widths := make([]int, len(rows.Names))
	for i, n := range rows.Names {
		right[i] = numeric(rows.Types[i])
		widths[i] = runewidth.StringWidth(printable(n))
	}
	var sample [][]string
	records := false
	flush := func() error {
		if records = !fit(widths, rows.Types, width); records {
			for i, row := range sample {
				if err := writeRecord(out, rows, row, i+1, width); err != nil {
					return err
				}
			}
			return nil
		}
		if err := writeLine(out, rows.Names, widths, make([]bool, len(widths))); err != nil {
			return err
		}
		rule := make([]string, len(widths))
		for i, w := range widths {
			rule[i] = strings.Repeat("─", w)
		}
		if err := writeLine(out, rule, widths, make([]bool, len(widths))); err != nil {
			return err
		}
		for _, row := range sample {
			if err := writeLine(out, cells(row), widths, right); err != nil {
				return err
			}
		}
		sample = nil
		return nil
	}
	n := 0
	err := each(rows, func(row []string) error {
		if n++; n > sampleRows {
			if records {
				return writeRecord(out, rows, row, n, width)
			}
			return writeLine(out, cells(row), widths, right)
		}
		for i, c := range cells(row) {
			widths[i] = max(widths[i], runewidth.StringWidth(c))
		}
		sample = append(sample, slices.Clone(row))
		if n == sampleRows {
			return flush()
		}
		return nil
	})
	if err == nil && n < sampleRows {
		err = flush()
	}
	return err
}

// cells are the texts of a row's values.
func cells(row []string) []string {
	out := make([]string, len(row))
	for i, v := range row {
		out[i] = cell(v)
	}
	return out
}

// wordy tells whether a value of the type says something if its end is cut.
func wordy(sqlType string) bool {
	return !numeric(sqlType) && sqlType != "DATE" && sqlType != "BOOLEAN" && sqlType != "UUID" && !strings.HasPrefix(sqlType, "TIME")
}

func numeric(sqlType string) bool {
	switch sqlType {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE":
		return true
	}
	return strings.HasPrefix(sqlType, "DECIMAL")
}

func cell(v string) string {
	if v == "" {
		return nullText
	}
	return printable(text(withoutNulls(v)))
}

// printable keeps what an event says from steering the terminal or breaking the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, s)
}

const gap = "  "

// narrowest is what a column that is cut keeps.
const narrowest = 8

// fit narrows the widest columns of text until the table fits, and tells whether it does. Half a number or half a time says nothing.
func fit(widths []int, types []string, width int) bool {
	if width == 0 {
		return true
	}
	total := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for total > width {
		widest := -1
		for i, w := range widths {
			if wordy(types[i]) && w > narrowest && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
		total--
	}
	return true
}

func writeLine(out *bufio.Writer, cells []string, widths []int, right []bool) error {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteString(gap)
		}
		c = runewidth.Truncate(c, widths[i], "…")
		pad := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(c)))
		switch {
		case right[i]:
			b.WriteString(pad + c)
		case i == len(cells)-1:
			b.WriteString(c)
		default:
			b.WriteString(c + pad)
		}
	}
	b.WriteByte('\n')
	_, err := out.WriteString(b.String())
	return err
}

// terminalWidth returns the width of the terminal that f is, or 0 where it is none.
func terminalWidth(f *os.File) int {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}
