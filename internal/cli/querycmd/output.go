package querycmd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/pkg/query"
)

// output is where the answer goes: standard output, or a file that gets its name when it is whole.
type output struct {
	file *os.File
	path string // of the file; "" = standard output
	name string // that it gets; "" = it has it
}

func create(name string) (*output, error) {
	if name == "" || name == "-" {
		return &output{file: os.Stdout}, nil
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, fmt.Errorf("output: %q is a folder", name)
		}
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
		return &output{file: f, path: name}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return &output{file: f, path: f.Name(), name: name}, nil
}

// finish gives the file its name.
func (o *output) finish() error {
	if o.path == "" {
		return nil
	}
	err := o.file.Close()
	if err == nil && o.name != "" {
		err = os.Rename(o.path, o.name)
	}
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	o.path = ""
	return nil
}

// discard takes away a file that was not finished.
func (o *output) discard() {
	if o.path == "" {
		return
	}
	_ = o.file.Close()
	if o.name != "" {
		_ = os.Remove(o.path)
	}
}

// write runs the statement and writes its rows in the wanted format.
func (r *request) write(ctx context.Context, db *query.DB, to *output) error {
	stmt := r.sql
	switch r.format {
	case "parquet":
		_, err := db.Parquet(ctx, stmt, r.params)
		return err
	case "explain", "analyze":
		return r.explain(ctx, db, to)
	case "event":
		stmt = query.AsEvents(stmt)
	}
	rows, err := db.SelectWith(ctx, stmt, r.params)
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriterSize(to.file, 64<<10)
	switch {
	case rows.Plan && r.format == "table":
		err = each(rows, func(row []string) error {
			_, err := out.WriteString(text(row[1]) + "\n")
			return err
		})
	case r.format == "json":
		err = writeJSON(out, rows)
	case r.format == "csv":
		err = writeCSV(out, rows)
	case r.format == "event":
		err = writeEvents(out, rows)
	default:
		err = writeTable(out, rows, terminalWidth(to.file))
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func (r *request) explain(ctx context.Context, db *query.DB, to *output) error {
	before, began := readSoFar(), time.Now()
	e, err := db.Explain(ctx, r.sql, r.params, r.format == "analyze")
	if err != nil {
		return err
	}
	text := e.String()
	if r.format == "analyze" {
		text += fmt.Sprintf("\n%.3f s", time.Since(began).Seconds())
		if now := readSoFar(); now > 0 {
			text += fmt.Sprintf(", %d bytes read from files", now-before)
		}
		text += "\n"
	}
	_, err = to.file.WriteString(text)
	return err
}

// readSoFar returns how many bytes this process has read, as the kernel counts them; 0 where it does not tell.
func readSoFar() (n int64) {
	f, err := os.Open("/proc/self/io")
	if err != nil {
		return 0
	}
	defer f.Close()
	_, _ = fmt.Fscanf(f, "rchar: %d", &n)
	return n
}

// schema lists the columns.
func schema(c *cli.Context) error {
	if c.NArg() > 0 {
		return leatcli.Usagef("--schema takes no statement")
	}
	out := bufio.NewWriter(os.Stdout)
	for _, f := range query.Schema() {
		if c.Bool("json") || c.String("format") == "json" {
			line, err := json.Marshal(f)
			if err != nil {
				return err
			}
			out.Write(append(line, '\n'))
			continue
		}
		fmt.Fprintf(out, "%-36s %-10s %s\n", f.Name, f.Type, f.Meaning)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
