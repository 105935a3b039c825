// Command lake measures what it costs to put events into a lake without losing any field, beside what the same DuckDB takes to
// write the same lines and drop what it was not told of. Every row of its table is a process of its own, run in this one
// run: user and system CPU, wall time and peak RSS are what wait4 says.
//
//	make build && go run ./bench/lake -n 1000000
//
// The workload is seeded: ECS-like NDJSON of 919 bytes on average, six datasets, three days, 27 fields that the lossy way gives a
// column, and fields beyond them (source.geo, network.transport, an object of each dataset's own), which only persist keeps.
// Figures of two runs do not compare; ratios within one do.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// options are the command line.
type options struct {
	n      int
	bin    string
	dir    string
	memory int64
	rounds int
	stress bool
	large  bool
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 1_000_000, "events")
	flag.StringVar(&o.bin, "bin", "bin", "folder of the built persist; several, with commas between, are compared")
	flag.StringVar(&o.dir, "dir", filepath.Join(os.TempDir(), "leat-bench-lake"), "folder to work in; input is kept there")
	flag.Int64Var(&o.memory, "memory", 1<<30, "memory limit of DuckDB in bytes")
	flag.IntVar(&o.rounds, "rounds", 2, "how often each row is run, in turn; the least CPU counts")
	flag.BoolVar(&o.stress, "stress", true, "also measure shuffled events and 5,000 partitions")
	flag.BoolVar(&o.large, "large", false, "also measure ten times the events")
	child := flag.String("child", "", "what this process is to do as a row of the table")
	flag.Parse()
	var err error
	if *child != "" {
		err = runChild(*child, flag.Args(), o.memory)
	} else {
		err = run(&o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lake:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	plain := workload{name: "ordered", n: o.n, datasets: 6, days: 3, end: today}
	in, size, err := plain.file(o.dir)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d cores, %d events of %.0f bytes, DuckDB's memory limit %d MiB, best of %d rounds\n\n", time.Now().UTC().Format(time.DateOnly),
		runtime.NumCPU(), o.n, float64(size)/float64(o.n), o.memory>>20, o.rounds)
	b := &bench{o: o, in: in}
	if err := b.compare(); err != nil {
		return err
	}
	if err := b.queries(); err != nil {
		return err
	}
	var more []workload
	if o.stress {
		more = append(more, workload{name: "shuffled", n: o.n, datasets: 6, days: 3, end: today, shuffled: true},
			workload{name: "5,000 partitions", n: o.n, datasets: 1000, days: 5, end: today})
	}
	if o.large {
		more = append(more, workload{name: "ten times the events", n: 10 * o.n, datasets: 6, days: 3, end: today})
	}
	return b.stress(more)
}

// file writes the workload to dir, unless it is there, and returns its path and size.
func (w *workload) file(dir string) (path string, size int64, err error) {
	path = filepath.Join(dir, w.fileName())
	if info, err := os.Stat(path); err == nil {
		return path, info.Size(), nil
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := w.write(out); err != nil {
		return "", 0, err
	}
	if err := out.Flush(); err != nil {
		return "", 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	return path, info.Size(), os.Rename(path+".part", path)
}
