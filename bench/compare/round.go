package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// work measures one work and prints its table.
func (b *bench) work(w *work) error {
	fmt.Fprintf(b.out, "## %s\n\n%s\n\n", w.title, w.about)
	if w.report != nil {
		return b.selfMeasured(w)
	}
	if _, err := os.Stat(filepath.Join(b.o.dir, w.in)); err != nil {
		fmt.Fprintf(b.out, "Left out: %s is not there.\n\n", w.in)
		return nil
	}
	results, err := b.rounds(w)
	if err != nil {
		return err
	}
	b.tables = append(b.tables, measured{w, results})
	b.table(w, results)
	return nil
}

// rounds measures every row, in turn, as often as asked for.
func (b *bench) rounds(w *work) ([]*result, error) {
	results, err := b.trial(w)
	if err != nil {
		return nil, err
	}
	for range b.o.runs {
		for _, r := range results {
			if r.err != nil {
				continue
			}
			f, err := b.once(w, r.row, r.n, nil)
			if err != nil {
				r.err = err
				continue
			}
			r.runs = append(r.runs, f)
			fmt.Fprintf(os.Stderr, "%-12s %-50s %8.2f CPU s, %7.2f s, %d events\n", w.name, r.row.tool, f.cpu.Seconds(), f.wall.Seconds(), r.n)
		}
	}
	return results, nil
}

// trial runs every row once on the sample: its output is checked, its start-up measured, and from its speed follows how many
// events it is given.
func (b *bench) trial(w *work) ([]*result, error) {
	var results []*result
	var outputs []string
	for i := range w.rows {
		row := &w.rows[i]
		if !b.installed(row.peer) {
			continue
		}
		r := &result{row: row, n: b.all(w)}
		results = append(results, r)
		path := filepath.Join(b.o.dir, fmt.Sprintf("out.%s.%d", w.name, i))
		f, err := b.output(w, row, path)
		if err != nil {
			r.err = err
			continue
		}
		if !row.floor {
			outputs = append(outputs, fmt.Sprintf("%d=%s", i, path))
		}
		if r.idle, err = b.startUp(w, row); err != nil {
			r.err = err
			continue
		}
		if row.peer != "" && !w.same {
			r.n = affordable(b.all(w), b.sample(w), b.o.budget, f.cpu-r.idle)
		}
	}
	if len(outputs) < 2 { // nothing to compare with
		return results, nil
	}
	said, err := b.compare(w, outputs)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		r.agrees = said[r.row.tool]
	}
	return results, nil
}

// affordable is the greatest of some round numbers of events that takes no more than budget seconds of CPU, where the first
// sampled ones took cpu; but never less than these.
func affordable(all, sampled int, budget float64, cpu time.Duration) int {
	each := max(cpu, time.Millisecond).Seconds() / float64(sampled)
	n := sampled
	for _, m := range []int{10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000} {
		if m <= all && float64(m)*each <= budget {
			n = max(n, m)
		}
	}
	return n
}

// compare checks the outputs in a process of its own, and returns what it says of each tool.
func (b *bench) compare(w *work, outputs []string) (map[string]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, append([]string{"-check", w.name}, outputs...)...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("check outputs: %w", err)
	}
	said := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		num, what, _ := strings.Cut(line, "\t")
		var i int
		if _, err := fmt.Sscan(num, &i); err == nil {
			said[w.rows[i].tool] = what
		}
	}
	return said, nil
}

// output runs a row on the sample and keeps what it wrote in the file path.
func (b *bench) output(w *work, row *row, path string) (figures, error) {
	out, err := os.Create(path)
	if err != nil {
		return figures{}, err
	}
	defer out.Close()
	timed := *row
	if row.check != nil {
		timed.pipe = row.check
	}
	return b.once(w, &timed, b.sample(w), out)
}

// startUp is the CPU that the row takes for one event: the least of three.
func (b *bench) startUp(w *work, row *row) (time.Duration, error) {
	least := time.Hour
	for range 3 {
		f, err := b.once(w, row, 1, nil)
		if err != nil {
			return 0, err
		}
		least = min(least, f.cpu)
	}
	return least, nil
}

// once runs a row on the first n events.
func (b *bench) once(w *work, row *row, n int, out *os.File) (figures, error) {
	cmds, err := b.commands(w, row, n)
	if err != nil {
		return figures{}, err
	}
	if !strings.Contains(strings.Join(row.pipe, " "), "{out}") {
		return b.measure(cmds, out)
	}
	to := filepath.Join(b.o.dir, "out.tmp")
	if out != nil {
		to = out.Name()
	}
	for i := range cmds {
		cmds[i] = strings.ReplaceAll(cmds[i], "{out}", to)
	}
	return b.measure(cmds, nil)
}

// commands fills in the input.
func (b *bench) commands(w *work, row *row, n int) ([]string, error) {
	cmds := make([]string, len(row.pipe))
	for i, line := range row.pipe {
		wrapped := strings.Contains(line, "{wrapped}")
		in, err := b.input(w, n, wrapped)
		if err != nil {
			return nil, err
		}
		cmds[i] = strings.NewReplacer("{in}", in, "{wrapped}", in).Replace(line)
	}
	return cmds, nil
}
