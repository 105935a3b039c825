package parse

import "testing"

func TestSD(t *testing.T) {
	for in, want := range map[string]string{
		`[id@1 a="b c" d="e\"f\]g"]`:             `sd_id=id@1; a=b c; d=e"f]g`,
		`TEXT [x@2.3 a="1"][y b="2"] more`:       `sd_id=x@2.3; a=1; b=2`,
		`[a="1" b="" c="3"]`:                     `a=1; c=3`,
		`x[action:"Accept"; ike::"Q; M"; n:"1"]`: `action=Accept; ike=Q; M; n=1`,
		`[urn:x:y a="1"]`:                        `sd_id=urn:x:y; a=1`,
		`[a="cut`:                                `a=cut`,
		`[a=1 b=2]`:                              `a=1; b=2`,
		`-`:                                      ``,
		`[id]`:                                   `sd_id=id`,
	} {
		var r Record
		r.Reset()
		SD(&r, 0, []byte(in))
		if got := show(&r, 0); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzSD(f *testing.F) {
	f.Add([]byte(`[id@1 a="b c" d="e\"f\]g"][x]`))
	f.Add([]byte(`[a:"b"; c::"d\`))
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := string(in)
		var r Record
		r.Reset()
		if SD(&r, 0, in) && len(r.Cells) < 2 {
			t.Error("found, but nothing there")
		}
		if string(in) != kept {
			t.Error("the line was changed")
		}
	})
}
