package parse

import (
	"strings"
	"testing"
)

// TestKeys renames custom fields by their labels and drops a vendor's prefix.
func TestKeys(t *testing.T) {
	head := `CEF:0|V|P|1|2|N|3|`
	for name, c := range map[string]struct{ in, want string }{
		"label behind":     {`cs1=in side cs1Label=Zone act=x`, `Zone=in side; act=x`},
		"label in front":   {`cn1Label=Session ID cn1=7`, `Session ID=7`},
		"no such field":    {`cs1Label=Zone act=x`, `cs1Label=Zone; act=x`},
		"name is taken":    {`act=x cs1=y cs1Label=act`, `act=x; cs1=y; cs1Label=act`},
		"prefix":           {`VenRule=a VenZone=b Ven=c`, `Rule=a; Zone=b; Ven=c`},
		"prefix and label": {`VencS1=1 cs2=u cs2Label=User`, `cS1=1; User=u`},
	} {
		var r Record
		r.Reset()
		if !CEF(&r, 0, []byte(head+c.in)) {
			t.Fatalf("%s: not read", name)
		}
		k := Keys{Labels: true, Strip: [][]byte{[]byte("Ven")}}
		k.Rename(&r, 8)
		got := show(&r, 0)
		if _, got, _ = strings.Cut(got, "severity=3; "); !sameShown(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// sameShown compares what show gave with want, without the labels that say nothing any more.
func sameShown(got, want string) bool {
	var kept []string
	for p := range strings.SplitSeq(got, "; ") {
		if k, v, _ := strings.Cut(p, "="); !strings.HasSuffix(k, "Label") || !strings.Contains("; "+got, "; "+v+"=") || strings.Contains(want, p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ") == want
}

// TestKeysHostile holds that labels without end cost no more than a few.
func TestKeysHostile(t *testing.T) {
	var r Record
	r.Reset()
	CEF(&r, 0, []byte(`CEF:0|V|P|1|2|N|3|`+strings.Repeat("cs9Label=a b=c ", 20000)))
	k := Keys{Labels: true}
	k.Rename(&r, 1)
}
