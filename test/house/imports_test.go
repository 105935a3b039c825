// Package house holds the tree to its own law: which package may import which.
package house

import (
	"os/exec"
	"strings"
	"testing"
)

// stages stand side by side: none imports another.
var stages = []string{"ingest", "normalize", "enrich", "detect", "respond", "persist", "retain", "tui", "tap"}

// packages returns every package of the module with its direct imports.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "leat/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for l := range strings.Lines(string(out)) {
		f := strings.Fields(l)
		all[f[0]] = f[1:]
	}
	return all
}

func within(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

func TestImportLaw(t *testing.T) {
	all := packages(t)
	if len(all) < 20 {
		t.Fatalf("only %d packages seen", len(all))
	}
	for pkg, imports := range all {
		for _, imp := range imports {
			if why := forbidden(pkg, imp); why != "" {
				t.Errorf("%s imports %s: %s", pkg, imp, why)
			}
		}
	}
}

// forbidden says why pkg may not import imp, or nothing.
func forbidden(pkg, imp string) string {
	own := ""
	for _, s := range stages {
		if within(pkg, "leat/pkg/"+s) {
			own = s
		}
	}
	for _, s := range stages {
		if own != "" && s != own && within(imp, "leat/pkg/"+s) {
			return "stages know nothing of each other"
		}
	}
	switch {
	case within(imp, "leat/cmd"):
		return "commands are the roof"
	case within(imp, "leat/internal/cli") && !within(pkg, "leat/internal/cli") && !within(pkg, "leat/cmd"):
		return "only commands know the command line"
	case strings.HasPrefix(imp, "github.com/urfave/cli") && !within(pkg, "leat/internal/cli") && !within(pkg, "leat/cmd"):
		return "the flag library stays in internal/cli and cmd"
	case strings.Contains(imp, "go-duckdb") && pkg != "leat/internal/duck":
		return "only internal/duck links DuckDB"
	case within(imp, "leat/internal/duck") && !oneOf(pkg, "leat/pkg/retain", "leat/pkg/query", "leat/pkg/tui", "leat/internal/cli/querycmd", "leat/bench/lake"):
		return "what filters and writes builds without cgo"
	case strings.HasPrefix(imp, "github.com/charmbracelet/") && !within(pkg, "leat/pkg/tui"):
		return "only the tui knows bubbletea"
	case oneOf(pkg, "leat/pkg/event", "leat/pkg/ecs") && strings.HasPrefix(imp, "leat/") && !oneOf(imp, "leat/pkg/event", "leat/pkg/ecs"):
		return "the ground stands on nothing of ours"
	case pkg == "leat/pkg/stage" && strings.HasPrefix(imp, "leat/") && imp != "leat/pkg/event":
		return "the loop stands on the event alone"
	case own != "" && within(imp, "leat/pkg/pipeline"):
		return "the pipeline stands on the stages"
	}
	return ""
}

func oneOf(pkg string, list ...string) bool {
	for _, l := range list {
		if within(pkg, l) {
			return true
		}
	}
	return false
}

// TestFiltersBuildWithoutC: a filter, and persist, links no DuckDB, so that it builds without a C compiler and stays small.
func TestFiltersBuildWithoutC(t *testing.T) {
	for _, name := range []string{"ingest", "normalize", "enrich", "detect", "respond", "persist"} {
		out, err := exec.Command("go", "list", "-deps", "leat/cmd/"+name).Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(string(out), "go-duckdb") {
			t.Errorf("cmd/%s links DuckDB", name)
		}
	}
}

// TestEveryPackageSaysWhatItIsFor: a stranger finds a package's purpose in its first words.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{"\t"}}{{len .GoFiles}}{{"\t"}}{{.Doc}}`, "leat/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSpace(l), "\t", 3)
		if len(f) > 1 && f[1] != "0" && (len(f) < 3 || len(f[2]) < 20) {
			t.Errorf("%s has no package comment", f[0])
		}
	}
}
