package ingest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// systemJournal is a journal of systemd's in a folder.
type systemJournal struct {
	t      *testing.T
	dir    string
	remote string
}

func newSystemJournal(t *testing.T) *systemJournal {
	t.Helper()
	needs(t, "journalctl")
	const remote = "/lib/systemd/systemd-journal-remote"
	if _, err := os.Stat(remote); err != nil {
		t.Skip("systemd-journal-remote is not installed: no journal can be made for the test")
	}
	return &systemJournal{t: t, dir: t.TempDir(), remote: remote}
}

// add appends the entries numbered from up to to to one of its files.
func (j *systemJournal) add(file string, from, to int) (messages []string) {
	j.t.Helper()
	var text strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&text, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\nMESSAGE=entry %d\n\n", 1764000000000000+i*1000000, i*1000, 1, i)
		messages = append(messages, fmt.Sprintf("entry %d", i))
	}
	cmd := exec.Command(j.remote, "--output="+filepath.Join(j.dir, file), "-")
	cmd.Stdin = strings.NewReader(text.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		j.t.Fatalf("%v: %s", err, out)
	}
	return messages
}

func messagesOf(k *keeper) (list []string) {
	for _, s := range k.originals() {
		list = append(list, gjson.Get(s, "MESSAGE").String())
	}
	return list
}

// The system's journal is read on from its own cursor, without a journal of ours; where the entry at the cursor is gone, that
// is a gap.
func TestJournald(t *testing.T) {
	j := newSystemJournal(t)
	want := j.add("x.journal", 1, 5)
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "journald:"+j.dir)
	first := resumed(t, cfg, lakeDir)
	if got := messagesOf(first); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	if again := resumed(t, cfg, lakeDir); len(again.recs) > 0 {
		t.Errorf("came again: %.200q", again.lines)
	}
	want = j.add("x.journal", 6, 8)
	second := resumed(t, cfg, lakeDir)
	if got := messagesOf(second); !slices.Equal(got, want) || len(second.notices("source_gap")) > 0 {
		t.Errorf("%q, gaps %+v", got, second.notices("source_gap"))
	}
	uniqueIDs(t, &keeper{recs: append(first.recs, second.recs...)})
	if names := mustGlob(t, filepath.Join(lakeDir+".state", "journal", "*")); len(names) > 0 {
		t.Errorf("a journal of ours: %q", names)
	}
	// The same entries have the same ids in another lake.
	other := resumed(t, cfg, filepath.Join(t.TempDir(), "lake"))
	for i, r := range other.recs[:5] {
		if r.Event.ID != first.recs[i].Event.ID {
			t.Errorf("entry %d has another id", i)
		}
	}
	// Vacuumed away.
	if err := os.Remove(filepath.Join(j.dir, "x.journal")); err != nil {
		t.Fatal(err)
	}
	want = j.add("y.journal", 20, 22)
	third := resumed(t, cfg, lakeDir)
	gaps := third.notices("source_gap")
	if got := messagesOf(third); !slices.Equal(got, want) || len(gaps) != 1 || *gaps[0].Leat.Gap.From != 8 {
		t.Errorf("%q, gaps %+v", got, gaps)
	}
	if again := resumed(t, cfg, lakeDir); len(again.recs) > 0 {
		t.Errorf("came again: %.200q", again.lines)
	}
	// Nothing is left at all.
	if err := os.Remove(filepath.Join(j.dir, "y.journal")); err != nil {
		t.Fatal(err)
	}
	if fourth := resumed(t, cfg, lakeDir); len(fourth.notices("source_gap")) != 1 || len(fourth.originals()) > 0 {
		t.Errorf("an empty journal: %.200q", fourth.lines)
	}
	if fifth := resumed(t, cfg, lakeDir); len(fifth.recs) > 0 {
		t.Errorf("told again: %.200q", fifth.lines)
	}
}

func TestJournaldFollowed(t *testing.T) {
	j := newSystemJournal(t)
	want := j.add("x.journal", 1, 3)
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "journald:"+j.dir), k)
	k.await(3)
	want = append(want, j.add("x.journal", 4, 5)...)
	k.await(5)
	stop()
	if got := messagesOf(k); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
