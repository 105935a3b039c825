package pipeline

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/normalize"
	"leat/pkg/normalize/drift"
	"leat/pkg/redact"
	"leat/pkg/stage"
)

// TestRedactionAndDrift: what the file says of them reaches both ways to run, redaction before drift, which quotes values.
func TestRedactionAndDrift(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p.yaml":      "lake: lake\ningest: {sources: ['-']}\nnormalize: {redact: redact.yaml, drift: true}\n",
		"redact.yaml": "fields: {user.name: remove}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "p.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(strings.Join(c.Processes("leat")[1].Argv, " "), dir, "D"); got != "leat normalize --redact D/redact.yaml --drift --state D/state" {
		t.Error(got)
	}
	b := &Built{cfg: c}
	if err := b.normalize(stage.NewCounters("test")); err != nil {
		t.Fatal(err)
	}
	if len(b.Stages) != 3 {
		t.Fatalf("%d stages", len(b.Stages))
	}
	_, first := b.Stages[0].(*normalize.Stage)
	_, second := b.Stages[1].(*redact.Stage)
	_, third := b.Stages[2].(*drift.Stage)
	if !first || !second || !third {
		t.Errorf("%T", b.Stages)
	}
	if err := os.Remove(filepath.Join(dir, "redact.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Build(slog.New(slog.NewTextHandler(io.Discard, nil)), stage.NewCounters("test"), func(string) (int64, error) { return 0, nil }); err == nil || !strings.Contains(err.Error(), "redact.yaml") {
		t.Errorf("rules that are not there: %v", err)
	}
}

// TestJoin: what the file says of it reaches both ways to run; another word than auditd stops at the start.
func TestJoin(t *testing.T) {
	for _, c := range []struct {
		join string
		ok   bool
	}{{"", true}, {"auditd", true}, {"audit", false}} {
		cfg := &Config{Normalize: Normalize{Join: c.join}}
		if argv := strings.Join(cfg.Processes("leat")[1].Argv, " "); strings.Contains(argv, "--join auditd") != (c.join == "auditd") {
			t.Error(argv)
		}
		b := &Built{cfg: cfg}
		if err := b.normalize(stage.NewCounters("test")); (err == nil) != c.ok {
			t.Errorf("join %q: %v", c.join, err)
			continue
		}
		if !c.ok {
			continue
		}
		if _, joins := b.Stages[0].(*normalize.AuditJoin); joins != (c.join != "") {
			t.Errorf("join %q: %T", c.join, b.Stages[0])
		}
	}
}
