package lake

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// grown returns a lake with a log of n entries of several kinds.
func grown(t *testing.T, n int) *Lake {
	t.Helper()
	l := newLake(t)
	for i := range n {
		_, err := l.Commit(t.Context(), func(*State) (*Entry, error) {
			switch i % 4 {
			case 0:
				return &Entry{Kind: KindOpen, Pipeline: fmt.Sprint("p", i%3), Epoch: int64(i), Run: "r"}, nil
			case 1:
				return &Entry{Kind: KindCommit, Added: []File{{Path: fmt.Sprint("data/", i), Dataset: "d", Bytes: 1}}}, nil
			case 2:
				return &Entry{Kind: KindHold, Hold: &Hold{Case: fmt.Sprint("c", i%7), Datasets: []string{"*"}, Released: i%5 == 0}}, nil
			}
			return &Entry{Kind: KindRemove, Removed: []string{fmt.Sprint("data/", i-2)}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestVerifyLog(t *testing.T) {
	l := grown(t, 250)
	got, err := l.VerifyLog(t.Context())
	if want, _ := l.State(); err != nil || got.Hash != want.Hash {
		t.Fatalf("a good log: %v", err)
	}
	// Open reads from the newest checkpoint on, so what is wrong before it is only seen here.
	entry := l.path("log", entryName(7))
	checkpoint := l.path("log", checkpointName(100))
	resealed := func(data []byte) []byte {
		body, _, _ := bytes.Cut(bytes.Replace(data, []byte(`"bytes":1`), []byte(`"bytes":2`), 1), []byte("\n"))
		body = append(bytes.Clone(body), '\n')
		return append(body, fmt.Sprintf("{\"sha256\":%q}\n", hash(body))...)
	}
	for _, c := range []struct {
		name, path string
		change     func([]byte) []byte
		want       string
	}{
		{"an altered entry", entry, func(d []byte) []byte { return bytes.Replace(d, []byte("hold"), []byte("note"), 1) }, "entry 7: not whole"},
		{"an entry altered and sealed anew", l.path("log", entryName(2)), resealed, "entry 3: entry does not follow"},
		{"a torn checkpoint", checkpoint, func(d []byte) []byte { return d[:len(d)/2] }, "checkpoint 100 is not whole"},
		{"a forged checkpoint", checkpoint, resealed, "checkpoint 100 does not say what the log says"},
	} {
		data, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.path, c.change(data), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(l.Dir())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.State(); err != nil {
			t.Errorf("%s: State reads more than it must: %v", c.name, err)
		}
		if _, err := again.VerifyLog(t.Context()); !errors.Is(err, ErrChain) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
		if err := os.WriteFile(c.path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckpointOfAnotherLog: a whole checkpoint counts only if it stands on the entry that this log has.
func TestCheckpointOfAnotherLog(t *testing.T) {
	l := grown(t, 100)
	forged := l.empty()
	forged.N, forged.Hash = 100, hash([]byte("another"))
	data, err := sealed(forged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path("log", checkpointName(100)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := again.State(); err != nil || len(s.Pipelines) == 0 {
		t.Errorf("it was taken: %+v, %v", s, err)
	}
}

// TestCheckpointOfNothing: a map that is empty again says the same in the log and in a checkpoint.
func TestCheckpointOfNothing(t *testing.T) {
	l := newLake(t)
	for _, e := range []*Entry{{Kind: KindCommit, Writer: "w", Generation: 1}, {Kind: KindFence, Writer: "w"}} {
		if _, err := l.Commit(t.Context(), func(*State) (*Entry, error) { return e, nil }); err != nil {
			t.Fatal(err)
		}
	}
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.writeCheckpoint(s); err != nil {
		t.Fatal(err)
	}
	if _, err := l.VerifyLog(t.Context()); err != nil {
		t.Error(err)
	}
}
