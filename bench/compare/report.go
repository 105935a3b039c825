package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func (b *bench) head() {
	fmt.Fprintf(b.out, `# Benchmarks

Written by `+"`make bench`"+` (bench/compare). Figures are of one machine at one time: compare the ratios, which are taken within a run, and run it on yours.

    make bench                          all of it; the peers are built first, from their registries, into .cache/peers
    make bench N=100000 PEERS=no        quick: ours alone
    go run ./bench/compare -only rename,chain -n 1000000

%s, commit %s, %d cores of %s, %s, load average %s at the start. %s events a row where it says nothing else; medians of %d rounds in turn; a peer gets as many events as take it %g s of CPU, at least those that are compared.

CPU is user and system time of all processes of a row. *Net* leaves out start-up (loading rules, tables, a virtual machine: measured with one event); it is printed
where that is more than 5 %%. Events/s is wall time, start-up included. RSS is the peak; of a pipe, the sum. *Ratio* is the row's CPU, net, over that of the first row in
the same round. *Agrees*: every field of the first %s events was compared with the first row's. Data is made by bench/gen; the commands below each table run in the
folder of the data (-dir), where bench/work was copied, with bin/ and the peers' folder in PATH.

`, time.Now().UTC().Format("2006-01-02 15:04 UTC"), commit(), runtime.NumCPU(), processor(), runtime.Version(), load(), thousands(b.o.n), b.o.runs, b.o.budget, thousands(sample))
	if list := b.versions(); list != "" && b.o.peers == "yes" {
		fmt.Fprintf(b.out, "Versions: %s.\n\n", list)
	}
}

// foot names what could not be run.
func (b *bench) foot() {
	fmt.Fprintf(b.out, "Load average at the end: %s.\n", load())
	if len(b.absent) > 0 {
		fmt.Fprintf(b.out, "\nNot installed here, so not run (bench/peers says why): %s.\n", strings.Join(slices.Sorted(maps.Keys(b.absent)), ", "))
	}
	if b.o.peers != "yes" {
		fmt.Fprint(b.out, "\nThe peers were left out of this run (-peers no).\n")
	}
	fmt.Fprint(b.out, "\nOther measurements stand where the decision that they led to is told: docs/design/, docs/04-enrich.md, docs/05-detect.md.\n")
}

// table prints the results of a work, and the command of each row.
func (b *bench) table(w *work, results []*result) {
	fmt.Fprintf(b.out, "| tool | CPU s per million | net | events/s | RSS MiB | ratio | events | agrees |\n|---|---|---|---|---|---|---|---|\n")
	var commands, notes strings.Builder
	base := results[0]
	for _, r := range results {
		cmds, err := b.commands(w, r.row, r.n)
		if err == nil {
			fmt.Fprintf(&commands, "    %s\n", strings.Join(cmds, " | "))
		}
		if r.row.note != "" {
			fmt.Fprintf(&notes, "- %s: %s.\n", r.row.tool, r.row.note)
		}
		if r.err != nil {
			fmt.Fprintf(b.out, "| %s | failed | | | | | | %s |\n", r.row.tool, strings.ReplaceAll(r.err.Error(), "|", "\\|"))
			continue
		}
		net := ""
		if whole := r.perMillion(false); r.perMillion(true) < 0.95*whole {
			net = figure(r.perMillion(true))
		}
		agrees := r.agrees
		if r.row.floor {
			agrees = "not the work"
		}
		fmt.Fprintf(b.out, "| %s | %s | %s | %s | %.0f | %s | %s | %s |\n", r.row.tool, figure(r.perMillion(false)), net, thousands(int(r.rate())), r.rss(),
			times(r.ratio(base)), thousands(r.n), strings.ReplaceAll(agrees, "|", "\\|"))
	}
	fmt.Fprintf(b.out, "\n%s", notes.String())
	if w.missing != "" {
		fmt.Fprintf(b.out, "- Not in the table: %s\n", w.missing)
	}
	fmt.Fprintf(b.out, "- Load average at the end of these rows: %s.\n\n%s\n", load(), commands.String())
}

// short is one line a work: ours, the best filter beside it, and the best of what only works in batch.
func (b *bench) short() string {
	var t strings.Builder
	t.WriteString("## In short\n\nCPU s per million events, net of start-up; details and commands are in the table of each work. A filter can stand in a pipe that never " +
		"ends; what works in batch reads a file whole and infers its types.\n\n" +
		"| work | leat | the best other filter | its ratio | the best in batch | its ratio |\n|---|---|---|---|---|---|\n")
	for _, m := range b.tables {
		first := m.results[0]
		if first.err != nil {
			continue
		}
		fmt.Fprintf(&t, "| %s | %s |%s%s\n", m.work.title, figure(first.perMillion(true)), m.cells(false), m.cells(true))
	}
	t.WriteByte('\n')
	return t.String()
}

// cells are two of the table in short: who is best, and by how much.
func (m *measured) cells(batch bool) string {
	r := m.best(batch)
	if r == nil {
		return " | |"
	}
	return fmt.Sprintf(" %s: %s | %s |", r.row.tool, figure(r.perMillion(true)), times(r.ratio(m.results[0])))
}

// best is the peer that does the work for the least CPU; of the chain, which has no peers, the other form of ours.
func (m *measured) best(batch bool) *result {
	var best *result
	for _, r := range m.results[1:] {
		ours := r.row.peer == "" && m.work.name != "chain"
		if ours || r.row.batch != batch || r.row.floor || r.err != nil || len(r.runs) == 0 {
			continue
		}
		if best == nil || r.perMillion(true) < best.perMillion(true) {
			best = r
		}
	}
	return best
}

// figure prints seconds with as many digits as they are worth.
func figure(s float64) string {
	if s >= 20 {
		return fmt.Sprintf("%.0f", s)
	}
	return fmt.Sprintf("%.2f", s)
}

func times(r float64) string {
	if r >= 20 {
		return fmt.Sprintf("%.0f ×", r)
	}
	return fmt.Sprintf("%.2f ×", r)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// versions asks each peer that is there.
func (b *bench) versions() string {
	var list []string
	for _, p := range [][2]string{
		{"jq", "jq --version"}, {"jaq", "jaq --version"}, {"gojq", "gojq --version"}, {"mlr", "mlr --version"}, {"benthos", "benthos --version | sed -n 's/Version: /benthos /p'"},
		{"rsigma", "rsigma --version | head -1"}, {"lognormalizer", "lognormalizer -V 2>&1 | sed -n 's/liblognorm version: /liblognorm /p'"},
		{"vrl", "cat " + filepath.Join(b.o.cache, "vrl.version")},
		{"py/duckdb", python("duckdb")}, {"py/polars", python("polars")},
	} {
		if !b.lookUp(p[0]) {
			b.absent[p[0]] = true
			continue
		}
		c := exec.Command("sh", "-c", p[1])
		c.Env = b.env
		if out, err := c.Output(); err == nil {
			list = append(list, strings.TrimSpace(string(out)))
		} else {
			list = append(list, p[0]+" (tells no version)")
		}
	}
	return strings.Join(list, ", ")
}

func python(pkg string) string {
	return fmt.Sprintf("python3 -c 'import %[1]s; print(\"%[1]s\", %[1]s.__version__)'", pkg)
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return string(bytes.Join(bytes.Fields(data)[:2], []byte(" ")))
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(data)) {
		if _, name, ok := strings.Cut(line, "model name\t: "); ok {
			return strings.TrimSpace(name)
		}
	}
	return runtime.GOARCH
}
