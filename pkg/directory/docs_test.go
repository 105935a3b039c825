package directory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"leat/pkg/enrich"
)

// TestDocs: the configurations of the page are such as enrich takes.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/14-directory.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d configurations", len(blocks))
	}
	for _, b := range blocks {
		text := string(b[1])
		if !strings.Contains(text, "dimensions:") {
			text = "dimensions:\n" + text + "rules:\n  - {field: user.name, dimension: people, set: {user.full_name: name}}\n"
		}
		path := filepath.Join(t.TempDir(), "enrich.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := enrich.Load(path); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
