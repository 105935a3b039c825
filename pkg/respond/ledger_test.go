package respond

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/stage"
)

var t0 = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func openAt(t testing.TB, dir string, now time.Time) *ledger {
	t.Helper()
	l, err := openLedger(dir, "default", now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func entryFor(target string, at time.Time) *entry {
	return &entry{job: job{Play: "p", Action: "a", Field: "user.name", Target: target, Alert: "a1", Key: actionKey("p", "a", "user.name", target, "a1")}, alert: []byte(`{"x":1}`), at: at}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLedger(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, t0)
	done, open := entryFor("done", t0), entryFor("open", t0)
	must(t, l.begin([]*entry{done, open}))
	must(t, l.finish(done, stepDone, "fine", t0.Add(time.Second)))
	if _, err := openLedger(dir, "default", t0); !errors.Is(err, ErrHeld) {
		t.Fatalf("a second process got in: %v", err)
	}
	must(t, l.close())

	l = openAt(t, dir, t0)
	defer l.close()
	e, ok := l.known(done.job.Key)
	if !ok || e.outcome != stepDone || e.reason != "fine" || !e.ended.Equal(t0.Add(time.Second)) || e.alert != nil {
		t.Errorf("done: %+v", e)
	}
	e, ok = l.known(open.job.Key)
	if !ok || e.outcome != "" || string(e.alert) != `{"x":1}` {
		t.Errorf("open: %+v", e)
	}
	if _, ok := l.known(entryFor("new", t0).job.Key); ok {
		t.Error("what never was is known")
	}
	l.forget(done)
	if e, ok := l.known(done.job.Key); !ok || e != nil {
		t.Error("forgetting an entry forgot its key")
	}
	if got := l.unsettled(); len(got) != 1 || got[0].seq != 2 {
		t.Errorf("unsettled: %v", got)
	}
}

func TestLedgerNames(t *testing.T) {
	for _, name := range []string{"", "..", "a/b", "../x", ".hidden", "a\nb"} {
		if _, err := openLedger(t.TempDir(), name, t0); err == nil {
			t.Errorf("pipeline %q became a folder", name)
		}
	}
}

// TestLedgerResume: what a committed mark covers, what not, and what an uncommitted mark of a dead run does not cover.
func TestLedgerResume(t *testing.T) {
	dir := t.TempDir()
	hello := func(resume int64) stage.Hello {
		return stage.Hello{Lake: "lake", Pipeline: "default", Resume: resume}
	}
	l := openAt(t, dir, t0)
	_, err := l.resume(hello(0), false, t0)
	must(t, err)
	for i := range 3 {
		e := entryFor(fmt.Sprint(i), t0)
		must(t, l.begin([]*entry{e}))
		must(t, l.finish(e, stepDone, "", t0))
		must(t, l.mark(int64(10+i), e.seq, e.seq, t0))
	}
	must(t, l.mark(13, 3, 3, t0)) // nothing new: no record is needed
	must(t, l.close())

	for _, c := range []struct {
		resume    int64
		unsettled int
	}{{13, 0}, {12, 0}, {11, 1}, {10, 2}, {0, 3}} {
		l := openAt(t, dir, t0)
		told, err := l.resume(hello(c.resume), false, t0)
		must(t, err)
		if got := len(l.unsettled()); got != c.unsettled || int(told.outcomes) != 3-c.unsettled {
			t.Errorf("resume %d: %d unsettled, told %+v", c.resume, got, told)
		}
		must(t, l.close())
	}
	// The run from mark 0 threw the old marks away: a later mark 12 is another one.
	l = openAt(t, dir, t0)
	if _, err = l.resume(hello(12), false, t0); !errors.Is(err, ErrNoState) {
		t.Errorf("an old run's mark was taken: %v", err)
	}
	if told, err := l.resume(hello(12), true, t0); err != nil || told.outcomes != 0 {
		t.Errorf("begin empty: %+v, %v", told, err)
	}
	if _, err = l.resume(stage.Hello{Lake: "other", Pipeline: "default"}, true, t0); !errors.Is(err, ErrOtherLake) {
		t.Errorf("another lake: %v", err)
	}
	must(t, l.close())
}

func TestLedgerBroken(t *testing.T) {
	l := openAt(t, t.TempDir(), t0)
	defer l.lock.Close()
	must(t, l.file.Close())
	if err := l.begin([]*entry{entryFor("x", t0)}); err == nil {
		t.Fatal("an intent that can't be written is no error")
	}
	if _, ok := l.known(entryFor("x", t0).job.Key); ok {
		t.Error("an intent that was not written is known")
	}
	if l.sick() == nil {
		t.Error("the ledger is not sick")
	}
}

func TestLedgerTornEnd(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, t0)
	a, b := entryFor("a", t0), entryFor("b", t0)
	must(t, l.begin([]*entry{a}))
	must(t, l.begin([]*entry{b}))
	must(t, l.close())
	path := filepath.Join(dir, "respond", "default", "journal")
	info, err := os.Stat(path)
	must(t, err)
	must(t, os.Truncate(path, info.Size()-5))
	l = openAt(t, dir, t0)
	if _, ok := l.known(b.job.Key); ok {
		t.Error("a torn intent is known")
	}
	c := entryFor("c", t0)
	must(t, l.begin([]*entry{c}))
	must(t, l.close())
	l = openAt(t, dir, t0)
	defer l.close()
	if len(l.unsettled()) != 2 {
		t.Errorf("behind the torn end: %d entries", len(l.unsettled()))
	}
}

func TestLedgerDamage(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, t0)
	must(t, l.begin([]*entry{entryFor("a", t0)}))
	must(t, l.begin([]*entry{entryFor("b", t0)}))
	must(t, l.close())
	path := filepath.Join(dir, "respond", "default", "journal")
	data, err := os.ReadFile(path)
	must(t, err)
	data[20] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
	_, err = openLedger(dir, "default", t0)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Path != path || damage.Offset != 0 {
		t.Fatalf("%v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(data) {
		t.Error("a damaged journal was changed")
	}
	// The lock must not be left behind.
	if _, err = openLedger(dir, "default", t0); errors.Is(err, ErrHeld) {
		t.Error("a failed open holds the lock")
	}
}

// TestCompact: a large journal shrinks to keys, forgets no key, keeps what is young, open or not covered.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, dir, t0)
	_, err := l.resume(stage.Hello{Lake: "lake", Pipeline: "default"}, false, t0)
	must(t, err)
	bulk := []byte(`{"x":"` + strings.Repeat("y", 64<<10) + `"}`)
	add := func(name string, at time.Time, end bool) *entry {
		e := entryFor(name, at)
		e.alert = bulk
		must(t, l.begin([]*entry{e}))
		if end {
			must(t, l.finish(e, stepDone, "", at))
		}
		return e
	}
	var all []*entry
	for i := range 80 {
		all = append(all, add(fmt.Sprint("old", i), t0, true))
	}
	must(t, l.mark(5, 80, 80, t0))
	notCovered := add("not covered", t0, true)
	openEntry := add("open", t0, false)
	later := t0.Add(keepFull + time.Hour)
	young := add("young", later, true)
	must(t, l.close())
	before, err := os.Stat(l.path())
	must(t, err)

	l = openAt(t, dir, later)
	after, err := os.Stat(l.path())
	must(t, err)
	if before.Size() < compactAbove || after.Size() > before.Size()/10 {
		t.Fatalf("%d bytes became %d", before.Size(), after.Size())
	}
	must(t, l.close())
	for range 2 { // as it was compacted, and read again
		l = openAt(t, dir, later)
		for _, e := range append(all, notCovered, openEntry, young) {
			if _, ok := l.known(e.job.Key); !ok {
				t.Fatalf("%s is forgotten: it would be done again", e.job.Target)
			}
		}
		if got := l.unsettled(); len(got) != 3 || string(got[1].alert) != string(bulk) {
			t.Fatalf("%d unsettled", len(got))
		}
		must(t, l.close())
	}
	l = openAt(t, dir, later)
	defer l.close()
	told, err := l.resume(stage.Hello{Lake: "lake", Pipeline: "default", Resume: 7}, false, later)
	if err != nil || told.outcomes != 80 {
		t.Errorf("the mark is gone: %+v, %v", told, err)
	}
}
