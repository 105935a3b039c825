// Command enrich measures the program enrich with tables of real size: a million users, a million CIDR blocks, ten million
// indicators, and three joins with a CIDR match; each started cold (from its file) and warm (from the snapshot that a run
// before left).
//
//	make build && go run ./bench/enrich
//	go run ./bench/enrich -indicators 1000000 -only users,cidr
//
// Printed are, of each: the wall time of a start without any event (cold, warm), CPU seconds per million events net of
// the start, and the memory. Beside it, where it is installed, jaq on the join with the users.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	bin, dir, only      string
	events, users, nets int
	indicators, runs    int
	jaq                 string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/enrich", "the built program")
	flag.StringVar(&o.dir, "dir", "", "keep the data here; empty: a temporary folder")
	flag.StringVar(&o.only, "only", "pass,users,cidr,four,indicators", "which works")
	flag.IntVar(&o.events, "n", 200_000, "events")
	flag.IntVar(&o.users, "users", 1_000_000, "users")
	flag.IntVar(&o.nets, "nets", 1_000_000, "CIDR blocks")
	flag.IntVar(&o.indicators, "indicators", 10_000_000, "indicators")
	flag.IntVar(&o.runs, "runs", 3, "runs of each; the lowest is printed")
	flag.StringVar(&o.jaq, "jaq", "jaq", "the peer, if it is there")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/enrich:", err)
		os.Exit(1)
	}
}

// work is one configuration.
type work struct{ name, yaml string }

func works() []work {
	const users = "  users: {file: users.csv, key: [id, sam, email], fold: true}\n"
	const nets = "  nets: {file: nets.csv, key: cidr, join: cidr}\n"
	const ruleUsers = "  - {field: user.id, dimension: users, set: {user.full_name: name, user.email: email, user.department: department}}\n"
	const ruleNets = "  - {field: source.ip, dimension: nets, set: {source.geo.name: site}}\n"
	return []work{
		{"pass", "dimensions:\n  one: {file: one.csv, key: id}\nrules:\n  - {field: no.such.field, dimension: one, set: {user.title: title}}\n"},
		{"users", "dimensions:\n" + users + "rules:\n" + ruleUsers},
		{"cidr", "dimensions:\n" + nets + "rules:\n" + ruleNets},
		{"four", "dimensions:\n" + users + nets + "  hosts: {file: hosts.csv, key: name, fold: true}\n  titles: {file: one.csv, key: id}\nrules:\n" + ruleUsers + ruleNets +
			"  - {field: host.name, dimension: hosts, status: true, set: {host.function: function, host.owner: owner}}\n" +
			"  - {field: event.action, dimension: titles, status: true, set: {user.title: title}}\n"},
		{"indicators", "dimensions:\n  ioc: {intel: {feeds: [{name: bench, file: indicators.txt, format: list}]}}\nrules:\n  - {dimension: ioc}\n"},
	}
}

func run(o *options) error {
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "bench-enrich"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := data(o, dir); err != nil {
		return err
	}
	fmt.Printf("%d events of %.0f bytes; %d users with 3 keys each, %d CIDR blocks, %d indicators; lowest of %d runs\n\n",
		o.events, size(filepath.Join(dir, "events.ndjson"))/float64(o.events), o.users, o.nets, o.indicators, o.runs)
	fmt.Println("| work | cold start, s | warm start, ms | CPU s per million events | RSS cold, MB | RSS warm, MB | snapshot, MB |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, w := range works() {
		if !slices.Contains(strings.Split(o.only, ","), w.name) {
			continue
		}
		if err := measure(o, dir, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return peer(o, dir)
}

// cost is what one process took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // bytes
}

func least(a, b cost) cost {
	if a.wall == 0 {
		return b
	}
	return cost{min(a.wall, b.wall), min(a.cpu, b.cpu), min(a.rss, b.rss)}
}

func process(in, dir string, argv ...string) (cost, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "GOMAXPROCS=2"), os.Stderr
	f, err := os.Open(in)
	if err != nil {
		return cost{}, err
	}
	defer f.Close()
	cmd.Stdin = f
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, err
	}
	ru := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), ru.Maxrss * 1024}, nil
}

func measure(o *options, dir string, w work) error {
	config := filepath.Join(dir, w.name+".yaml")
	if err := os.WriteFile(config, []byte(w.yaml), 0o600); err != nil {
		return err
	}
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	state := filepath.Join(dir, w.name+".state")
	events := filepath.Join(dir, "events.ndjson")
	argv := []string{bin, "-c", config, "--state", state, "--log-level", "error"}
	var cold, warm, full cost
	for range o.runs {
		if err := os.RemoveAll(state); err != nil {
			return err
		}
		c, err := process(os.DevNull, dir, argv...)
		if err != nil {
			return err
		}
		cold = least(cold, c)
		if c, err = process(os.DevNull, dir, argv...); err != nil {
			return err
		}
		warm = least(warm, c)
		if c, err = process(events, dir, argv...); err != nil {
			return err
		}
		full = least(full, c)
	}
	fmt.Printf("| %s | %.2f | %.0f | %.2f | %d | %d | %d |\n", w.name, cold.wall.Seconds(), warm.wall.Seconds()*1e3,
		(full.cpu-warm.cpu).Seconds()/float64(o.events)*1e6, cold.rss>>20, full.rss>>20, snapshotSize(state)>>20)
	return nil
}

func snapshotSize(state string) (n int64) {
	files, _ := filepath.Glob(filepath.Join(state, "enrich", "dimensions", "*.dimension"))
	for _, f := range files {
		n += int64(size(f))
	}
	return n
}

func size(path string) float64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(fi.Size())
}

// peer does the join with the users in jaq: its table is read as JSON at each start.
func peer(o *options, dir string) error {
	bin, err := exec.LookPath(o.jaq)
	if err != nil || !slices.Contains(strings.Split(o.only, ","), "users") {
		fmt.Println("\njaq: not measured")
		return nil
	}
	const filter = `$users[0][.user.id] as $u | if $u then .user += {full_name: $u.name, email: $u.email, department: $u.department} else . end`
	argv := []string{bin, "-c", "--slurpfile", "users", "users.json", filter}
	var empty, full cost
	for range o.runs {
		c, err := process(os.DevNull, dir, argv...)
		if err != nil {
			return err
		}
		empty = least(empty, c)
		if c, err = process(filepath.Join(dir, "events.ndjson"), dir, argv...); err != nil {
			return err
		}
		full = least(full, c)
	}
	fmt.Printf("\njaq, join with the users: start %.2f s, %.2f CPU s per million events, %d MB\n", empty.wall.Seconds(),
		(full.cpu-empty.cpu).Seconds()/float64(o.events)*1e6, full.rss>>20)
	return nil
}

// data writes the tables and the events, unless they are there.
func data(o *options, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "events.ndjson")); err == nil {
		return nil
	}
	r := rand.New(rand.NewPCG(1, 2))
	files := []struct {
		name string
		fill func(w *bufio.Writer)
	}{
		{"users.csv", func(w *bufio.Writer) {
			fmt.Fprintln(w, "id,sam,name,email,department,office")
			for i := range o.users {
				fmt.Fprintf(w, "u%07d,s%07d,First%d Last%d,first%d.last%d@corp.example,department %d,%s\n", i, i, i%977, i, i%977, i, i%300, []string{"Budapest", "Dublin", "Porto"}[i%3])
			}
		}},
		{"users.json", func(w *bufio.Writer) {
			sep := "{"
			for i := range o.users {
				fmt.Fprintf(w, `%s"u%07d":{"name":"First%d Last%d","email":"first%d.last%d@corp.example","department":"department %d"}`, sep, i, i%977, i, i%977, i, i%300)
				sep = ",\n"
			}
			fmt.Fprintln(w, "}")
		}},
		{"hosts.csv", func(w *bufio.Writer) {
			fmt.Fprintln(w, "name,function,owner")
			for i := range 20_000 {
				fmt.Fprintf(w, "ws-%05d.corp.example,workstation,First%d\n", i, i)
			}
		}},
		{"one.csv", func(w *bufio.Writer) { fmt.Fprintln(w, "id,title\nFileAccessed,Reader") }},
		{"nets.csv", func(w *bufio.Writer) {
			fmt.Fprintln(w, "cidr,site")
			for i := range o.nets {
				fmt.Fprintf(w, "%d.%d.%d.0/%d,site %d\n", 1+i>>16, i>>8&255, i&255, 23+i%3, i%5000)
			}
		}},
		{"indicators.txt", func(w *bufio.Writer) {
			for i := range o.indicators {
				switch i % 4 {
				case 0:
					fmt.Fprintf(w, "%d.%d.%d.%d\n", 11+r.IntN(100), r.IntN(256), r.IntN(256), r.IntN(256))
				case 1:
					fmt.Fprintf(w, "h%d-%x.example.net\n", i, r.Uint32())
				case 2:
					fmt.Fprintf(w, "%016x%016x%016x%016x\n", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
				default:
					fmt.Fprintf(w, "http://h%d.example.org/%x\n", i, r.Uint32())
				}
			}
		}},
		{"events.ndjson", func(w *bufio.Writer) { write(w, r, o, o.events) }},
	}
	for _, f := range files {
		if err := fill(filepath.Join(dir, f.name), f.fill); err != nil {
			return err
		}
	}
	return nil
}

// write writes events of about 850 bytes, with an address, a name and a hash that intelligence is looked up for; one key in
// twenty is unknown.
func write(w *bufio.Writer, r *rand.Rand, o *options, n int) {
	for range n {
		fmt.Fprintf(w, `{"@timestamp":"2026-11-23T00:00:%02d.017Z","event":{"action":"FileAccessed","outcome":"success","kind":"event","id":"%08x4c7b4a01a5d200a2b8c4d6e8"},"user":{"id":"u%07d"},"source":{"ip":"%d.%d.%d.%d","port":%d},"host":{"name":"ws-%05d.corp.example"},"dns":{"question":{"name":"h%d.files.example.com"}},"file":{"name":"%05d.xlsx","hash":{"sha256":"%016x%016x%016x%016x"}},"url":{"full":"https://files.example.com/hr/%d"},"user_agent":{"original":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},"observer":{"vendor":"Microsoft"},"OrganizationId":"5f1e0b4c-8a0b-4a7e-9d0b-1f0d6a1c2b3e","Workload":"SharePoint","requestParameters":{"bucketName":"payroll-%d","roleArn":"arn:aws:iam::123456789012:role/svc-%d"}}`+"\n",
			r.IntN(60), r.Uint32(), r.IntN(o.users*105/100), 1+r.IntN(17), r.IntN(256), r.IntN(256), r.IntN(256), 1024+r.IntN(60000), r.IntN(21000), r.IntN(1e6), r.IntN(99999),
			r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.IntN(1e6), r.IntN(40), r.IntN(90))
	}
}

func fill(path string, write func(w *bufio.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	write(w)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
