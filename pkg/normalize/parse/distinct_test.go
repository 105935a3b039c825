package parse

import (
	"fmt"
	"strings"
	"testing"
)

func namesOf(r *Record) string {
	var out []string
	for i := r.Child(0); i >= 0; i = r.Cells[i].Next {
		out = append(out, string(r.Cells[i].Key)+"="+string(r.Text(i)))
	}
	return strings.Join(out, " ")
}

func TestDistinctNames(t *testing.T) {
	var r Record
	for _, c := range []struct{ in, want string }{
		{`a=1 b=2 a=3 a=4 b=5`, `a=1 b=2 a_2=3 a_3=4 b_2=5`},
		{`a=1 b="x"`, `a=1 b=x`},
		{`a=1 a=2 a_2=3 a=4`, `a=1 a_2=2 a_2_2=3 a_3=4`},
		{`some words a=1 more of them`, `text=some words a=1 text_2=more of them`},
		{`user="ann" infos="cut [here`, `user=ann infos=cut [here`},
		{`user="ann q=1`, `user="ann q=1`},
	} {
		r.Reset()
		KV{}.Parse(&r, 0, []byte(c.in))
		if got := namesOf(&r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.in, got, c.want)
		}
	}
	r.Reset()
	CEF(&r, 0, []byte(`CEF:0|a|b|c|d|e|5|msg=one sid=1 msg=two`))
	if got := namesOf(&r); !strings.HasSuffix(got, "msg=one sid=1 msg_2=two") {
		t.Errorf("CEF: %q", got)
	}
}

// TestDistinctOfMany has more names than the filter in front of the comparison can tell apart.
func TestDistinctOfMany(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "k%d=%d ", i%1500, i)
	}
	var r Record
	r.Reset()
	KV{}.Parse(&r, 0, []byte(b.String()))
	seen := map[string]bool{}
	for i := r.Child(0); i >= 0; i = r.Cells[i].Next {
		k := string(r.Cells[i].Key)
		if seen[k] {
			t.Fatalf("%q is there twice", k)
		}
		seen[k] = true
	}
	if len(seen) != 3000 {
		t.Errorf("%d names of 3000", len(seen))
	}
}
