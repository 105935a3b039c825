package normalizecmd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/tidwall/gjson"
	"github.com/urfave/cli/v2"

	"leat/pkg/event"
	"leat/pkg/normalize"
	"leat/pkg/stage"
)

// explain shows for each line what becomes of it, and of each of its values.
func explain(c *cli.Context) error {
	m, err := load(c)
	if err != nil {
		return err
	}
	s := normalize.New(normalize.Config{Mappings: m, Dataset: c.String("dataset")})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, stage.DefaultMaxLine)
	for in.Scan() {
		fmt.Fprintf(c.App.Writer, "record   %s\nmapping  %s\n", shown(in.Text()), s.Explain(in.Bytes()))
		var b event.Batch
		b.Push(bytes.Clone(in.Bytes()))
		if err := s.Process(&b); err != nil {
			return err
		}
		b.Compact()
		for _, e := range b.Events {
			pretty := gjson.GetBytes(e.Append(nil), "@pretty").Raw
			fmt.Fprintf(c.App.Writer, "event    %s\n", strings.ReplaceAll(strings.TrimSpace(pretty), "\n", "\n         "))
		}
		if p, ok := s.Places(in.Bytes()); ok {
			places(c.App.Writer, p)
		}
	}
	return in.Err()
}

// shown is s, quoted where it would steer the terminal.
func shown(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}

// places prints where the values of a record went.
func places(w io.Writer, p normalize.Places) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	label := "values   "
	for _, v := range p.Values {
		to := strings.Join(v.Fields, ", ")
		switch {
		case v.Kept != "":
			to = v.Kept + " (kept)"
		case to == "":
			to = "(read, or no value)"
		}
		fmt.Fprintf(t, "%s%s\t%s\t%s\n", label, v.Name, runewidth.Truncate(strconv.Quote(v.Value), 48, "…"), to)
		label = "         "
	}
	t.Flush()
	rest := max(0, p.Bytes-p.InFields-p.Kept)
	fmt.Fprintf(w, "bytes    %d: %d %% in fields, %d %% kept without a field, %d %% names, separators and other words\n",
		p.Bytes, percent(p.InFields, p.Bytes), percent(p.Kept, p.Bytes), percent(rest, p.Bytes))
}

func percent(n, of int) int { return (100*min(n, of) + of/2) / max(of, 1) }
