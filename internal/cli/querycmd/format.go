package querycmd

import (
	"bufio"
	"encoding/csv"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/sys/unix"

	"leat/pkg/event"
	"leat/pkg/query"
)

// each calls f for every row.
func each(rows *query.Rows, f func(row []string) error) error {
	var row []string
	for {
		var ok bool
		var err error
		if row, ok, err = rows.Next(row); err != nil || !ok {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// writeJSON writes an object a line.
func writeJSON(out *bufio.Writer, rows *query.Rows) error {
	keys := make([][]byte, len(rows.Names))
	for i, n := range rows.Names {
		keys[i] = append(event.AppendString(nil, n), ':')
	}
	var line []byte
	return each(rows, func(row []string) error {
		line = append(line[:0], '{')
		for i, v := range row {
			if i > 0 {
				line = append(line, ',')
			}
			if v == "" {
				v = "null"
			}
			line = append(append(line, keys[i]...), v...)
		}
		_, err := out.Write(append(line, '}', '\n'))
		return err
	})
}

// writeCSV writes a header and the rows (RFC 4180). NULL is an empty field, an empty text too.
func writeCSV(out *bufio.Writer, rows *query.Rows) error {
	w := csv.NewWriter(out)
	if err := w.Write(rows.Names); err != nil {
		return err
	}
	fields := make([]string, len(rows.Names))
	err := each(rows, func(row []string) error {
		for i, v := range row {
			fields[i] = text(v)
		}
		return w.Write(fields)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// writeEvents writes the first column, which is a JSON string of an event.
func writeEvents(out *bufio.Writer, rows *query.Rows) error {
	return each(rows, func(row []string) error {
		_, err := out.WriteString(text(row[0]) + "\n")
		return err
	})
}

// text is what a JSON value says: a string without quotes and escapes.
func text(v string) string {
	if v == "" {
		return ""
	}
	return event.ValueOf([]byte(v)).String()
}

const (
	sampleRows = 1000 // by which a table's widths are settled
	nullText   = "NULL"
)

// writeTable writes aligned columns, as wide as the first rows need; where they are wider than the terminal the widest are cut. width 0 = no
// limit.
func writeTable(out *bufio.Writer, rows *query.Rows, width int) error {
	right := make([]bool, len(rows.Names))
	widths := make([]int, len(rows.Names))
	for i, n := range rows.Names {
		right[i] = numeric(rows.Types[i])
		widths[i] = runewidth.StringWidth(printable(n))
	}
	var sample [][]string
	flush := func() error {
		fit(widths, width)
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
		for _, cells := range sample {
			if err := writeLine(out, cells, widths, right); err != nil {
				return err
			}
		}
		sample = nil
		return nil
	}
	n := 0
	err := each(rows, func(row []string) error {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v)
		}
		if n++; n > sampleRows {
			return writeLine(out, cells, widths, right)
		}
		for i, c := range cells {
			widths[i] = max(widths[i], runewidth.StringWidth(c))
		}
		sample = append(sample, cells)
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
	return printable(text(v))
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

// fit narrows the widest columns until the table fits.
func fit(widths []int, width int) {
	if width == 0 {
		return
	}
	total := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for total > width {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 8 {
			return
		}
		widths[widest]--
		total--
	}
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

// terminalWidth returns the width of the terminal that is standard output, or 0 where it is none.
func terminalWidth() int {
	ws, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}
