// Command compare runs the same work by leat and by the programs that people would pick instead, on the same seeded data, and
// writes down what each took: CPU (user and system, of every process of the row, as wait4 tells), wall time, peak memory.
//
//	make build && bench/peers && go run ./bench/compare -n 1000000 -runs 3 -write docs/benchmarks.md
//	go run ./bench/compare -n 100000 -only rename,chain
//
// The rows of a work are run in turn, round by round, so that a busy machine slows all of them; figures are medians of the
// rounds, and ratios are taken within a round. Before anything is timed, every row's output on the first 5,000 events is
// compared field by field with leat's: a row that says something else is told with what differs. A peer that is not installed is
// named. Slow programs get a shorter beginning of the same data, which their row says.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// options are the command line.
type options struct {
	n      int
	only   string
	runs   int
	peers  string // yes or no
	bin    string
	cache  string
	dir    string
	shared string
	write  string
	budget float64
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 1_000_000, "events of a row")
	flag.StringVar(&o.only, "only", "", "works to run, separated by commas (all: "+strings.Join(names(), ",")+")")
	flag.IntVar(&o.runs, "runs", 3, "rounds")
	flag.StringVar(&o.peers, "peers", "yes", "yes or no: run the other programs too")
	flag.StringVar(&o.bin, "bin", "bin", "folder of the built programs")
	flag.StringVar(&o.cache, "cache", fromEnv("LEAT_PEERS", filepath.Join(".cache", "peers")), "folder that bench/peers filled")
	flag.StringVar(&o.dir, "dir", filepath.Join(os.TempDir(), "leat-bench"), "folder to work in; the data is kept there")
	flag.StringVar(&o.shared, "shared", fromEnv("LEAT_SHARED", filepath.Join("..", "shared")), "folder of the Sigma rules and events (absent: detect is left out)")
	flag.StringVar(&o.write, "write", "", "file to write the report to (none: only standard output)")
	flag.Float64Var(&o.budget, "budget", 5, "seconds of CPU that one run of a peer may take; slower ones get fewer events")
	check := flag.String("check", "", "compare the outputs of this work that are its arguments (how a run checks itself)")
	flag.Parse()
	var err error
	if *check != "" {
		err = checkOutputs(os.Stdout, *check, flag.Args())
	} else {
		err = run(&o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func fromEnv(name, other string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return other
}

func run(o *options) error {
	for _, p := range []*string{&o.bin, &o.cache, &o.dir, &o.shared} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	var report strings.Builder
	out := io.Writer(os.Stdout)
	if o.write != "" {
		out = io.MultiWriter(os.Stdout, &report)
	}
	b := &bench{o: o, out: out}
	if err := b.prepare(); err != nil {
		return err
	}
	b.head()
	headed := report.Len()
	for _, w := range chosen {
		if err := b.work(w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	b.foot()
	short := b.short()
	fmt.Print("\n", short)
	if o.write == "" {
		return nil
	}
	text := report.String()
	return os.WriteFile(o.write, []byte(text[:headed]+short+text[headed:]), 0o644)
}

func names() []string {
	var list []string
	for _, w := range works() {
		list = append(list, w.name)
	}
	return list
}

// choose returns the works that are named, in their order.
func choose(only string) ([]*work, error) {
	all := works()
	if only == "" {
		return all, nil
	}
	var list []*work
	for _, name := range strings.Split(only, ",") {
		w := find(all, name)
		if w == nil {
			return nil, fmt.Errorf("-only: no work %q; expected some of %s", name, strings.Join(names(), ", "))
		}
		list = append(list, w)
	}
	return list, nil
}

func find(all []*work, name string) *work {
	for _, w := range all {
		if w.name == name {
			return w
		}
	}
	return nil
}
