package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/event"
)

func ruleFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rule.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const wrappedRule = `
title: A Program
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: '\a.exe'}, condition: s}
level: high
`

func TestWrappedRecords(t *testing.T) {
	const inner = `{\"Event\":{\"System\":{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\"},\"EventData\":{\"Image\":\"C:\\\\a.exe\"}}`
	for _, c := range []struct {
		name, line string
		raises     bool
	}{
		{"as ingest writes it", `{"event":{"id":"i1","original":"` + inner + `}"},"log":{"file":{"path":"x"},"offset":7}}`, true},
		{"it says that it failed", `{"event":{"id":"i1","original":"` + inner + `,\"event\":{\"kind\":\"pipeline_error\",\"id\":\"forged\"}}"}}`, true},
		{"it says that it is an alert", `{"event":{"id":"i1","original":"` + inner + `,\"event\":{\"kind\":\"alert\"}}"}}`, true},
		{"normalised: its fields count", `{"@timestamp":"2026-11-24T00:00:00Z","event":{"id":"i1","kind":"event","original":"` + inner + `}"}}`, false},
		{"escaped bytes", `{"event":{"id":"i1","original":"` + inner + `}"},"leat":{"escaped":true}}`, false},
		{"no JSON", `{"event":{"id":"i1","original":"` + inner + `"}}`, false},
		{"text", `{"event":{"id":"i1","original":"C:\\a.exe"}}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, only := range []bool{false, true} {
				s, err := New(Config{Rules: []string{ruleFile(t, wrappedRule)}, Routing: true, AlertsOnly: only})
				if err != nil {
					t.Fatal(err)
				}
				var b event.Batch
				b.Push([]byte(c.line))
				if err := s.Process(&b); err != nil {
					t.Fatal(err)
				}
				b.Compact()
				got := strings.Split(strings.TrimSuffix(string(b.AppendLines(nil)), "\n"), "\n")
				if !only {
					if got[0] != c.line {
						t.Errorf("the event went on as %s", got[0])
					}
					got = got[1:]
				} else if got[0] == "" {
					got = nil
				}
				if (len(got) == 1) != c.raises {
					t.Fatalf("raised %s", got)
				}
				if c.raises && !strings.Contains(got[0], `"events":[{"id":"i1"`) {
					t.Errorf("the alert does not lead to its event: %s", got[0])
				}
			}
		})
	}
}

func TestExplainWrapped(t *testing.T) {
	l, err := Load(Sources{Rules: []string{ruleFile(t, wrappedRule)}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewExplainer(l.Rules, l.Fields)
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	e := b.Push([]byte(`{"event":{"id":"i1","original":"{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"C:\\\\a.exe\"}"}}`))
	if err := e.Parse(); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Explain(e); err != nil || !got[0].Raises(true) {
		t.Errorf("explained as %+v, %v", got, err)
	}
	if got := x.Sources(e); !strings.Contains(got, "process_creation") {
		t.Errorf("taken to be of %s", got)
	}
}
