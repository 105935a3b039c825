package querycmd

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"

	"leat/pkg/event"
	"leat/pkg/query"
)

// leaf is one value of a row that is not NULL, under its dotted name.
type leaf struct{ name, text string }

// leaves takes a row apart as far as objects go.
func leaves(rows *query.Rows, row []string) []leaf {
	var out []leaf
	for i, v := range row {
		switch {
		case v == "":
		case strings.HasPrefix(v, "{"):
			out = members(out, rows.Names[i], v)
		default:
			out = append(out, leaf{rows.Names[i], printable(text(v))})
		}
	}
	return out
}

func members(out []leaf, prefix, object string) []leaf {
	var e event.Event
	e.Reset([]byte(object))
	if e.Parse() != nil {
		return append(out, leaf{prefix, printable(object)})
	}
	return walk(out, prefix, &e, e.Root())
}

func walk(out []leaf, prefix string, e *event.Event, n event.Node) []leaf {
	for i := e.First(n); i != event.None; i = e.Next(i) {
		name := prefix + "." + string(e.Key(i))
		switch e.KindAt(i) {
		case event.Null:
		case event.Object:
			out = walk(out, name, e, i)
		default:
			out = append(out, leaf{printable(name), printable(text(string(e.ValueAt(i).Raw)))})
		}
	}
	return out
}

// writeRecord writes a row as one line for each value that is not NULL, long ones wrapped to the terminal.
func writeRecord(out *bufio.Writer, rows *query.Rows, row []string, number, width int) error {
	all := leaves(rows, row)
	name := 0
	for _, l := range all {
		name = max(name, min(runewidth.StringWidth(l.name), width/3))
	}
	fmt.Fprintf(out, "── %d %s\n", number, strings.Repeat("─", max(0, width-5-len(fmt.Sprint(number)))))
	for _, l := range all {
		label := runewidth.FillRight(runewidth.Truncate(l.name, name, "…"), name)
		for i, part := range strings.Split(runewidth.Wrap(l.text, max(20, width-name-len(gap))), "\n") {
			if i > 0 {
				label = strings.Repeat(" ", name)
			}
			if _, err := fmt.Fprintln(out, label+gap+part); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutNulls drops the NULL members of an object, which a STRUCT has for each field that the event lacks.
func withoutNulls(v string) string {
	if !strings.HasPrefix(v, "{") || !strings.Contains(v, ":null") {
		return v
	}
	var e event.Event
	e.Reset([]byte(v))
	if e.Parse() != nil {
		return v
	}
	return string(compact(nil, &e, e.Root()))
}

func compact(dst []byte, e *event.Event, n event.Node) []byte {
	dst = append(dst, '{')
	for i := e.First(n); i != event.None; i = e.Next(i) {
		if e.KindAt(i) == event.Null {
			continue
		}
		start := len(dst)
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), e.RawKey(i)...), '"', ':')
		value := len(dst)
		if e.KindAt(i) != event.Object {
			dst = append(dst, e.ValueAt(i).Raw...)
		} else if dst = compact(dst, e, i); len(dst) == value+len("{}") && e.First(i) != event.None {
			dst = dst[:start]
		}
	}
	return append(dst, '}')
}
