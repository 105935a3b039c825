package persist

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"leat/internal/parquet"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// converter turns spills into Parquet files in the staging folder.
type converter struct {
	dir    string
	cols   *row.Columns
	tables chan *table // as many as files are written at once
}

func newConverter(cols *row.Columns, dir string, threads int) (*converter, error) {
	schema, err := schemaOf(cols)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	c := &converter{dir: dir, cols: cols, tables: make(chan *table, threads)}
	for range threads {
		t, err := newTable(cols, schema)
		if err != nil {
			return nil, err
		}
		c.tables <- t
	}
	return c, nil
}

// badRow is a row that can't be in a file of the lake.
type badRow struct {
	row []byte
	err error
}

// write makes the file name of the rows of spills, which are of one partition, and checks it. Rows that are damaged are handed back.
func (c *converter) write(t *table, spills []*spill, name string) (file lake.Staged, bad []badRow, err error) {
	var files []spillFile
	defer func() {
		for _, f := range files {
			_ = f.file.Close()
		}
	}()
	sorted, rows := true, int64(0)
	for i, s := range spills {
		f, err := os.Open(s.path)
		if err != nil {
			return file, nil, fmt.Errorf("spill: %w", err)
		}
		files = append(files, spillFile{f, s.size})
		sorted = sorted && s.sorted && (i == 0 || s.first >= spills[i-1].last)
		rows += s.rows
	}
	out, err := os.OpenFile(filepath.Join(c.dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return file, nil, fmt.Errorf("write Parquet: %w", err)
	}
	defer out.Close()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 64<<10)
	t.begin()
	t.out.Reset(w)
	take := func(p rowPlace, body []byte) error {
		if err := t.read(body); err != nil {
			bad = append(bad, badRow{bytes.Clone(body), err})
			return nil
		}
		return t.add(p.at)
	}
	if sorted {
		for _, f := range files {
			if err = t.rows.inOrder(f.file, f.size, take); err != nil {
				break
			}
		}
	} else {
		err = t.rows.inTime(files, take)
	}
	if err != nil {
		return file, nil, fmt.Errorf("write Parquet: %w", err)
	}
	written, err := t.out.Close()
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return file, nil, fmt.Errorf("write Parquet: %w", err)
	}
	if err := check(out, rows, written, int64(len(bad))); err != nil {
		return file, nil, err
	}
	file = lake.Staged{Name: name, File: t.file(spills[0].partition, written)}
	file.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return file, bad, nil
}

var errCount = errors.New("the file has not the rows of its spill")

// check reads the footer of a file that was written: what the lake's log will say of it must be there.
func check(f *os.File, given, written, bad int64) error {
	footer, err := parquet.ReadFooter(f.Name())
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if written+bad != given || footer.Rows != written {
		return fmt.Errorf("check: %w: %d were taken in, %d written, %d are damaged, the footer says %d", errCount, given, written, bad, footer.Rows)
	}
	return nil
}

// partName is the name of the Parquet file that comes of a spill.
func partName(spill string) string { return filepath.Base(spill) + ".parquet" }

// converted is what came of one spill.
type converted struct {
	spill *spill
	with  []*kept // committed files that were merged into its file
	level int
	file  lake.Staged // Rows 0: there is none
	bad   []badRow
	err   error
}

// convert makes the file of one spill, which stays until it is committed.
func (c *converter) convert(d *converted) error {
	if err := d.spill.flush(); err != nil {
		return err
	}
	t := <-c.tables
	defer func() { c.tables <- t }()
	var spills []*spill
	for _, k := range d.with {
		spills = append(spills, k.spill)
	}
	var err error
	d.file, d.bad, err = c.write(t, append(spills, d.spill), partName(d.spill.path))
	return err
}

// convertAll converts every spill of a generation, merged with what plan says, a few side by side.
func (c *converter) convertAll(ctx context.Context, g *generation, plan func(*spill) ([]*kept, int)) ([]converted, error) {
	done := make([]converted, len(g.order))
	slots := make(chan struct{}, cap(c.tables))
	var failed atomic.Bool
	var wg sync.WaitGroup
	for i, s := range g.order {
		slots <- struct{}{}
		d := &done[i]
		d.spill = s
		if plan != nil {
			d.with, d.level = plan(s)
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if failed.Load() {
				return
			}
			if d.err = ctx.Err(); d.err == nil {
				d.err = c.convert(d)
			}
			if d.err != nil {
				d.err = fmt.Errorf("dataset %s, date %s: %w", s.dataset, s.date(), d.err)
				failed.Store(true)
			}
		})
	}
	wg.Wait()
	for i := range done {
		if done[i].err != nil {
			return nil, done[i].err
		}
	}
	return done, nil
}

// files returns the files of what was converted.
func files(done []converted) (out []lake.Staged) {
	for i := range done {
		if done[i].file.Rows > 0 {
			out = append(out, done[i].file)
		}
	}
	return out
}
