package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chainRule raises an alert when the canary has logged in five times within ten minutes: what detect remembers decides.
const chainRule = `title: The canary logged in
id: 6f1c3a52-6f0e-4d6e-9d0c-4b5a6c7d8e9f
name: canary
status: test
logsource: {product: linux}
detection:
  login: {user.name: canary, event.outcome: success}
  condition: login
level: low
---
title: The canary logged in often
id: 0b4c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3
correlation:
  type: event_count
  rules: [canary]
  group-by: [user.name]
  timespan: 10m
  condition: {gte: 5}
level: high
`

// previously learns from where each user came, and writes to the next event of his the address of the one before: it depends on
// exactly what was learned.
const previously = `dimensions:
  came: {learn: {from: [{when: {event.action: ssh_login}, key: user.name, set: {from: source.ip}, for: 8760h}]}}
rules:
  - {field: user.name, dimension: came, set: {source.geo.name: from}}
`

// hours is a log of n lines, a second apart.
func hours(n int) string {
	var b strings.Builder
	for i := range n {
		at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
		b.WriteString(strings.Replace(line(int64(i+1)), "Nov 24 08:17:44", at.Format("Jan _2 15:04:05"), 1))
	}
	return b.String()
}

// remembering is a site with a pipe whose stages remember, and a lake, calm, that it filled undisturbed.
func remembering(t *testing.T, n int) (s *site, argvs func(lake, state string) [][]string) {
	t.Helper()
	s = newSite(t)
	write(t, s.dir, "often/rules.yml", chainRule)
	write(t, s.dir, "playbook.yaml", playbook)
	write(t, s.dir, "enrich.yaml", previously)
	in := write(t, s.dir, "in.log", hours(n))
	argvs = func(lake, state string) [][]string {
		return [][]string{
			{s.leat, "ingest", "--resume", lake, "--mark-every", "50", in}, {s.leat, "normalize"},
			{s.leat, "enrich", "-c", s.path("enrich.yaml"), "--state", state},
			{s.leat, "detect", "-r", s.path("often"), "--state", state},
			{s.leat, "respond", "-c", s.path("playbook.yaml"), "--enforce", "--state", state},
			{s.leat, "persist", "--lake", lake},
		}
	}
	for _, c := range s.pipe(t, argvs(s.path("calm"), s.path("calm-state"))) {
		if err := c.Wait(); err != nil {
			t.Fatalf("%v: %v", c.Args, err)
		}
	}
	return s, argvs
}

// TestKillState kills stages that remember: what enrich learned, detect's windows and respond's journal. The events, alerts and steps in the
// lake are those of a run that nobody disturbed, each once.
func TestKillState(t *testing.T) {
	t.Parallel()
	s, argvs := remembering(t, 4000)
	seed := uint64(envInt("LEAT_SEED", int(time.Now().UnixNano())))
	r := rand.New(rand.NewPCG(seed, 98))
	kills := 0
	for over := false; !over && kills < 200; {
		from := s.pipeline(t).Mark
		run := s.pipe(t, argvs(s.cfg.Lake, s.cfg.State))
		ended := make(chan bool, 1)
		go func() {
			well := true
			for _, c := range run {
				well = c.Wait() == nil && well
			}
			ended <- well
		}()
		s.waitFor(t, "no marks", func() bool { return s.pipeline(t).Mark > from || len(ended) > 0 })
		time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
		if i := r.IntN(len(run)); len(ended) == 0 && run[i].Process.Signal(syscall.SIGKILL) == nil {
			kills++
		}
		over = <-ended
	}
	if calm, now := s.told(t, s.path("calm")), s.told(t, s.cfg.Lake); calm != now || !strings.Contains(calm, "often") {
		t.Errorf("behind %d kills the lake holds\n%s\nundisturbed\n%s", kills, now, calm)
	}
	if calm, now := s.learned(t, s.path("calm")), s.learned(t, s.cfg.Lake); calm != now || strings.Contains(calm, "\n0,") {
		t.Errorf("behind %d kills, from what was learned:\n%s\nundisturbed\n%s", kills, now, calm)
	}
	fmt.Printf("faults: %d kills of stages that remember: the same events, alerts and steps, each once\n", kills)
}

// told counts what the lake holds, and how much of it is different, by rule and action.
func (s *site) told(t *testing.T, lake string) string {
	t.Helper()
	out, err := exec.Command(s.leat, "query", "--lake", lake, "--csv",
		`SELECT coalesce(rule.name, '') AS rule, coalesce(event.action, '') AS action, event.kind AS kind, count(*) AS n, count(DISTINCT event.id) AS ids
		FROM everything GROUP BY ALL ORDER BY ALL`).CombinedOutput()
	if err != nil {
		t.Fatalf("query: %v: %s", err, out)
	}
	return string(out)
}

// learned returns what enrich wrote to the events from what it had learned, and how many have it.
func (s *site) learned(t *testing.T, lake string) string {
	t.Helper()
	out, err := exec.Command(s.leat, "query", "--lake", lake, "--csv",
		`SELECT count(rest->>'$.source.geo.name') AS n, md5(string_agg(event.id || ' ' || coalesce(rest->>'$.source.geo.name', '-'), ',' ORDER BY event.id)) AS digest FROM events WHERE event.action = 'ssh_login'`).CombinedOutput()
	if err != nil {
		t.Fatalf("query: %v: %s", err, out)
	}
	return string(out)
}

// TestTornState tears what enrich, detect and respond keep, as a power loss on a disk that lied would. What is needed for the committed mark and is
// gone is told, with exit status 2; else the run goes on, and the lake holds the same alerts and steps. Only respond, whose journal notes
// no mark at which it had nothing new to tell, may tell the steps again whose end was lost, under the same ids.
func TestTornState(t *testing.T) {
	t.Parallel()
	s, argvs := remembering(t, 2000)
	run := s.pipe(t, argvs(s.cfg.Lake, s.cfg.State))
	s.waitFor(t, "no marks", func() bool { return s.pipeline(t).Mark >= 15 })
	_ = run[len(run)-1].Process.Kill()
	for _, c := range run {
		_ = c.Wait()
	}
	undisturbed := s.told(t, s.path("calm"))
	var files []string
	for _, pattern := range []string{"enrich/learned/enrich/default/log-*", "detect/default/log-*", "respond/default/journal"} {
		found, err := filepath.Glob(filepath.Join(s.cfg.State, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no such file; %v", pattern, err)
		}
		files = append(files, found[len(found)-1])
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, cut := range cuts(len(whole)) {
			kind := []string{"cut", "zeros", "garbage"}[i%3]
			dir := t.TempDir()
			if out, err := exec.Command("cp", "-a", s.cfg.Lake, s.cfg.State, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			rel, err := filepath.Rel(s.dir, file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, rel), tails[kind](whole, cut), 0o600); err != nil {
				t.Fatal(err)
			}
			calm := undisturbed
			lake, well := filepath.Join(dir, "lake"), true
			var codes []int
			for _, c := range s.pipe(t, argvs(lake, filepath.Join(dir, "state"))) {
				well = c.Wait() == nil && well
				codes = append(codes, c.ProcessState.ExitCode())
			}
			now := ""
			if well {
				now = s.told(t, lake)
			} else if codes[2] != 2 && codes[3] != 2 && codes[4] != 2 && codes[4] != 3 {
				t.Errorf("%s, %s at byte %d of %d: exit statuses %v", rel, kind, cut, len(whole), codes)
			}
			if strings.HasPrefix(rel, "state/respond") {
				now, calm = differentOnly(now), differentOnly(calm)
			}
			if well && s.learned(t, lake) != s.learned(t, s.path("calm")) {
				t.Errorf("%s, %s at byte %d of %d: other things were learned", rel, kind, cut, len(whole))
			}
			if well && now != calm {
				t.Errorf("%s, %s at byte %d of %d: the lake holds\n%s\nundisturbed\n%s", rel, kind, cut, len(whole), now, calm)
			}
			fmt.Printf("faults: %s of %d bytes, %s at %d: exit statuses %v\n", rel, len(whole), kind, cut, codes)
			_ = os.RemoveAll(dir)
		}
	}
}

// differentOnly leaves out how often each id of a step is there.
func differentOnly(told string) string {
	var out []string
	for l := range strings.Lines(told) {
		if f := strings.Split(strings.TrimSpace(l), ","); len(f) == 5 && strings.HasPrefix(f[1], "respond-") {
			l = strings.Join([]string{f[0], f[1], f[2], f[4]}, ",") + "\n"
		}
		out = append(out, l)
	}
	return strings.Join(out, "")
}
