package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
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
		if err := j.Append(context.Background(), true, []byte(rec)); err != nil {
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

// Whatever byte the file ends at: the records that were whole are there, nothing else is, and appending goes on.
func TestTornAtEveryByte(t *testing.T) {
	src := t.TempDir()
	j := open(t, src, Options{})
	recs := []string{"first", "", "the third record", "4"}
	ends := []int64{headerSize}
	for _, r := range recs {
		if err := j.Append(context.Background(), true, []byte(r)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, ends[len(ends)-1]+frameSize+int64(len(r)))
	}
	path := segmentPath(src, 1)
	j.Close()
	whole, err := os.ReadFile(path)
	if err != nil || int64(len(whole)) != ends[len(recs)] {
		t.Fatalf("file of %d bytes, expected %d; %v", len(whole), ends[len(recs)], err)
	}
	for cut := range len(whole) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for n < len(recs) && ends[n+1] <= int64(cut) {
			n++
		}
		j := open(t, dir, Options{})
		if err := j.Append(context.Background(), true, []byte("new")); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		got, damage := readAll(t, j, 1)
		if want := fmt.Sprint(append(append([]string{}, recs[:n]...), "new")); fmt.Sprint(got) != want || len(damage) > 0 {
			t.Fatalf("cut at %d: %q, damage %v; want %s", cut, got, damage, want)
		}
	}
}

// A flipped bit never gives a wrong record, and what is missing is told.
func TestDamageIsTold(t *testing.T) {
	src := t.TempDir()
	j := open(t, src, Options{SegmentBytes: 100})
	for i := range 12 {
		if err := j.Append(context.Background(), true, fmt.Appendf(nil, "record %02d of twelve", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	path := segmentPath(src, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := headerSize; i < len(whole); i++ {
		broken := bytes.Clone(whole)
		broken[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, src, Options{SegmentBytes: 100})
		got, damage := readAll(t, j, 1)
		if len(got) >= 12 || len(damage) != 1 {
			t.Fatalf("bit in byte %d: %d records, damage %v", i, len(got), damage)
		}
		var from, to int
		fmt.Sscanf(damage[0], "%d-%d", &from, &to)
		if len(got)+to-from != 12 || got[len(got)-1] != "record 12 of twelve" {
			t.Fatalf("bit in byte %d: %q, damage %v", i, got, damage)
		}
	}
}

func TestFullHoldsBack(t *testing.T) {
	j := open(t, t.TempDir(), Options{MaxBytes: 4000, SegmentBytes: 500})
	defer j.Close()
	rec := make([]byte, 300)
	n := uint64(0)
	for ; ; n++ {
		err := j.Append(context.Background(), false, rec)
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
	ctx, cancel := context.WithCancel(context.Background())
	held := make(chan error)
	go func() { held <- j.Append(ctx, true, rec) }()
	cancel()
	if err := <-held; !errors.Is(err, context.Canceled) {
		t.Errorf("held back, then given up: %v", err)
	}
	go func() { held <- j.Append(context.Background(), true, rec) }()
	if err := j.Cut(n); err != nil {
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
				if err := j.Append(context.Background(), true, fmt.Appendf(nil, "%d %d", s, i)); err != nil {
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
	if err := j.Append(context.Background(), true, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a closed journal: %v", err)
	}
}

// SkipTo leaves out numbers that a lost journal had used.
func TestSkipTo(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	j.SkipTo(1000)
	if err := j.Append(context.Background(), true, []byte("x")); err != nil {
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
		if err := j.Append(context.Background(), true, rec); err != nil {
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

// The reader of segments takes any bytes, and gives only records that were written.
func FuzzSegment(f *testing.F) {
	var id journalID
	seg := appendHeader(nil, id, 1)
	seg = appendRecord(seg, 1, []byte("one"))
	seg = appendRecord(seg, 2, []byte("two"))
	f.Add(seg, 0, byte(0))
	f.Add(seg[:len(seg)-1], 40, byte(1))
	f.Add([]byte{}, 0, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at int, flip byte) {
		if at >= 0 && at < len(b) {
			b[at] ^= flip
		}
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(dir, Options{})
		if err != nil {
			return
		}
		rec := []byte("after")
		if err := j.Append(context.Background(), true, rec); err != nil {
			t.Fatal(err)
		}
		got, damage := readAll(t, j, 1)
		if len(got) == 0 || got[len(got)-1] != "after" || len(damage) > 0 {
			t.Fatalf("%q, damage %v", got, damage)
		}
		r := bytes.NewReader(b)
		if _, _, err := parseHeader(b); err == nil {
			_, _ = r.Seek(headerSize, io.SeekStart)
			for n := uint64(1); ; n++ {
				if _, err := readRecord(r, n, nil); err != nil {
					break
				}
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d records", batch), func(b *testing.B) {
			j := open(b, filepath.Join(b.TempDir(), "j"), Options{MaxBytes: 1 << 40, SegmentBytes: 1 << 26})
			defer j.Close()
			recs := make([][]byte, batch)
			for i := range recs {
				recs[i] = make([]byte, 300)
				for k := range recs[i] {
					recs[i][k] = byte(rand.Uint32())
				}
			}
			b.SetBytes(int64(300 * batch))
			b.ReportAllocs()
			for b.Loop() {
				if err := j.Append(context.Background(), true, recs...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
