package parse

import "testing"

// TestCSVTypes reads lines whose fourth column says what the others are.
func TestCSVTypes(t *testing.T) {
	names := func(s ...string) (out [][]byte) {
		for _, n := range s {
			out = append(out, []byte(n))
		}
		return out
	}
	c := CSV{By: 2, Columns: names("-", "type"), Types: map[string][][]byte{"A": names("-", "type", "x", "-", "y"), "B": names("-", "type", "z")}}
	for in, want := range map[string]string{
		`1,A,2,3,4`:       `type=A; x=2; y=4`,
		`1,B,"2,""q""",3`: `type=B; z=2,"q"; column_4=3`,
		`1,C,2`:           `type=C; column_3=2`,
		`1`:               ``,
		`  "1,1",A,2`:     `type=A; x=2`,
	} {
		var r Record
		r.Reset()
		c.Parse(&r, 0, []byte(in))
		if got := show(&r, 0); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(`1,A,"x ""y""",,z`))
	f.Add([]byte(`","",A,"`))
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := string(in)
		c := CSV{By: 2, Types: map[string][][]byte{"A": {[]byte("a")}}}
		var r Record
		r.Reset()
		c.Parse(&r, 0, in)
		if string(in) != kept {
			t.Error("the line was changed")
		}
	})
}
