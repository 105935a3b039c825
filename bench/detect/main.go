// Command detect measures the stage detect over a file of events: CPU seconds (user and system) per million events net of
// loading, how long loading takes, and the memory at the end.
//
//	go run ./bench/detect -rules ../shared/sigma/rules -rules ../shared/sigma/rules-emerging-threats \
//	    -rules ../shared/sigma/rules-threat-hunting -events ../shared/sigma/events/win-209k.ndjson.gz
//
// -copies 10 adds ten renamed copies of each rule that look for other texts, and prints the ratio of the costs. -latency
// runs a built program and measures from an event's arrival to its alert's leaving.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/stage"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

type options struct {
	rules   list
	events  string
	passes  int
	workers int
	copies  int
	change  string
	profile string
	latency string
	rate    int
	seconds int
}

func main() {
	var o options
	flag.Var(&o.rules, "rules", "rule file or folder; repeatable (none: the starter rules)")
	flag.StringVar(&o.events, "events", "", "NDJSON file, or gzip of one")
	flag.IntVar(&o.passes, "passes", 2, "how often the events are matched; the first pass is counted as loading")
	flag.IntVar(&o.workers, "workers", 1, "clones of the stage side by side")
	flag.IntVar(&o.copies, "copies", 0, "add so many copies of each rule that look for other texts, and compare")
	flag.StringVar(&o.change, "change", "rotate", "how the copies' texts differ: rotate (other letters) or insert (two characters within)")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the counted passes to this file")
	flag.StringVar(&o.latency, "latency", "", "measure the latency of this built detect program instead")
	flag.IntVar(&o.rate, "rate", 20000, "with -latency: events a second")
	flag.IntVar(&o.seconds, "seconds", 5, "with -latency: how long")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/detect:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.latency != "" {
		return latency(o)
	}
	lines, err := readEvents(o.events)
	if err != nil {
		return err
	}
	var dir string
	if o.copies > 0 {
		if dir, err = os.MkdirTemp("", "leat-copies"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		files, err := copyRules(o.rules, dir, o.copies, o.change)
		if err != nil {
			return err
		}
		dropped, err := dropMatching(files, dir, lines)
		if err != nil {
			return err
		}
		fmt.Printf("%d copies of rules; %d more matched all the same and are left out\n", len(files), dropped)
	}
	for _, routing := range []bool{true, false} {
		one, err := measure(o, o.rules, lines, routing)
		if err != nil {
			return err
		}
		one.print(routing, "")
		if o.copies == 0 {
			continue
		}
		many, err := measure(o, append(o.rules[:len(o.rules):len(o.rules)], dir), lines, routing)
		if err != nil {
			return err
		}
		many.print(routing, fmt.Sprintf("  %d copies: x %.2f", o.copies, float64(many.perEvent)/float64(one.perEvent)))
	}
	return nil
}

// result is what one configuration cost.
type result struct {
	load, first time.Duration // CPU of loading, and of the first pass, in which the indices are made
	perEvent    time.Duration // CPU per event of the counted passes
	wall        time.Duration // per event
	alerts      int           // of one pass
	rss         int64         // KiB at most
}

func (r *result) print(routing bool, more string) {
	name := "unrouted"
	if routing {
		name = "routed"
	}
	fmt.Printf("%-9s %6.2f CPU s per million events (%.2f wall)  alerts %d  load %.2f CPU s, first pass %.2f  RSS %d MiB%s\n",
		name, float64(r.perEvent.Nanoseconds())/1000, float64(r.wall.Nanoseconds())/1000, r.alerts, r.load.Seconds(),
		r.first.Seconds(), r.rss>>10, more)
}

func measure(o *options, rules []string, lines [][]byte, routing bool) (*result, error) {
	runtime.GC()
	var r result
	before := cpu()
	s, err := detect.New(detect.Config{Rules: rules, Routing: routing, Workers: o.workers})
	if err != nil {
		return nil, err
	}
	r.load = cpu() - before
	before = cpu()
	if r.alerts, err = pass(s, lines); err != nil {
		return nil, err
	}
	r.first = cpu() - before
	if o.profile != "" {
		f, err := os.Create(fmt.Sprintf("%s.%v", o.profile, routing))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	before = cpu()
	began := time.Now()
	for range o.passes - 1 {
		if _, err := pass(s, lines); err != nil {
			return nil, err
		}
	}
	n := time.Duration(max(1, (o.passes-1)*len(lines)))
	r.perEvent, r.wall = (cpu()-before)/n, time.Since(began)/n
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return nil, err
	}
	r.rss = u.Maxrss
	return &r, nil
}

// pass takes all lines through the stage in batches as a pipe would bring them, parsing and writing included.
func pass(s stage.Stage, lines [][]byte) (alerts int, err error) {
	const size = 200
	var b event.Batch
	var out []byte
	for at := 0; at < len(lines); at += size {
		part := lines[at:min(at+size, len(lines))]
		b.Reset()
		for _, l := range part {
			if err := b.Push(l).Parse(); err != nil {
				return 0, err
			}
		}
		if err := s.Process(&b); err != nil {
			return 0, err
		}
		b.Compact()
		alerts += len(b.Events) - len(part)
		out = b.AppendLines(out[:0])
	}
	return alerts, nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
