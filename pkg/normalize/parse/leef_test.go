package parse

import "testing"

func FuzzLEEF(f *testing.F) {
	f.Add([]byte("LEEF:1.0|V|P|1|id|a=1\tb=2"))
	f.Add([]byte("LEEF:2.0|V|P|1|id|0x09|a=1\tb=2"))
	f.Add([]byte("LEEF:2.0|V|P|1|id|x|"))
	f.Add([]byte("1.0|V|P|1|id|a=1#011b=2"))
	f.Add([]byte("LEEF:1.0|V|P|1|id|a=1 b=2 3"))
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := string(in)
		var r Record
		r.Reset()
		if LEEF(&r, 0, in) && r.Find(0, "leef_version") == None {
			t.Error("taken as LEEF, but without a version")
		}
		if string(in) != kept {
			t.Error("the line was changed")
		}
	})
}

// TestLEEFDelimiters reads the same pairs with every way to write the tab.
func TestLEEFDelimiters(t *testing.T) {
	const want = "leef_version=2.0; vendor=V; product=P; version=1; event_id=id; a=1; b=2"
	for _, d := range []string{"0x09", "x09", "\t"} {
		var r Record
		r.Reset()
		ok := LEEF(&r, 0, []byte("LEEF:2.0|V|P|1|id|"+d+"|a=1\tb=2"))
		if got := show(&r, 0); !ok || got != want {
			t.Errorf("%q: got %v %s", d, ok, got)
		}
	}
}

// TestLEEFRelays reads what relays make of the mark and of the tabs.
func TestLEEFRelays(t *testing.T) {
	const want = "leef_version=1.0; vendor=V; product=P; version=1; event_id=id; a=1 2; b=3"
	for _, in := range []string{
		"LEEF:1.0|V|P|1|id|a=1 2\tb=3",
		"1.0|V|P|1|id|a=1 2\tb=3",
		"1.0|V|P|1|id|a=1 2#011b=3",
		"LEEF:1.0|V|P|1|id|a=1 2 b=3",
	} {
		var r Record
		r.Reset()
		ok := LEEF(&r, 0, []byte(in))
		if got := show(&r, 0); !ok || got != want {
			t.Errorf("%q: got %v %s", in, ok, got)
		}
	}
	for _, in := range []string{"1.0", "x.0|V|P|1|id|a=1", "1.0|V|P"} {
		var r Record
		r.Reset()
		if LEEF(&r, 0, []byte(in)) {
			t.Errorf("%q was taken", in)
		}
	}
}
