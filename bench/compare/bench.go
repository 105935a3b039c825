package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sample is how many events each row's output is compared on, where its work says nothing else.
const sample = 5_000

// bench is one run of the command.
type bench struct {
	o      *options
	out    io.Writer // the report
	env    []string
	absent map[string]bool // peers that were asked for and are not installed
	tables []measured
}

// measured is a work with what its rows came to.
type measured struct {
	work    *work
	results []*result
}

// prepare makes what the rows read: the data, the programs of bench/work, the Sigma rules, and the environment.
func (b *bench) prepare() error {
	if _, err := os.Stat(filepath.Join(b.o.bin, "normalize")); err != nil {
		return fmt.Errorf("no programs in %s; make build makes them: %w", b.o.bin, err)
	}
	if err := os.MkdirAll(b.o.dir, 0o755); err != nil {
		return err
	}
	stamp := filepath.Join(b.o.dir, "n")
	if have, err := os.ReadFile(stamp); err != nil || string(have) != strconv.Itoa(b.o.n) {
		if err := clean(b.o.dir); err != nil {
			return err
		}
		if err := b.tell("go", "run", "./bench/gen", "-n", strconv.Itoa(b.o.n), "-dir", b.o.dir); err != nil {
			return err
		}
		if err := os.WriteFile(stamp, []byte(strconv.Itoa(b.o.n)), 0o644); err != nil {
			return err
		}
	}
	if err := os.CopyFS(b.o.dir, fresh{os.DirFS(filepath.Join("bench", "work")), b.o.dir}); err != nil {
		return err
	}
	if err := b.tell("go", "build", "-o", filepath.Join(b.o.dir, "tools")+string(filepath.Separator), "./bench/chain"); err != nil {
		return err
	}
	b.env = append(os.Environ(),
		"PATH="+strings.Join([]string{filepath.Join(b.o.dir, "tools"), b.o.bin, filepath.Join(b.o.cache, "bin"), os.Getenv("PATH")}, ":"),
		"PYTHONPATH="+filepath.Join(b.o.cache, "py"))
	b.absent = map[string]bool{}
	return b.sigma()
}

// sigma lays the rules in one folder and unpacks the events, where the shared folder has them.
func (b *bench) sigma() error {
	from := filepath.Join(b.o.shared, "sigma")
	if _, err := os.Stat(filepath.Join(from, "events")); err != nil {
		return nil
	}
	for _, dir := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		to := filepath.Join(b.o.dir, "sigma", dir)
		if _, err := os.Stat(to); err == nil {
			continue
		}
		if err := os.CopyFS(to, os.DirFS(filepath.Join(from, dir))); err != nil {
			return err
		}
	}
	events := filepath.Join(b.o.dir, "win.ndjson")
	if _, err := os.Stat(events); err == nil {
		return nil
	}
	return b.tell("sh", "-c", "gzip -dc "+filepath.Join(from, "events", "win-209k.ndjson.gz")+" > "+events+".part && mv "+events+".part "+events)
}

// tell runs a command, and shows what it says on standard error.
func (b *bench) tell(argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return nil
}

// installed tells whether a peer is there: a program, or a Python package as py/NAME.
func (b *bench) installed(prog string) bool {
	if prog == "" {
		return true
	}
	if b.o.peers != "yes" {
		return false
	}
	if !b.lookUp(prog) {
		b.absent[prog] = true
		return false
	}
	return true
}

func (b *bench) lookUp(prog string) bool {
	if pkg, ok := strings.CutPrefix(prog, "py/"); ok {
		_, err := os.Stat(filepath.Join(b.o.cache, "py", pkg))
		return err == nil
	}
	c := exec.Command("sh", "-c", "command -v "+prog)
	c.Env = b.env
	return c.Run() == nil
}

// input returns the name of a file, within the folder, with the first n events of w's data; wrapped is each line as the member
// message of an object.
func (b *bench) input(w *work, n int, wrapped bool) (string, error) {
	name := w.in
	if n < b.all(w) {
		name += "." + strconv.Itoa(n)
	}
	if wrapped {
		name += ".wrapped"
	}
	path := filepath.Join(b.o.dir, name)
	if _, err := os.Stat(path); err == nil {
		return name, nil
	}
	// By other programs, so that this one stays small (see measure).
	script := fmt.Sprintf("head -n %d %s", n, filepath.Join(b.o.dir, w.in))
	if wrapped {
		script += ` | sed 's/[\\"]/\\&/g; s/.*/{"message":"&"}/'`
	}
	return name, b.tell("sh", "-c", script+" > "+path+".part && mv "+path+".part "+path)
}

// sample is how many events of w are compared.
func (b *bench) sample(w *work) int { return min(cmp.Or(w.sample, sample), b.all(w)) }

// all is how many events there are for w.
func (b *bench) all(w *work) int {
	if w.max > 0 {
		return w.max
	}
	return b.o.n
}

// selfMeasured runs a program that measures by itself.
func (b *bench) selfMeasured(w *work) error {
	argv := make([]string, len(w.report))
	for i, a := range w.report {
		argv[i] = strings.NewReplacer("{bin}", b.o.bin, "{n}", strconv.Itoa(b.o.n)).Replace(a)
	}
	var said bytes.Buffer
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdout, c.Stderr = &said, os.Stderr
	err := c.Run()
	text := strings.TrimRight(said.String(), "\n")
	if !strings.Contains(text, "|--") {
		text = "```\n" + text + "\n```"
	}
	fmt.Fprintf(b.out, "%s\n\n    %s\n\n", text, strings.NewReplacer("{bin}", "bin", "{n}", strconv.Itoa(b.o.n)).Replace(strings.Join(w.report, " ")))
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return nil
}
