package querycmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/internal/duration"
)

// longest is the length of the longest statement.
const longest = 16 << 20

// statement returns the SQL: the argument, --file, or standard input.
func statement(c *cli.Context) (string, error) {
	file := c.String("file")
	switch {
	case c.NArg() > 1:
		return "", leatcli.Usagef("give one SQL statement as the only argument, in quotes; got %d arguments", c.NArg())
	case c.NArg() == 1 && file != "":
		return "", leatcli.Usagef("--file: a statement was given as argument too")
	case c.NArg() == 1 && c.Args().First() != "-":
		return c.Args().First(), nil
	case (file == "" || file == "-") && leatcli.IsTerminal(os.Stdin):
		return "", leatcli.Usagef("give one SQL statement as argument, in quotes, or in a file (-f), or on standard input")
	}
	in := os.Stdin
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", leatcli.Usage(fmt.Errorf("--file: %w", err))
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, longest+1))
	if err != nil {
		return "", fmt.Errorf("read the statement: %w", err)
	}
	if len(body) > longest {
		return "", leatcli.Usagef("the statement is longer than 16 MiB")
	}
	if len(body) == 0 {
		return "", leatcli.Usagef("give one SQL statement as argument, in quotes, or in a file (-f); standard input was empty")
	}
	return string(body), nil
}

// moment reads a time: an age before now, a day, or a point in time (without zone: UTC).
func moment(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if age, err := duration.Parse(s); err == nil {
		return now.Add(-time.Duration(age)), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339} {
		// Times of events are ns since 1970 in 64 bits.
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1700 && t.Year() < 2200 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; expected such as 15m, 1h, 7d, 2026-11-24, 2026-11-24T08:00 or 2026-11-24T08:00:00Z", s)
}
