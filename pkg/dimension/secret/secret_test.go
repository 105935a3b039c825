package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestValue(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"token": "s3cret \r\n", "empty": "\n", "big": strings.Repeat("x", maxFile+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("LEAT_TEST_TOKEN", "fromenv")
	t.Setenv("LEAT_TEST_EMPTY", "")
	for doc, want := range map[string]string{
		`word`:                      "word",
		`"with space "`:             "with space ",
		`{env: LEAT_TEST_TOKEN}`:    "fromenv",
		`{file: token}`:             "s3cret",
		`{file: ` + dir + `/token}`: "s3cret",
		`{env: LEAT_TEST_EMPTY}`:    "error: the environment has no LEAT_TEST_EMPTY",
		`{env: LEAT_TEST_NO_SUCH}`:  "error: the environment has no",
		`{file: empty}`:             "error: read secret",
		`{file: big}`:               "error: read secret",
		`{file: .}`:                 "error: read secret",
		`{file: absent}`:            "error: stat",
		`{command: x}`:              "error: unknown key",
		`{env: A, file: b}`:         "error: expected a text",
		`[a]`:                       "error: expected a text",
		`{env: ""}`:                 "error: expected a text",
	} {
		var v Value
		err := yaml.Unmarshal([]byte(doc), &v)
		got := ""
		if err == nil {
			got, err = v.Read(dir)
		}
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want && (!strings.HasPrefix(want, "error") || !strings.HasPrefix(strings.ReplaceAll(got, dir, ""), want)) {
			t.Errorf("%s: %q; want %q", doc, got, want)
		}
		if strings.Contains(got, "error") && strings.Contains(got, "s3cret") {
			t.Errorf("%s: the error tells it: %s", doc, got)
		}
	}
	if !(Value{}).Zero() || (Value{Env: "X"}).Zero() {
		t.Error("Zero")
	}
}
