package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"leat/pkg/lake"
)

var fieldName = regexp.MustCompile(`\{(\w+)\.(\w+)\}`)

// figures are what one process took.
type figures struct {
	user, sys, wall time.Duration
	rss, out        int64 // bytes
	files           int
}

func (f *figures) cpu() time.Duration { return f.user + f.sys }

// bench is one run of the command.
type bench struct {
	o      *options
	in     string
	copied string // what the lossy way wrote, partitioned
	lake   string
}

// process runs a command with in, if given, as its input.
func (b *bench) process(in string, argv ...string) (figures, []byte, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	if in != "" {
		f, err := os.Open(in)
		if err != nil {
			return figures{}, nil, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	begin := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return figures{}, nil, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	f := figures{wall: time.Since(begin), user: cmd.ProcessState.UserTime(), sys: cmd.ProcessState.SystemTime()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.rss = u.Maxrss << 10
	}
	return f, out, nil
}

func (b *bench) child(what string, args ...string) (figures, []byte, error) {
	self, err := os.Executable()
	if err != nil {
		return figures{}, nil, err
	}
	return b.process("", append([]string{self, "-memory", strconv.FormatInt(b.o.memory, 10), "-child", what}, args...)...)
}

// bins are the folders of the persists to measure; the last is asked and stressed.
func (b *bench) bins() []string { return strings.Split(b.o.bin, ",") }

// fresh returns an empty folder's path that is not there yet.
func (b *bench) fresh(name string) (string, error) {
	path := filepath.Join(b.o.dir, name)
	return path, os.RemoveAll(path)
}

func (b *bench) persist(bin, in string, events int) (figures, error) {
	dir, err := b.fresh("lake")
	if err != nil {
		return figures{}, err
	}
	b.lake = dir
	f, _, err := b.process(in, filepath.Join(bin, "persist"), "--lake", dir, "--log-level", "error")
	if err != nil {
		return f, err
	}
	l, err := lake.Open(dir)
	if err != nil {
		return f, err
	}
	s, err := l.State()
	if err != nil {
		return f, err
	}
	var rows int64
	f.files, rows, f.out = s.Totals()
	if rows != int64(events) {
		return f, fmt.Errorf("%d rows are committed of %d", rows, events)
	}
	return f, nil
}

func (b *bench) lossy(what string) (figures, error) {
	dir, err := b.fresh(what)
	if err != nil {
		return figures{}, err
	}
	if what == "copy-partitioned" {
		b.copied = dir
	}
	f, _, err := b.child(what, b.in, dir)
	if err != nil {
		return f, err
	}
	for _, p := range parquets(dir) {
		if info, err := os.Stat(p); err == nil {
			f.out += info.Size()
			f.files++
		}
	}
	return f, os.RemoveAll(dir + ".tmp")
}

func parquets(dir string) (paths []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}

// compare prints the table of writers.
func (b *bench) compare() error {
	type row struct {
		name string
		run  func() (figures, error)
	}
	rows := []row{
		{"cat, to nowhere", func() (figures, error) { f, _, err := b.child("cat", b.in); return f, err }},
		{"lossy COPY, one file", func() (figures, error) { return b.lossy("copy") }},
		{"lossy COPY, PARTITION_BY", func() (figures, error) { return b.lossy("copy-partitioned") }},
	}
	for _, bin := range b.bins() {
		name := "persist: every field, committed, fsynced"
		if len(b.bins()) > 1 {
			name += " (" + bin + ")"
		}
		rows = append(rows, row{name, func() (figures, error) { return b.persist(bin, b.in, b.o.n) }})
	}
	best := make([]figures, len(rows))
	for round := range b.o.rounds {
		for i, r := range rows {
			f, err := r.run()
			if err != nil {
				return err
			}
			if round == 0 || f.cpu() < best[i].cpu() {
				best[i] = f
			}
		}
	}
	fmt.Println("| | CPU s / 1M (user + system) | against COPY PARTITION_BY | against COPY to one file | wall s | events/s | peak RSS MB | files | MB out |\n|---|---|---|---|---|---|---|---|---|")
	million := float64(b.o.n) / 1e6
	for i, r := range rows {
		f := &best[i]
		fmt.Printf("| %s | %.2f (%.2f + %.2f) | %.2f | %.2f | %.1f | %.0f | %d | %d | %.1f |\n", r.name, f.cpu().Seconds()/million, f.user.Seconds()/million, f.sys.Seconds()/million,
			f.cpu().Seconds()/best[2].cpu().Seconds(), f.cpu().Seconds()/best[1].cpu().Seconds(), f.wall.Seconds(), float64(b.o.n)/f.wall.Seconds(), f.rss>>20, f.files, float64(f.out)/1e6)
	}
	return nil
}

// queries prints what the same questions take over what both wrote.
func (b *bench) queries() error {
	_, ours, err := b.child("queries", "lake", b.lake)
	if err != nil {
		return err
	}
	_, theirs, err := b.child("queries", append([]string{"flat"}, parquets(b.copied)...)...)
	if err != nil {
		return err
	}
	left, right := strings.Fields(string(ours)), strings.Fields(string(theirs))
	fmt.Println("\nDuckDB over the files, ms, best of 5:\n\n| | persist's files | lossy files |\n|---|---|---|")
	for i, q := range questions() {
		fmt.Printf("| %s | %s | %s |\n", q.name, left[i], right[i])
	}
	return nil
}

// stress prints what persist takes for inputs that are not easy.
func (b *bench) stress(list []workload) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Println("\n| persist, other inputs | CPU s / 1M | wall s | peak RSS MB | files | MB out |\n|---|---|---|---|---|---|")
	for _, w := range list {
		in, _, err := w.file(b.o.dir)
		if err != nil {
			return err
		}
		f, err := b.persist(b.bins()[len(b.bins())-1], in, w.n)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Printf("| %s | %.2f | %.1f | %d | %d | %.1f |\n", w.name, f.cpu().Seconds()/float64(w.n)*1e6, f.wall.Seconds(), f.rss>>20, f.files, float64(f.out)/1e6)
	}
	return nil
}
