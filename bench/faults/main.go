// Command faults runs the long form of the fault harness (test/faults) against programs that it builds, and logs what it ran:
//
//	go run ./bench/faults -kills 1000 -seed 7              the kill test alone: a kill takes about a third of a second
//	go run ./bench/faults -kills 1000 -seed 7 -all         every fault, at every fsync and every byte
//
// It needs what `make setup` installs. It exits with the status of the tests.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	kills := flag.Int("kills", 1000, "kill `N` times, over all forms of the pipe")
	seed := flag.Int64("seed", time.Now().Unix(), "begin the random choices at `SEED`")
	rate := flag.Int("rate", 1000, "feed each chain `N` lines a second")
	all := flag.Bool("all", false, "run every other fault too, in its long form")
	run := flag.String("run", "", "run only the tests that match `REGEXP`, in their long form")
	flag.Parse()
	code, err := long(*kills, *seed, *rate, *all, *run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// long builds the programs, runs the tests and returns their exit status.
func long(kills int, seed int64, rate int, all bool, run string) (int, error) {
	bin, err := os.MkdirTemp("", "leat-faults-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	if out, err := exec.Command("go", "build", "-trimpath", "-o", bin+"/", "./cmd/leat").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build: %w: %s", err, out)
	}
	python, err := filepath.Abs(".cache/python/bin/python")
	if err != nil {
		return 0, err
	}
	if p := os.Getenv("LEAT_PYTHON"); p != "" {
		python = p
	} else if _, err := os.Stat(python); err != nil {
		python = "python3"
	}
	switch {
	case run != "":
	case all:
		run = "."
	default:
		run = "^(TestKill|TestZombiePersist)$"
	}
	began := time.Now()
	fmt.Printf("faults: commit %s, seed %d, %d kills, tests %q, %s\n", commit(), seed, kills, run, began.Format(time.RFC3339))
	cmd := exec.Command("go", "test", "-count=1", "-timeout", "4h", "-v", "-run", run, "./test/faults")
	cmd.Env = append(os.Environ(), "LEAT_BIN="+bin, "LEAT_PYTHON="+python, "LEAT_LONG=1", "LEAT_TAKEOVERS=20", "LEAT_PAUSE_MS=5000",
		fmt.Sprint("LEAT_KILLS=", kills), fmt.Sprint("LEAT_SEED=", seed), fmt.Sprint("LEAT_RATE=", rate))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	fmt.Printf("faults: exit status %d after %v\n", cmd.ProcessState.ExitCode(), time.Since(began).Round(time.Second))
	return cmd.ProcessState.ExitCode(), nil
}

// commit names what is tested; a tree with changes says so.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
