package persist

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"leat/pkg/row"
)

// spillOf writes a spill with rows of the given times and sizes; a row's body says its number and is filled up.
func spillOf(t testing.TB, number int, times []int64, size func(i int) int) *spill {
	t.Helper()
	s := newGeneration(t.TempDir(), number).open(partition{dataset: "d"})
	for i, at := range times {
		body := fmt.Appendf(nil, "%d.%d.", number, i)
		body = append(body, bytes.Repeat([]byte{'x'}, size(i))...)
		if err := s.add(body, &row.Encoder{Time: at, HasTime: at != noTime}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	return s
}

func openAll(t testing.TB, spills ...*spill) (files []spillFile) {
	t.Helper()
	for _, s := range spills {
		f, err := os.Open(s.path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, spillFile{f, info.Size()})
	}
	return files
}

// TestRowsInTime: whatever the order and the sizes, every row comes once, by time, and rows of one time in their order.
func TestRowsInTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	sizes := map[string]func(int) int{
		"small": func(int) int { return 20 },
		"mixed": func(i int) int {
			if i%150 == 7 {
				return 2 * readBlock
			}
			return []int{0, 300, 5000}[i%3]
		},
	}
	orders := map[string]func(i int) int64{
		"sorted":          func(i int) int64 { return int64(i) },
		"a few late":      func(i int) int64 { return int64(i - i%7*3) },
		"shuffled":        func(int) int64 { return r.Int64N(500) },
		"backwards":       func(i int) int64 { return int64(-i) },
		"some have none":  func(i int) int64 { return []int64{int64(i), noTime}[i%2] },
		"all at one time": func(int) int64 { return 5 },
	}
	for name, order := range orders {
		for kind, size := range sizes {
			t.Run(name+", "+kind, func(t *testing.T) {
				var spills []*spill
				var want []string
				byTime := map[string]int64{}
				for n := range 2 {
					var times []int64
					for i := range 600 {
						times = append(times, order(i))
						key := fmt.Sprintf("%d.%d.", n, i)
						want = append(want, key)
						byTime[key] = times[i]
					}
					spills = append(spills, spillOf(t, n, times, size))
				}
				slices.SortStableFunc(want, func(a, b string) int {
					return int(max(-1, min(1, byTime[a]/2-byTime[b]/2)))*2 + int(max(-1, min(1, byTime[a]-byTime[b])))
				})
				var got []string
				var reader rowReader
				err := reader.inTime(openAll(t, spills...), func(p rowPlace, body []byte) error {
					key := string(body[:bytes.LastIndexByte(body, '.')+1])
					if p.at != byTime[key] || int(p.size) != len(body) {
						t.Fatalf("row %s: time %d, want %d", key, p.at, byTime[key])
					}
					got = append(got, key)
					return nil
				})
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%v; %d rows of %d, first %v, want %v", err, len(got), len(want), got[:min(5, len(got))], want[:5])
				}
			})
		}
	}
}

func TestTornSpill(t *testing.T) {
	s := spillOf(t, 1, []int64{1, 2, 3}, func(int) int { return 100 })
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "torn")
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		rows := 0
		var r rowReader
		f := openAll(t, &spill{path: path})[0]
		err := r.inOrder(f.file, f.size, func(rowPlace, []byte) error { rows++; return nil })
		one := len(whole) / 3
		if want := n%one != 0; errors.Is(err, errTorn) != want || rows != n/one {
			t.Fatalf("cut at byte %d: %d rows, %v", n, rows, err)
		}
	}
}

func FuzzSpill(f *testing.F) {
	f.Add(AppendRow(AppendRow(nil, []byte("abc"), 5), nil, noTime))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r rowReader
		var again []byte
		err := r.inOrder(bytes.NewReader(b), int64(len(b)), func(p rowPlace, body []byte) error {
			again = AppendRow(again, body, p.at)
			return nil
		})
		if err == nil && !bytes.Equal(again, b) || !bytes.HasPrefix(b, again) {
			t.Errorf("%v: %x came back as %x", err, b, again)
		}
	})
}
