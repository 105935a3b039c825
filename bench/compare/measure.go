package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// figures are what one run of a row took, all of its processes together.
type figures struct {
	cpu, wall time.Duration
	rss       int64 // bytes; of a pipe, the sum of the processes' peaks
}

// measure runs the processes of a pipe and waits for all of them. Each is a line of shell; the last one's standard output goes to
// out, or nowhere. Peak memory is what the kernel counted for each process: at least that of this program, out of which it was
// started, so this one stays small and leaves comparing outputs to a process of its own.
func (b *bench) measure(pipe []string, out *os.File) (figures, error) {
	var f figures
	var cmds []*exec.Cmd
	var from *os.File
	said := make([]bytes.Buffer, len(pipe)) // of each process: they write at the same time
	began := time.Now()
	for i, line := range pipe {
		c := exec.Command("sh", "-c", "exec "+line)
		c.Dir, c.Env, c.Stderr = b.o.dir, b.env, &said[i]
		if from != nil {
			c.Stdin = from
		}
		var next, w *os.File
		var err error
		if i < len(pipe)-1 {
			if next, w, err = os.Pipe(); err != nil {
				return f, err
			}
			c.Stdout = w
		} else if out != nil {
			c.Stdout = out
		}
		if err := c.Start(); err != nil {
			return f, err
		}
		for _, end := range []*os.File{from, w} {
			if end != nil {
				_ = end.Close()
			}
		}
		from = next
		cmds = append(cmds, c)
	}
	var errs []error
	for i, c := range cmds {
		if err := c.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w: %s", pipe[i], err, last(said[i].String())))
		}
		f.cpu += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			f.rss += u.Maxrss << 10
		}
	}
	f.wall = time.Since(began)
	return f, errors.Join(errs...)
}

func last(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// median of a list; of an even number the mean of the two in the middle.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// result is what the rounds of one row came to.
type result struct {
	row    *row
	n      int
	runs   []figures
	idle   time.Duration // CPU with one event as input: start-up
	agrees string
	err    error
}

// perMillion is the median of the CPU seconds per million events; net leaves start-up out.
func (r *result) perMillion(net bool) float64 {
	var list []float64
	for i := range r.runs {
		list = append(list, r.cost(i, net))
	}
	return median(list)
}

func (r *result) cost(round int, net bool) float64 {
	cpu := r.runs[round].cpu
	if net {
		cpu -= r.idle
	}
	return max(0, cpu.Seconds()) / float64(r.n) * 1e6
}

// ratio is the median over the rounds of how many times more this row took than base in the same round, net of start-up.
func (r *result) ratio(base *result) float64 {
	var list []float64
	for i := range min(len(r.runs), len(base.runs)) {
		if c := base.cost(i, true); c > 0 {
			list = append(list, r.cost(i, true)/c)
		}
	}
	return median(list)
}

// rate is events a second of wall time, start-up included.
func (r *result) rate() float64 {
	var list []float64
	for _, f := range r.runs {
		list = append(list, float64(r.n)/f.wall.Seconds())
	}
	return median(list)
}

func (r *result) rss() float64 {
	var list []float64
	for _, f := range r.runs {
		list = append(list, float64(f.rss)/(1<<20))
	}
	return median(list)
}
