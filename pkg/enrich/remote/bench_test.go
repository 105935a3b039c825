package remote

import "testing"

func TestGetAllocatesNothing(t *testing.T) {
	c := open1(t, config(t, nil), &fake{}, Options{})
	keys := keysOf("k1", "k2", "x")
	c.Resolve(t.Context(), keys)
	if n := testing.AllocsPerRun(100, func() {
		c.Resolve(t.Context(), keys)
		for _, k := range keys {
			c.Get(k)
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkGet(b *testing.B) {
	c := open1(b, config(b, nil), &fake{}, Options{})
	keys := keysOf("k1", "k2", "k3", "x")
	c.Resolve(b.Context(), keys)
	b.ReportAllocs()
	for b.Loop() {
		c.Resolve(b.Context(), keys)
		for _, k := range keys {
			c.Get(k)
		}
	}
}
