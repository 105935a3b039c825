package remote

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestStoreIsBounded(t *testing.T) {
	for _, size := range []int{1, 2, 9, 100} {
		s := newStore(size, 1<<40)
		r := rand.New(rand.NewPCG(1, uint64(size)))
		for i := range 20_000 {
			key := fmt.Sprint(r.IntN(3 * size))
			if _, ok := s.get([]byte(key)); !ok {
				s.put(key, value{expires: int64(i)})
			}
			if _, ok := s.get([]byte(key)); !ok {
				t.Fatalf("size %d: %s is not there after it was put", size, key)
			}
			if len(s.entries) > size || s.small.len()+s.main.len() != len(s.entries) || len(s.ghosts.has) > size || len(s.ghosts.ring) > size {
				t.Fatalf("size %d: %d entries, %d+%d queued, %d ghosts", size, len(s.entries), s.small.len(), s.main.len(), len(s.ghosts.has))
			}
		}
		if n := len(s.small.items) + len(s.main.items); n > 4*size+256 {
			t.Errorf("size %d: queues of %d", size, n)
		}
	}
}

// TestStoreSweep: a sweep of keys that each come once leaves what is in use.
func TestStoreSweep(t *testing.T) {
	s := newStore(1000, 1<<40)
	use := func(key string) bool {
		if _, ok := s.get([]byte(key)); ok {
			return true
		}
		s.put(key, value{})
		return false
	}
	for range 5 {
		for i := range 500 {
			use(fmt.Sprintf("used%d", i))
		}
	}
	kept := 0
	for i := range 50_000 {
		use(fmt.Sprintf("swept%d", i))
		if i%100 == 99 {
			for j := range 500 {
				if use(fmt.Sprintf("used%d", j)) {
					kept++
				}
			}
		}
	}
	if kept < 500*500*95/100 {
		t.Errorf("%d of %d uses were hits", kept, 500*500)
	}
}

func TestStoreReplaces(t *testing.T) {
	s := newStore(2, 1<<40)
	s.put("a", value{expires: 1})
	s.put("a", value{expires: 2})
	if v, ok := s.get([]byte("a")); !ok || v.expires != 2 || len(s.entries) != 1 {
		t.Errorf("%+v %v", v, ok)
	}
}

func TestStoreIsBoundedInBytes(t *testing.T) {
	const max = 100_000
	s := newStore(1_000_000, max)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20_000 {
		s.put(fmt.Sprint(r.IntN(2000)), value{row: make([]byte, r.IntN(1000)), expires: int64(i)})
		var sum int64
		if i%100 == 99 {
			for _, e := range s.entries {
				sum += e.cost()
			}
			if sum != s.bytes || sum > max || len(s.entries) < 20 {
				t.Fatalf("%d bytes of %d entries, counted %d", sum, len(s.entries), s.bytes)
			}
		}
	}
	s.put("huge", value{row: make([]byte, 2*max)})
	if _, ok := s.get([]byte("huge")); !ok || len(s.entries) != 1 {
		t.Errorf("%d entries beside one that is too big", len(s.entries))
	}
}
