// Command gen writes the seeded data that the benchmarks run on: audit records, sshd lines, key=value and CEF firewall lines,
// normal events, and the table of users to join. The same -n gives the same bytes on every machine.
//
//	go run ./bench/gen -n 1000000 -dir /tmp/leat-bench
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

func main() {
	n := flag.Int("n", 1_000_000, "events a file")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "leat-bench"), "folder to write to")
	flag.Parse()
	if err := write(*dir, *n); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// users is how many people the table has; events name 5 % more, which no join finds.
const (
	users     = 100_000
	usersSeen = 105_000
)

// file is one of the data sets: n lines, each from its number, the time it is of, and a random source of the file's own.
type file struct {
	name string
	n    int
	line func(b []byte, r *rand.Rand, i int, at time.Time) []byte
}

func files(n int) []file {
	return []file{
		{"audit.ndjson", n, audit},
		{"sshd.log", n, sshd},
		{"fortigate.log", n, fortigate},
		{"cef.log", n, cef},
		{"ecs.ndjson", n, ecs},
		{"cloudtrail.ndjson", n, cloudtrail},
		{"users.csv", users + 1, user},
		{"users.json", users + 1, userJSON},
	}
}

func write(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files(n) {
		if err := f.write(dir); err != nil {
			return err
		}
	}
	return nil
}

// write makes the file under another name first, so that an interrupted run leaves none that looks whole.
func (f *file) write(dir string) error {
	path := filepath.Join(dir, f.name)
	out, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	seed := fnv.New64a()
	seed.Write([]byte(f.name))
	r := rand.New(rand.NewPCG(7, seed.Sum64()))
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	var line []byte
	for i := range f.n {
		line = f.line(line[:0], r, i, start.Add(time.Duration(i)*17*time.Millisecond))
		if _, err := w.Write(append(line, '\n')); err != nil {
			return errors.Join(err, out.Close())
		}
	}
	if err := errors.Join(w.Flush(), out.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
