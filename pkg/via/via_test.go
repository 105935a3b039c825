package via

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"

	"leat/pkg/stage"
)

func run(t *testing.T, in string, argv ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	s, err := New(Config{Argv: argv, Quiet: []int{1}}, stage.NewWriter(&out, nil))
	if err != nil {
		t.Fatal(err)
	}
	err = stage.Pump(context.Background(), &stage.Lines{In: strings.NewReader(in), Stage: "via"}, s)
	return out.String(), err
}

const (
	helloLine = `{"@leat":{"hello":{"lake":"l","pipeline":"p","epoch":1,"run":"r","resume":0}}}` + "\n"
	markOne   = `{"@leat":{"mark":1,"run":"r","since":0,"sources":{"s":"1"}}}` + "\n"
	markEnd   = `{"@leat":{"mark":2,"run":"r","since":0,"sources":{"s":"2"},"end":true}}` + "\n"
)

func TestMarksGoAround(t *testing.T) {
	in := helloLine + "{\"a\":2}\n{\"b\":1}\n{\"a\":1}\n" + markOne + "{\"b\":3}\n{\"b\":4}\n" + markEnd
	for _, c := range []struct{ argv, want string }{
		{"grep a", helloLine + "{\"a\":2}\n{\"a\":1}\n" + markOne + markEnd},
		// sort holds everything back until its input ends: still nothing may cross the mark.
		{"sort", helloLine + "{\"a\":1}\n{\"a\":2}\n{\"b\":1}\n" + markOne + "{\"b\":3}\n{\"b\":4}\n" + markEnd},
		{"head -n 1", helloLine + "{\"a\":2}\n" + markOne + "{\"b\":3}\n" + markEnd},
		{"tail -n 1", helloLine + "{\"a\":1}\n" + markOne + "{\"b\":4}\n" + markEnd},
	} {
		got, err := run(t, in, strings.Fields(c.argv)...)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.argv, err, got, c.want)
		}
	}
}

func TestFailedFilterCommitsNothing(t *testing.T) {
	got, err := run(t, helloLine+"{\"a\":2}\n"+markOne, "sh", "-c", "cat; exit 3")
	if err == nil || strings.Contains(got, `"mark"`) {
		t.Errorf("%v: %s", err, got)
	}
	if got, err := run(t, helloLine+"{\"a\":2}\n"+markOne, "sh", "-c", `cat; echo '{"@leat":{"mark":7,"run":"r"}}'`); err == nil || strings.Contains(got, `"mark"`) {
		t.Errorf("a filter forged a mark: %v: %s", err, got)
	}
}

func TestJq(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed (make setup)")
	}
	got, err := run(t, helloLine+"{\"a\":2}\n"+markOne+"{\"a\":3}\n"+markEnd, "jq", "-c", "select(.a>2)")
	if want := helloLine + markOne + "{\"a\":3}\n" + markEnd; err != nil || got != want {
		t.Errorf("%v: %s", err, got)
	}
}

func TestMissingCommand(t *testing.T) {
	if _, err := New(Config{Argv: []string{"/no/such/filter"}}, nil); err == nil {
		t.Error("no error")
	}
}
