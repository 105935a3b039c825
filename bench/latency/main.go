// Command latency measures, over the built programs, how long an event takes from the write into the first process of
// a chain to its line at the last one's output: `ingest - | normalize | enrich | detect | respond`, and beside it a chain of cat.
//
//	go run ./bench/latency -bin bin -enrich examples/enrich.yaml
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder of the built programs")
	enrich := flag.String("enrich", "examples/enrich.yaml", "configuration for enrich")
	playbook := flag.String("playbook", "examples/playbook.yaml", "configuration for respond, which only tells what it would do")
	seconds := flag.Int("seconds", 5, "how long the stream at -rate runs")
	rate := flag.Int("rate", 10000, "events a second")
	lone := flag.Int("lone", 300, "how many lone events")
	flag.Parse()
	exe := func(name string, args ...string) []string {
		return append([]string{filepath.Join(*bin, name)}, args...)
	}
	for _, c := range []struct {
		name  string
		procs [][]string
	}{
		{"ingest | normalize | enrich | detect | respond", [][]string{
			exe("ingest", "--log-level", "error", "-"), exe("normalize", "--log-level", "error"), exe("enrich", "--log-level", "error", "-c", *enrich),
			exe("detect", "--log-level", "error"), exe("respond", "--log-level", "error", "-c", *playbook),
		}},
		{"cat | cat | cat | cat | cat", [][]string{{"cat"}, {"cat"}, {"cat"}, {"cat"}, {"cat"}}},
	} {
		if err := measure(c.name, c.procs, *lone, *rate, *seconds); err != nil {
			fmt.Fprintln(os.Stderr, "latency:", err)
			os.Exit(1)
		}
	}
}

// measure runs one chain: first lone events 20 ms apart, then a steady stream in steps of one millisecond.
func measure(name string, procs [][]string, lone, rate, seconds int) error {
	in, out, wait, err := start(procs)
	if err != nil {
		return err
	}
	total := 50 + lone + rate*seconds
	sent := make([]atomic.Int64, total)
	took := make([]atomic.Int64, total)
	seen := make(chan int, total)
	go receive(out, sent, took, seen)

	n := 0
	send := func(count int) error {
		var b bytes.Buffer
		now := time.Now().UnixNano()
		for range count {
			fmt.Fprintf(&b, "Nov 24 08:17:44 bastion sshd[4711]: Failed password for seq=%d; from 198.51.100.7 port 4711 ssh2\n", n)
			sent[n].Store(now)
			n++
		}
		_, err := in.Write(b.Bytes())
		return err
	}
	for range 50 + lone {
		if err := send(1); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	step := time.NewTicker(time.Millisecond)
	began := time.Now()
	for n < total {
		<-step.C
		due := 50 + lone + int(time.Since(began).Seconds()*float64(rate))
		if k := min(due, total) - n; k > 0 {
			if err := send(k); err != nil {
				return err
			}
		}
	}
	step.Stop()
	in.Close()
	for range total {
		select {
		case <-seen:
		case <-time.After(10 * time.Second):
			return fmt.Errorf("%s: events did not come out", name)
		}
	}
	if err := wait(); err != nil {
		return err
	}
	fmt.Println(name)
	report("   lone events", took[50:50+lone])
	report(fmt.Sprintf("   %d events/s", rate), took[50+lone:])
	return nil
}

func report(what string, took []atomic.Int64) {
	d := make([]int64, len(took))
	for i := range took {
		d[i] = took[i].Load()
	}
	slices.Sort(d)
	ms := func(q float64) float64 { return float64(d[int(q*float64(len(d)-1))]) / 1e6 }
	fmt.Printf("%-20s n %6d   p50 %7.3f ms   p90 %7.3f ms   p99 %7.3f ms   max %7.3f ms\n",
		what, len(d), ms(0.5), ms(0.9), ms(0.99), ms(1))
}

// receive finds each event's number in the chain's output.
func receive(out io.Reader, sent, took []atomic.Int64, seen chan<- int) {
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		l, err := r.ReadString('\n')
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		_, rest, ok := strings.Cut(l, "seq=")
		num, _, ok2 := strings.Cut(rest, ";")
		n, err := strconv.Atoi(num)
		// An alert that quotes its event comes behind it; the event counts.
		if !ok || !ok2 || err != nil || n >= len(took) || took[n].Load() != 0 {
			continue
		}
		took[n].Store(now - sent[n].Load())
		seen <- n
	}
}

// start runs the processes joined by pipes.
func start(procs [][]string) (in io.WriteCloser, out io.Reader, wait func() error, err error) {
	rd, wr, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	in = wr
	var cmds []*exec.Cmd
	for _, p := range procs {
		c := exec.Command(p[0], p[1:]...)
		c.Stdin, c.Stderr = rd, os.Stderr
		next, w, err := os.Pipe()
		if err != nil {
			return nil, nil, nil, err
		}
		c.Stdout = w
		if err := c.Start(); err != nil {
			return nil, nil, nil, err
		}
		_ = rd.Close()
		_ = w.Close()
		rd = next
		cmds = append(cmds, c)
	}
	return in, rd, func() error {
		for _, c := range cmds {
			if err := c.Wait(); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
