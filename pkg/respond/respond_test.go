package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// alertLine is an alert as detect writes it, as far as respond looks.
func alertLine(id, user string) string {
	name, _ := json.Marshal(user)
	return `{"@timestamp":"2026-11-24T08:00:00.000Z","event":{"kind":"alert","id":"` + id + `"},"rule":{"id":"payroll-1","name":"Payroll"},"leat":{"alert":{"level":"high"}},"user":{"name":` + string(name) + `}}`
}

const plainEvent = `{"event":{"kind":"event","id":"e0"},"user":{"name":"mallory"},"rule":{"id":"payroll-1"},"leat":{"alert":{"level":"critical"}}}`

// told is an event that respond made.
type toldEvent struct {
	ID      string `json:"-"`
	Message string `json:"message"`
	Event   struct{ ID, Kind, Action, Outcome, Reason string }
	Leat    struct {
		Respond struct {
			Play, Action, Target, Alert, Key string
			DryRun                           bool `json:"dry_run"`
		}
	}
}

// pipe runs a stage over lines as a filter does and returns what came out.
func pipe(t testing.TB, s *Stage, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	src := &stage.Lines{In: strings.NewReader(strings.Join(lines, "\n") + "\n"), Stage: "respond"}
	if err := stage.Pump(context.Background(), src, stage.NewChain(stage.NewWriter(&out, nil), s)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// steps are the events of respond among lines, as action:target.
func steps(t testing.TB, lines []string) (names []string, all []toldEvent) {
	t.Helper()
	for _, l := range lines {
		var e toldEvent
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		if strings.HasPrefix(e.Event.Action, "respond-") {
			names = append(names, strings.TrimPrefix(e.Event.Action, "respond-")+":"+e.Leat.Respond.Target)
			all = append(all, e)
		}
	}
	return names, all
}

func equal(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// playbook acts by a script that appends the target's name to log.
func playbook(t testing.TB, log, more string) *Playbook {
	t.Helper()
	return book(t, "plays: [{name: lock, when: {rule: 'payroll-*', severity: high}, target: user.name, actions: [{name: act, exec: {argv: ["+
		script(t, `in=$(cat); echo "$LEAT_TARGET $LEAT_KEY" >> `+log+"\n"+`case "$LEAT_TARGET" in slow*) sleep 1;; bad*) echo broken; exit 4;; esac`)+"]}}]}]\n"+more)
}

func newStage(t testing.TB, cfg Config) *Stage {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// acted is what the playbook's script noted: the targets in order.
func acted(t testing.TB, log string) (targets []string) {
	t.Helper()
	raw, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if l != "" {
			targets = append(targets, strings.Fields(l)[0])
		}
	}
	return targets
}

func TestDryRun(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	s := newStage(t, Config{Playbook: playbook(t, log, "allow: {users: [root]}")})
	in := []string{plainEvent, alertLine("a1", "mallory"), `{"event":{"kind":"pipeline_error"},"rule":{"id":"payroll-1"}}`, alertLine("a2", "root"), "not json"}
	out := pipe(t, s, in...)
	names, all := steps(t, out)
	equal(t, names, "would-run:mallory", "withheld:root")
	if out[0] != in[0] || out[1] != in[1] || out[3] != in[2] || out[4] != in[3] {
		t.Errorf("events were changed or moved:\n%s", strings.Join(out, "\n"))
	}
	if !all[0].Leat.Respond.DryRun || all[0].Event.Kind != "event" || len(all[0].Event.ID) != 32 || all[0].Leat.Respond.Alert != "a1" {
		t.Errorf("%+v", all[0])
	}
	if got := acted(t, log); got != nil {
		t.Errorf("a dry run acted on %q", got)
	}
	again, _ := New(Config{Playbook: playbook(t, log, "allow: {users: [root]}")})
	_, second := steps(t, pipe(t, again, in...))
	if second[0].Event.ID != all[0].Event.ID || second[1].Event.ID != all[1].Event.ID {
		t.Error("a step has another event.id on a replay")
	}
}

func TestNoTarget(t *testing.T) {
	s := newStage(t, Config{Playbook: playbook(t, "/dev/null", "")})
	_, all := steps(t, pipe(t, s, `{"event":{"kind":"alert","id":"a"},"rule":{"id":"payroll-1"},"leat":{"alert":{"level":"high"}}}`))
	if len(all) != 1 || all[0].Event.Action != stepWithheld || !strings.Contains(all[0].Event.Reason, "has no user.name") {
		t.Errorf("%+v", all)
	}
}

func TestEnforceNeedsState(t *testing.T) {
	if _, err := New(Config{Playbook: playbook(t, "/dev/null", ""), Enforce: true}); err != ErrNoStateDir {
		t.Errorf("%v", err)
	}
}

// TestEnforce: once, whatever is replayed, also by another process; and the steps are told again with the same ids.
func TestEnforce(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	in := []string{alertLine("a1", "mallory"), plainEvent, alertLine("a2", "bad"), alertLine("a1", "mallory"), alertLine("a3", "root")}
	var first []toldEvent
	for run := range 3 {
		s := newStage(t, Config{Playbook: playbook(t, log, "allow: {users: [ROOT]}"), Enforce: true, State: dir})
		names, all := steps(t, pipe(t, s, in...))
		equal(t, names, "requested:mallory", "done:mallory", "requested:bad", "failed:bad", "withheld:root")
		if run == 0 {
			first = all
		}
		for i := range all {
			if all[i].Event.ID != first[i].Event.ID || all[i].Leat.Respond.Key != first[i].Leat.Respond.Key || all[i].Leat.Respond.DryRun {
				t.Errorf("run %d, step %d: %+v, first %+v", run, i, all[i], first[i])
			}
		}
		if got := all[3].Event.Reason; !strings.Contains(got, "exit status 4: broken") {
			t.Errorf("reason %q", got)
		}
	}
	got := acted(t, log)
	slices.Sort(got)
	equal(t, got, "bad", "mallory")
}

func TestEnforceDryRunAction(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	b := playbook(t, log, "")
	b.Plays[0].Actions[0].DryRun = true
	s := newStage(t, Config{Playbook: b, Enforce: true, State: dir})
	names, all := steps(t, pipe(t, s, alertLine("a1", "mallory")))
	equal(t, names, "would-run:mallory")
	if acted(t, log) != nil || !all[0].Leat.Respond.DryRun {
		t.Error("an action with dry_run was run, or says so")
	}
}

func TestBudgetHalts(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	more := "budget: {per_action: {max: 2, per: 1h}}"
	var in []string
	for i := range 5 {
		in = append(in, alertLine(fmt.Sprint("a", i), fmt.Sprint("u", i)))
	}
	s := newStage(t, Config{Playbook: playbook(t, log, more), Enforce: true, State: dir})
	names, _ := steps(t, pipe(t, s, in...))
	slices.Sort(names)
	equal(t, names, "done:u0", "done:u1", "halted:u2", "requested:u0", "requested:u1", "withheld:u2", "withheld:u3", "withheld:u4")
	if len(s.Halted()) != 1 {
		t.Errorf("halted: %v", s.Halted())
	}
	// A restart lifts nothing, even when the window is over.
	late := func() time.Time { return time.Now().Add(24 * time.Hour) }
	s = newStage(t, Config{Playbook: playbook(t, log, more), Enforce: true, State: dir, Now: late})
	names, _ = steps(t, pipe(t, s, alertLine("b", "v")))
	equal(t, names, "withheld:v")
	s = newStage(t, Config{Playbook: playbook(t, log, more), Enforce: true, State: dir, Now: late, LiftHalt: true})
	names, _ = steps(t, pipe(t, s, alertLine("b", "v")))
	equal(t, names, "requested:v", "done:v")
	// Nor does a restart give a new budget.
	s = newStage(t, Config{Playbook: playbook(t, log, more), Enforce: true, State: dir, Now: late})
	names, _ = steps(t, pipe(t, s, alertLine("c", "w"), alertLine("d", "x")))
	equal(t, names, "requested:w", "done:w", "withheld:x", "halted:x")
}

// marks runs a stage over batches of lines with a mark behind each, as a marked pipe does.
func marks(t *testing.T, s *Stage, resume int64, batches ...[]string) (out [][]string) {
	t.Helper()
	var buf bytes.Buffer
	chain := stage.NewChain(stage.NewWriter(&buf, nil), s)
	if err := s.Hello(stage.Hello{Lake: "lake", Pipeline: "default", Resume: resume, Run: "r"}); err != nil {
		t.Fatal(err)
	}
	for i, lines := range batches {
		var b event.Batch
		for _, l := range lines {
			b.Push([]byte(l))
		}
		buf.Reset()
		if err := chain.Batch(&b); err != nil {
			t.Fatal(err)
		}
		if err := chain.Mark(stage.Mark{N: resume + int64(i) + 1, Run: "r"}); err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, l := range strings.Split(strings.TrimSpace(buf.String()), "\n") {
			if !stage.IsControl([]byte(l)) {
				kept = append(kept, l)
			}
		}
		out = append(out, kept)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestMarkedResume: for every mark at which the lake may hold, what it had plus what the next run tells is each step
// exactly once, though nothing is acted on twice.
func TestMarkedResume(t *testing.T) {
	batches := [][]string{{alertLine("a1", "u1")}, {plainEvent}, {alertLine("a2", "bad"), alertLine("a3", "u3")}, {alertLine("a4", "u4")}}
	var want []string
	for committed := range len(batches) + 1 {
		dir := t.TempDir()
		log := filepath.Join(dir, "log")
		cfg := func() Config { return Config{Playbook: playbook(t, log, ""), Enforce: true, State: dir} }
		first := marks(t, newStage(t, cfg()), 0, batches...)
		second := marks(t, newStage(t, cfg()), int64(committed), append(batches[committed:len(batches):len(batches)], []string{plainEvent})...)
		var lake []string
		for _, lines := range append(first[:committed:committed], second...) {
			lake = append(lake, lines...)
		}
		_, all := steps(t, lake)
		var ids []string
		for _, e := range all {
			ids = append(ids, e.Event.ID)
		}
		slices.Sort(ids)
		if committed == 0 {
			want = ids
			if len(ids) != 8 {
				t.Fatalf("%d steps", len(ids))
			}
		}
		if !slices.Equal(ids, want) {
			t.Errorf("the lake held mark %d: %d steps of %d, or some twice", committed, len(ids), len(want))
		}
		got := acted(t, log)
		slices.Sort(got)
		equal(t, got, "bad", "u1", "u3", "u4")
	}
}

// TestMarkedAlertGone: the alert does not come again (its rule was changed), yet its steps do.
func TestMarkedAlertGone(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	cfg := func() Config { return Config{Playbook: playbook(t, log, ""), Enforce: true, State: dir} }
	marks(t, newStage(t, cfg()), 0, []string{plainEvent}, []string{alertLine("a1", "u1")})
	out := marks(t, newStage(t, cfg()), 1, []string{plainEvent})
	names, _ := steps(t, out[0])
	equal(t, names, "requested:u1", "done:u1")
}

// TestSlowAction: the stream goes on beside a slow action; outcomes keep the order in which actions were asked for.
func TestSlowAction(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	s := newStage(t, Config{Playbook: playbook(t, log, "hold: 0s"), Enforce: true, State: dir})
	var b event.Batch
	b.Push([]byte(alertLine("a1", "slow1")))
	b.Push([]byte(alertLine("a2", "quick")))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	names, _ := steps(t, strings.Split(strings.TrimSpace(string(b.AppendLines(nil))), "\n"))
	equal(t, names, "requested:slow1", "requested:quick")
	b.Reset()
	if err := s.Flush(&b); err != nil { // the end of an unmarked pipe waits
		t.Fatal(err)
	}
	names, _ = steps(t, strings.Split(strings.TrimSpace(string(b.AppendLines(nil))), "\n"))
	equal(t, names, "done:slow1", "done:quick")
	must(t, s.Close())
}

// TestMarkedSlowAction: what has not ended before the last mark is told by the next run.
func TestMarkedSlowAction(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	cfg := func() Config { return Config{Playbook: playbook(t, log, "hold: 0s"), Enforce: true, State: dir} }
	first := marks(t, newStage(t, cfg()), 0, []string{alertLine("a1", "slow1")})
	names, _ := steps(t, first[0])
	equal(t, names, "requested:slow1")
	second := marks(t, newStage(t, cfg()), 1, []string{plainEvent})
	names, _ = steps(t, second[0])
	equal(t, names, "done:slow1")
	equal(t, acted(t, log), "slow1")
}

func TestRetryRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Playbook)
		age  time.Duration
		want string
	}{
		"allow-listed since": {func(b *Playbook) { b.Allow.Users = Words{"u1"} }, time.Minute, "withheld:u1"},
		"no longer a play":   {func(b *Playbook) { b.Plays[0].Name = "other" }, time.Minute, "failed:u1"},
		"too old":            {func(*Playbook) {}, 25 * time.Hour, "failed:u1"},
	} {
		dir := t.TempDir()
		log := filepath.Join(dir, "log")
		l := openAt(t, dir, t0)
		must(t, l.begin([]*entry{{job: job{Play: "lock", Action: "act", Kind: "exec", Field: "user.name", Target: "u1", Alert: "a1", Key: actionKey("lock", "act", "user.name", "u1", "a1")}, alert: []byte(alertLine("a1", "u1")), at: t0}}))
		must(t, l.close())
		b := playbook(t, log, "")
		c.edit(b)
		s := newStage(t, Config{Playbook: b, Enforce: true, State: dir, Now: func() time.Time { return t0.Add(c.age) }})
		names, _ := steps(t, pipe(t, s, plainEvent))
		equal(t, names, c.want)
		if got := acted(t, log); got != nil {
			t.Errorf("%s: acted on %q", name, got)
		}
	}
}

func TestReload(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	next, fault := playbook(t, log, "allow: {users: [u1]}"), error(nil)
	s := newStage(t, Config{Playbook: playbook(t, log, ""), Load: func() (*Playbook, error) { return next, fault }})
	process := func() string {
		var b event.Batch
		b.Push([]byte(alertLine("a1", "u1")))
		must(t, s.Process(&b))
		b.Compact()
		names, _ := steps(t, strings.Split(strings.TrimSpace(string(b.AppendLines(nil))), "\n"))
		return strings.Join(names, ",")
	}
	fault = os.ErrInvalid
	s.Reload()
	if got := process(); got != "would-run:u1" {
		t.Errorf("a playbook with faults was taken: %s", got)
	}
	fault = nil
	s.Reload()
	if got := process(); got != "withheld:u1" {
		t.Errorf("the new playbook is not in effect: %s", got)
	}
}

// TestJournalFails: nothing is acted on whose intent is not on the disk.
func TestJournalFails(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	s := newStage(t, Config{Playbook: playbook(t, log, ""), Enforce: true, State: dir})
	must(t, s.begin())
	must(t, s.ledger.file.Close())
	var b event.Batch
	b.Push([]byte(alertLine("a1", "u1")))
	must(t, s.Process(&b))
	b.Compact()
	names, _ := steps(t, strings.Split(strings.TrimSpace(string(b.AppendLines(nil))), "\n"))
	equal(t, names, "withheld:u1")
	if acted(t, log) != nil || s.Broken() == nil {
		t.Error("acted without a journal, or does not say that it is broken")
	}
	s.pool.close()
	must(t, s.ledger.lock.Close())
}

func TestHostileAlerts(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for _, target := range hostile {
		s := newStage(t, Config{Playbook: playbook(t, log, "")})
		out := pipe(t, s, alertLine("a1", target))
		if len(out) != 2 {
			t.Fatalf("%q became %d lines", target, len(out))
		}
		_, all := steps(t, out)
		if target != "" && all[0].Leat.Respond.Target != target {
			t.Errorf("%q was told as %q", target, all[0].Leat.Respond.Target)
		}
		if bytes.ContainsAny([]byte(out[1]), "\x1b\x00\r") {
			t.Errorf("%q went out raw: %q", target, out[1])
		}
	}
}

func BenchmarkProcess(b *testing.B) {
	s := newStage(b, Config{Playbook: playbook(b, "/dev/null", "")})
	line := []byte(plainEvent)
	var batch event.Batch
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		batch.Push(line)
		if err := s.Process(&batch); err != nil {
			b.Fatal(err)
		}
	}
}
