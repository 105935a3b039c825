package retain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	if dir := os.Getenv("LEAT_RETAIN_CHILD"); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func file(dataset, date string, bytes int64) lake.File {
	return lake.File{
		Path: fmt.Sprintf("data/dataset=%s/date=%s/%d.parquet", dataset, date, bytes), Dataset: dataset, Date: date,
		Rows: 1, Bytes: bytes, SHA256: "x", AddedAt: now.Add(-2 * time.Hour).UnixNano(),
	}
}

func state(files ...lake.File) *lake.State {
	s := &lake.State{N: 7, Files: map[string]lake.File{}, Holds: map[string]lake.Hold{}}
	for _, f := range files {
		s.Files[f.Path] = f
	}
	return s
}

func mustPolicy(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// verdicts prints a plan, a line a file.
func verdicts(p *Plan) string {
	var b strings.Builder
	for _, v := range p.Files {
		what := "stays"
		if v.Remove {
			what = "goes"
		}
		fmt.Fprintf(&b, "%s %s %d %s: %s\n", v.Dataset, v.Date, v.Bytes, what, v.Reason)
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(&b, "warning:", w)
	}
	return b.String()
}

func TestPlan(t *testing.T) {
	files := []lake.File{
		file("_alerts", "2020-01-01", 10), file("linux.auth", "2026-10-01", 20), file("linux.auth", "2026-11-20", 30),
		file("zeek.conn", "2026-10-24", 100), file("zeek.conn", "2026-11-23", 200),
	}
	for _, c := range []struct {
		name, policy string
		hold         *lake.Hold
		disk         Disk
		want         string
	}{
		{name: "age", policy: "rules: [{dataset: _alerts, keep: 7y}, {dataset: '*', keep: 30d}]", want: `_alerts 2020-01-01 10 stays: rule 1 (_alerts): kept for 7y
linux.auth 2026-10-01 20 goes: rule 2 (*): older than 30d
linux.auth 2026-11-20 30 stays: rule 2 (*): kept for 30d
zeek.conn 2026-10-24 100 goes: rule 2 (*): older than 30d
zeek.conn 2026-11-23 200 stays: rule 2 (*): kept for 30d
`},
		{name: "commit time", policy: "rules: [{dataset: '*', keep: 1h, by: commit}]", want: `_alerts 2020-01-01 10 goes: rule 1 (*): older than 1h
linux.auth 2026-10-01 20 goes: rule 1 (*): older than 1h
linux.auth 2026-11-20 30 goes: rule 1 (*): older than 1h
zeek.conn 2026-10-24 100 goes: rule 1 (*): older than 1h
zeek.conn 2026-11-23 200 goes: rule 1 (*): older than 1h
`},
		{name: "a hold wins", policy: "rules: [{dataset: '*', keep: 30d}]", hold: &lake.Hold{Case: "c1", Datasets: []string{"zeek.*"}, To: "2026-10-31"}, want: `_alerts 2020-01-01 10 goes: rule 1 (*): older than 30d
linux.auth 2026-10-01 20 goes: rule 1 (*): older than 30d
linux.auth 2026-11-20 30 stays: rule 1 (*): kept for 30d
zeek.conn 2026-10-24 100 stays: held by case c1, although rule 1 (*): older than 30d
zeek.conn 2026-11-23 200 stays: rule 1 (*): kept for 30d
`},
		{name: "quota, lowest value first", policy: "quota: {total: 150B}\norder: ['zeek.*']", want: `_alerts 2020-01-01 10 stays: no rule: stays
linux.auth 2026-10-01 20 stays: no rule: stays
linux.auth 2026-11-20 30 stays: no rule: stays
zeek.conn 2026-10-24 100 goes: over the total quota
zeek.conn 2026-11-23 200 goes: over the total quota
`},
		{name: "quota of a dataset", policy: "quota: {datasets: {'zeek.*': 250B}}", want: `_alerts 2020-01-01 10 stays: no rule: stays
linux.auth 2026-10-01 20 stays: no rule: stays
linux.auth 2026-11-20 30 stays: no rule: stays
zeek.conn 2026-10-24 100 goes: over the quota of zeek.*
zeek.conn 2026-11-23 200 stays: no rule: stays
`},
		{name: "free space", policy: "free: 10%", disk: Disk{Total: 2000, Free: 150}, want: `_alerts 2020-01-01 10 goes: over the free space
linux.auth 2026-10-01 20 goes: over the free space
linux.auth 2026-11-20 30 stays: no rule: stays
zeek.conn 2026-10-24 100 goes: over the free space
zeek.conn 2026-11-23 200 stays: no rule: stays
`},
		{name: "a quota that holds forbid", policy: "quota: {total: 100B}", hold: &lake.Hold{Case: "c2", Datasets: []string{"*"}}, want: `_alerts 2020-01-01 10 stays: held by case c2, although over the total quota
linux.auth 2026-10-01 20 stays: held by case c2, although over the total quota
linux.auth 2026-11-20 30 stays: held by case c2, although over the total quota
zeek.conn 2026-10-24 100 stays: held by case c2, although over the total quota
zeek.conn 2026-11-23 200 stays: held by case c2, although over the total quota
warning: total quota: 360 bytes stay where 100 may; 360 of them are held
`},
	} {
		s := state(files...)
		if c.hold != nil {
			s.Holds[c.hold.Case] = *c.hold
		}
		if got := verdicts(Make(s, mustPolicy(t, c.policy), now, c.disk)); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestPlanProperties: over random lakes and policies, nothing that is held goes, and a quota is met or it is said why not.
func TestPlanProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		s := state()
		for range r.IntN(30) {
			f := file([]string{"a", "b.c", "b.d"}[r.IntN(3)], fmt.Sprintf("2026-11-%02d", 1+r.IntN(24)), 1+r.Int64N(100))
			s.Files[f.Path] = f
		}
		if r.IntN(2) == 0 {
			s.Holds["h"] = lake.Hold{Case: "h", Datasets: []string{"b.*"}, From: "2026-11-10"}
		}
		quota := 1 + r.Int64N(800)
		p := mustPolicy(t, fmt.Sprintf("rules: [{dataset: '*', keep: %dd}]\nquota: {total: %dB}", 1+r.IntN(30), quota))
		plan := Make(s, p, now, Disk{})
		left := int64(0)
		for _, v := range plan.Files {
			held := len(s.Holds) > 0 && strings.HasPrefix(v.Dataset, "b.") && v.Date >= "2026-11-10"
			if held && v.Remove {
				t.Fatalf("a held file goes: %+v", v)
			}
			if !v.Remove {
				left += v.Bytes
			}
			if v.Reason == "" {
				t.Fatalf("no reason: %+v", v)
			}
		}
		if left > quota && len(plan.Warnings) == 0 {
			t.Fatalf("%d bytes stay of a quota of %d without a word", left, quota)
		}
	}
}

func TestPolicyFaults(t *testing.T) {
	for text, want := range map[string]string{
		"rules:\n  - dataset: '*'\n    kep: 30d\n":    `policy.yaml:3:5: unknown key "kep"; expected one of by, dataset, keep, kind`,
		"rules: [{dataset: '*', keep: soon}]":         `"soon" is no age`,
		"rules: [{dataset: '*'}]":                     "rule 1 has no keep",
		"rules: [{dataset: '[', keep: 1d}]":           "is no glob",
		"rules: [{dataset: '*', keep: 1d, by: moon}]": "expected event or commit",
		"quota: {total: lots}":                        `"lots" is no size`,
		"free: 120%":                                  "free:",
		"trash: {keep: 1d}":                           "nothing to do",
	} {
		if _, err := ParsePolicy("policy.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// fill makes a lake with n committed files of dataset and date.
func fill(t testing.TB, dir string, dates ...string) *lake.Lake {
	t.Helper()
	l, err := lake.Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.NewWriter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range dates {
		name := fmt.Sprintf("%d.parquet", i)
		if err := os.WriteFile(filepath.Join(w.Staging(), name), bytes.Repeat([]byte{byte(i)}, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CommitFiles(context.Background(), []lake.Staged{{Name: name, File: lake.File{Dataset: "linux.auth", Date: d, Rows: 1}}}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

func keeper(t *testing.T, l *lake.Lake) *Keeper {
	t.Helper()
	k, err := NewKeeper(l, "test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// consistent fails unless each file on the disk is named by the log, and each that the log removed is not in data/.
func consistent(t *testing.T, l *lake.Lake) {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	for p := range s.Files {
		if _, err := os.Stat(filepath.Join(l.Dir(), p)); err != nil {
			t.Errorf("in the log, not on the disk: %v", err)
		}
	}
	_ = filepath.WalkDir(filepath.Join(l.Dir(), "data"), func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(l.Dir(), p)
			if _, ok := s.Files[rel]; !ok {
				t.Errorf("%s is on the disk and not in the log", rel)
			}
		}
		return nil
	})
}

func ledger(t *testing.T, l *lake.Lake) map[string]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.Dir(), "ledger", "removed.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]int{}
	for line := range bytes.Lines(data) {
		var e LedgerLine
		if json.Unmarshal(line, &e) == nil && e.Path != "" {
			paths[e.Path]++
		}
	}
	return paths
}

func TestApply(t *testing.T) {
	l := fill(t, t.TempDir(), "2020-01-01", "2020-01-02", "2026-11-24")
	k := keeper(t, l)
	if _, err := NewKeeper(l, "other", time.Now); !errors.Is(err, lake.ErrBusy) {
		t.Errorf("two keepers: %v", err)
	}
	p := mustPolicy(t, "rules: [{dataset: '*', keep: 300d}]\ntrash: {keep: 1d}")
	reader, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := l.State()
	plan := Make(s, p, now, Disk{})
	gone, err := k.Apply(context.Background(), plan)
	if err != nil || len(gone) != 2 {
		t.Fatalf("%v %v", gone, err)
	}
	for _, v := range gone {
		if _, err := os.Stat(filepath.Join(l.Dir(), v.Path)); err != nil {
			t.Errorf("a reader's file was moved: %v", err)
		}
	}
	if _, err := k.Apply(context.Background(), plan); !errors.Is(err, ErrChanged) {
		t.Errorf("a stale plan: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if err := k.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	consistent(t, l)
	if got := ledger(t, l); len(got) != 2 {
		t.Errorf("ledger: %v", got)
	}
	if n, err := k.Empty(context.Background(), time.Hour); n != 0 || err != nil {
		t.Errorf("emptied too early: %d %v", n, err)
	}
	if n, err := k.Empty(context.Background(), 0); n != 200 || err != nil {
		t.Errorf("emptied %d, %v", n, err)
	}
	if n, damaged, err := Verify(context.Background(), l, 0, 1); n != 1 || len(damaged) != 0 || err != nil {
		t.Errorf("verify: %d %v %v", n, damaged, err)
	}
}

func TestHoldAfterPlan(t *testing.T) {
	l := fill(t, t.TempDir(), "2020-01-01")
	k := keeper(t, l)
	s, _ := l.State()
	plan := Make(s, mustPolicy(t, "rules: [{dataset: '*', keep: 1d}]"), now, Disk{})
	if err := SetHold(context.Background(), l, lake.Hold{Case: "c", Datasets: []string{"*"}}, "me", "why"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Apply(context.Background(), plan); !errors.Is(err, ErrHeldNow) {
		t.Errorf("%v", err)
	}
	for _, h := range []lake.Hold{{Case: "c", Datasets: []string{"other"}}, {Case: "d", Datasets: []string{"["}}} {
		if err := SetHold(context.Background(), l, h, "me", ""); err == nil {
			t.Errorf("%+v is taken", h)
		}
	}
	if err := SetHold(context.Background(), l, lake.Hold{Case: "none", Released: true}, "me", ""); err == nil {
		t.Error("a hold that never was is released")
	}
}

func TestOrphansAndDamage(t *testing.T) {
	l := fill(t, t.TempDir(), "2026-11-23", "2026-11-24")
	old := filepath.Join(l.Dir(), "data", "dataset=x", "date=2026-11-01", "01J-left.parquet")
	fresh := filepath.Join(filepath.Dir(old), "01J-fresh.parquet")
	_ = os.MkdirAll(filepath.Dir(old), 0o700)
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * orphanAge)
	_ = os.Chtimes(old, long, long)
	k := keeper(t, l)
	if n, err := k.Orphans(context.Background()); n != 1 || err != nil {
		t.Errorf("%d orphans, %v", n, err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the orphan stays")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a file that may be under way went")
	}
	s, _ := l.State()
	for p := range s.Files {
		if err := os.WriteFile(filepath.Join(l.Dir(), p), []byte("rot"), 0o600); err != nil {
			t.Fatal(err)
		}
		break
	}
	if n, damaged, err := Verify(context.Background(), l, 0, 1); n != 2 || len(damaged) != 1 || err != nil {
		t.Errorf("verify: %d %v %v", n, damaged, err)
	}
}

// child applies a plan over and over until it is killed.
func child(dir string) int {
	l, err := lake.Open(dir)
	if err != nil {
		return 1
	}
	k, err := NewKeeper(l, "child", time.Now)
	if err != nil {
		return 1
	}
	p, _ := ParsePolicy("p", []byte("rules: [{dataset: '*', keep: 1d}]"))
	for {
		s, err := l.State()
		if err != nil {
			return 1
		}
		plan := Make(s, p, time.Now(), Disk{})
		// One file at a time, so that a kill finds work at every step.
		for i := range plan.Files {
			if plan.Files[i].Remove {
				one := *plan
				one.Files = plan.Files[i : i+1]
				if _, err := k.Apply(context.Background(), &one); err != nil {
					return 1
				}
			}
		}
		if _, err := k.Empty(context.Background(), 0); err != nil {
			return 1
		}
	}
}

// TestKill kills a process that applies plans, again and again; each time the next run must find everything in order.
func TestKill(t *testing.T) {
	var dates []string
	for i := range 120 {
		dates = append(dates, time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	dir := t.TempDir()
	l := fill(t, dir, dates...)
	r := rand.New(rand.NewPCG(5, 6))
	for range 25 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "LEAT_RETAIN_CHILD="+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+r.IntN(60)) * time.Millisecond)
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	k := keeper(t, l)
	if err := k.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	consistent(t, l)
	s, _ := l.State()
	removed := len(dates) - len(s.Files)
	told := ledger(t, l)
	if removed == 0 || len(told) != removed {
		t.Errorf("%d files were removed, the ledger tells of %d", removed, len(told))
	}
	for p, n := range told {
		if n != 1 {
			t.Errorf("%s is told %d times", p, n)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("rules: [{dataset: '*', keep: 30d}]\nquota: {total: 1GB}\nfree: 10%"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := ParsePolicy("p", data); err == nil {
			Make(state(file("a", "2026-01-01", 1)), p, now, Disk{Total: 10, Free: 1})
		}
	})
}
