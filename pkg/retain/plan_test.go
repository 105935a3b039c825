package retain

import (
	"fmt"
	"math/rand/v2"
	"os"
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
		"rules: [{dataset: '*'}]":                     "policy.yaml:1:9: rule 1 has no keep",
		"rules: [{dataset: '[', keep: 1d}]":           "policy.yaml:1:19: \"[\" is no glob",
		"rules: [{dataset: '*', keep: 1d, by: moon}]": "policy.yaml:1:38: rule 1: by is \"moon\"; expected event or commit",
		"quota: {total: lots}":                        `"lots" is no size`,
		"free: 120%":                                  "policy.yaml:1:7: free:", "free: NaN%": "free:", "": "nothing to do", "# none": "nothing to do",
		"trash: {keep: 1d}": "nothing to do",
	} {
		if _, err := ParsePolicy("policy.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
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
