package event

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// build writes random members into w, some of them copied from src.
func build(w *Builder, src *Event, rnd *rand.Rand, depth int) {
	for range rnd.IntN(5) {
		key := []string{`"a":`, `"longer name":`, `"\u00e9":`, `"":`, `"é":`}[rnd.IntN(5)]
		switch k := rnd.IntN(7); {
		case k == 0 && depth < 4:
			w.Open([]byte(key))
			build(w, src, rnd, depth+1)
			w.Close()
		case k <= 2:
			var sibs []Node
			n := src.Root()
			for range rnd.IntN(3) {
				if c := src.First(n); c != None {
					n = c
				}
			}
			if n != src.Root() && src.KindAt(n) != Object {
				n = src.Root()
			}
			for c := src.First(n); c != None; c = src.Next(c) {
				sibs = append(sibs, c)
			}
			if len(sibs) > 0 {
				i := rnd.IntN(len(sibs))
				w.Copy(src, sibs[i], sibs[i+rnd.IntN(len(sibs)-i)])
			}
		default:
			raw := []string{`"x"`, `"x\n"`, `12.50`, `true`, `null`, `[1,{"a":2}]`, `{"b":{"c":[]},"d":"\"e"}`, `{}`}[rnd.IntN(8)]
			v := ValueOf([]byte(raw))
			if rnd.IntN(2) == 0 {
				w.Value([]byte(key), []byte(raw), v.Kind, rnd.IntN(3) == 0)
				continue
			}
			w.Key([]byte(key), v.Kind)
			w.Line = append(w.Line, raw...)
			w.Done()
		}
	}
}

// The tape that is made while writing is the one that a scan of the line makes, but for the order on it; so it is compared
// as a tree.
func TestBuilderTape(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	src := &Event{}
	src.Reset([]byte(` {"one": 1, "two":{"three":"3\t","four":{ "five" : [5] ,"six":{}}} ,"seven":null,"eight":{"nine":{"ten":"é"}}} `))
	var b Batch
	var w, plain Builder
	for i := range 10_000 {
		b.Reset()
		seed := rnd.Uint64()
		e, f := b.Push(nil), b.Push(nil)
		w.Begin(b.Begin(1024), true)
		build(&w, src, rand.New(rand.NewPCG(seed, 1)), 0)
		w.End(e, &b)
		plain.Begin(b.Begin(1024), false)
		build(&plain, src, rand.New(rand.NewPCG(seed, 1)), 0)
		plain.End(f, &b)
		if string(e.Line()) != string(f.Line()) {
			t.Fatalf("with a tape %s, without %s", e.Line(), f.Line())
		}
		if !e.parsed || f.parsed {
			t.Fatal("a tape where none was asked for, or none where it was")
		}
		if err := f.Parse(); err != nil {
			t.Fatalf("%d: %s: %v", i, f.Line(), err)
		}
		if got, want := tree(e, 0), tree(f, 0); !slices.Equal(got, want) {
			t.Fatalf("%s\nreads as  %v\na scan has %v", e.Line(), got, want)
		}
		// An edit must find everything in its place.
		for _, ev := range []*Event{e, f} {
			_ = ev.SetString(KeyPath("a", "new"), "v")
			_ = ev.SetString(KeyPath("longer name"), "v")
		}
		if got, want := string(e.Append(nil)), string(f.Append(nil)); got != want {
			t.Fatalf("edited: %s, want %s", got, want)
		}
	}
}

// tree lists what is below n with its offsets.
func tree(e *Event, n int32) (out []string) {
	nd := e.nodes[n]
	out = append(out, fmt.Sprint(nd.key0, nd.key1, nd.val0, nd.val1, nd.kind, nd.flags))
	last := int32(-1)
	for c := nd.child; c >= 0; c = e.nodes[c].next {
		out = append(out, tree(e, c)...)
		last = c
	}
	if nd.last != last {
		out = append(out, fmt.Sprintf("last member is %d, not %d", nd.last, last))
	}
	return append(out, "end")
}

// What was edited can't be copied as it stands.
func TestBuilderRefusesEdited(t *testing.T) {
	var e Event
	e.Reset([]byte(`{"a":{"b":1},"c":2,"d":3}`))
	_ = e.SetString(MustPath("a.b"), "x")
	e.Delete(MustPath("c"))
	var w Builder
	w.Begin(nil, true)
	for _, p := range []string{"a", "a.b"} {
		if n := e.Lookup(MustPath(p)); w.Copy(&e, n, n) {
			t.Errorf("%s was copied", p)
		}
	}
	if w.Copy(&e, e.Lookup(MustPath("a")), e.Lookup(MustPath("d"))) {
		t.Error("a deleted member was copied with its neighbours")
	}
	if n := e.Lookup(MustPath("d")); !w.Copy(&e, n, n) {
		t.Error("d was not copied")
	}
}
