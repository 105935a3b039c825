package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func open(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// readAll closes j and returns what it holds from number on. Damage is returned as the text of its error.
func readAll(t testing.TB, j *Journal, number uint64) (recs []string, damage []string) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	r := j.Reader(number)
	defer r.Close()
	for {
		first, got, err := r.Read(context.Background(), 1000)
		var d *Damage
		switch {
		case errors.Is(err, ErrClosed):
			return recs, damage
		case errors.As(err, &d):
			damage = append(damage, fmt.Sprintf("%d-%d", d.From, d.To))
			continue
		case err != nil:
			t.Fatal(err)
		}
		if first+uint64(len(got)) != r.Next() {
			t.Fatalf("Read gave %d records from %d, and stands at %d", len(got), first, r.Next())
		}
		for _, g := range got {
			recs = append(recs, string(g))
		}
	}
}

func TestAppendReadCut(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 300})
	id := j.ID()
	var want []string
	for i := range 100 {
		rec := fmt.Sprintf("record %d %s", i+1, bytes.Repeat([]byte{'x'}, i))
		want = append(want, rec)
		if err := j.Append(context.Background(), Wait, []byte(rec)); err != nil {
			t.Fatal(err)
		}
	}
	got, damage := readAll(t, j, 1)
	if len(damage) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("read %d records, damage %v", len(got), damage)
	}
	j = open(t, dir, Options{SegmentBytes: 300})
	if j.ID() != id || j.Next() != 101 {
		t.Fatalf("opened again: id %s, next %d", j.ID(), j.Next())
	}
	before := j.Bytes()
	if err := j.Cut(50); err != nil {
		t.Fatal(err)
	}
	if first := j.First(); first > 50 || first < 40 || j.Bytes() >= before {
		t.Errorf("after Cut(50): first %d, %d of %d bytes", first, j.Bytes(), before)
	}
	if got, damage = readAll(t, j, 50); len(damage) > 0 || fmt.Sprint(got) != fmt.Sprint(want[49:]) {
		t.Errorf("from 50: %d records, damage %v", len(got), damage)
	}
	j = open(t, dir, Options{SegmentBytes: 300})
	first := j.First()
	if _, damage = readAll(t, j, 10); len(damage) != 1 || damage[0] != fmt.Sprintf("10-%d", first) {
		t.Errorf("what was cut is missing without a word: %v", damage)
	}
}

func TestFullHoldsBack(t *testing.T) {
	j := open(t, t.TempDir(), Options{MaxBytes: 4000, SegmentBytes: 500, Reserve: 1000})
	defer j.Close()
	rec := make([]byte, 300)
	n := uint64(0)
	for ; ; n++ {
		err := j.Append(context.Background(), Try, rec)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 100 {
			t.Fatal(n, err)
		}
	}
	if j.Bytes() > 4000 {
		t.Errorf("%d bytes on disk, bound 4000", j.Bytes())
	}
	// What tells of a loss has room of its own, what is in hand at a stop goes above any bound.
	if err := j.Append(context.Background(), Reserve, rec); err != nil {
		t.Errorf("reserve: %v", err)
	}
	if err := j.Append(context.Background(), Force, make([]byte, 8000)); err != nil {
		t.Errorf("force: %v", err)
	}
	if err := j.Append(context.Background(), Reserve, rec); !errors.Is(err, ErrFull) {
		t.Errorf("the reserve has no bound: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	held := make(chan error)
	go func() { held <- j.Append(ctx, Wait, rec) }()
	cancel()
	if err := <-held; !errors.Is(err, context.Canceled) {
		t.Errorf("held back, then given up: %v", err)
	}
	go func() { held <- j.Append(context.Background(), Wait, rec) }()
	if err := j.Cut(j.Next()); err != nil {
		t.Fatal(err)
	}
	if err := <-held; err != nil {
		t.Errorf("after Cut: %v", err)
	}
}

// Many senders at once: every record is there once, those of one sender in its order, and they shared fsyncs.
func TestManySenders(t *testing.T) {
	j := open(t, t.TempDir(), Options{SegmentBytes: 5000})
	var wg sync.WaitGroup
	for s := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if err := j.Append(context.Background(), Wait, fmt.Appendf(nil, "%d %d", s, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan []int)
	go func() {
		next := make([]int, 8)
		r := j.Reader(1)
		defer r.Close()
		for n := 0; n < 400; {
			_, recs, err := r.Read(context.Background(), 500)
			if err != nil {
				t.Error(err)
				break
			}
			for _, rec := range recs {
				var s, i int
				fmt.Sscanf(string(rec), "%d %d", &s, &i)
				if next[s] != i {
					t.Errorf("sender %d: record %d where %d was due", s, i, next[s])
				}
				next[s] = i + 1
				n++
			}
		}
		done <- next
	}()
	wg.Wait()
	<-done
	j.Close()
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	j.Close()
	open(t, dir, Options{}).Close()
	if err := j.Append(context.Background(), Wait, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a closed journal: %v", err)
	}
}

// SkipTo leaves out numbers that a lost journal had used.
func TestSkipTo(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	j.SkipTo(1000)
	if err := j.Append(context.Background(), Wait, []byte("x")); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j = open(t, dir, Options{})
	if j.Next() != 1001 || j.First() != 1000 {
		t.Errorf("first %d, next %d", j.First(), j.Next())
	}
	j.Close()
}

// A full disk: Append fails, what was acknowledged stays, and appending works again when there is room.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv("JOURNAL_FULL_DIR"); dir != "" {
		diskFullChild(dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
	cmd.Env = append(os.Environ(), "JOURNAL_FULL_DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var acked int
	if _, err := fmt.Sscanf(string(out), "acknowledged %d", &acked); err != nil || acked < 5 {
		t.Fatalf("child said %q", out)
	}
	got, damage := readAll(t, open(t, dir, Options{}), 1)
	if len(got) != acked || len(damage) > 0 {
		t.Errorf("%d acknowledged, %d read, damage %v", acked, len(got), damage)
	}
	for i, g := range got {
		if want := fmt.Sprintf("record %d", i); g[:len(want)] != want {
			t.Errorf("record %d is %.20q", i, g)
		}
	}
}

// diskFullChild appends under a limit on the size of files until it fails, then without.
func diskFullChild(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	j, err := Open(dir, Options{SegmentBytes: 1 << 20})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	acked, failed := 0, 0
	for i := 0; i < 40; {
		limit := old
		if i >= 10 && failed < 3 {
			limit.Cur = 10_500
		}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		rec := fmt.Appendf(nil, "record %d %01000d", i, 0)
		if err := j.Append(context.Background(), Wait, rec); err != nil {
			if !errors.Is(err, syscall.EFBIG) {
				fmt.Println(err)
				os.Exit(1)
			}
			failed++
			continue
		}
		acked++
		i++
	}
	if failed != 3 {
		fmt.Printf("failed %d times\n", failed)
		os.Exit(1)
	}
	fmt.Printf("acknowledged %d\n", acked)
	os.Exit(0)
}
