package respond

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// book parses a playbook that must be good.
func book(t testing.TB, text string) *Playbook {
	t.Helper()
	b, err := ParsePlaybook(filepath.Join(t.TempDir(), "playbook.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPlaybook(t *testing.T) {
	t.Setenv("SOC_SECRET", "whsec_"+"c2VjcmV0")
	t.Setenv("SOC_TOKEN", "Bearer abc")
	b := book(t, `
plays:
  - name: lock
    when: {rule: 'payroll-*', severity: ">= high", fields: {user.office.city: Budapest, event.code: 4625}}
    target: user.name
    actions:
      - exec: {argv: [/bin/true, -x], env: [HOME]}
      - name: page
        webhook: {url: "https://hooks.example.com/soc", headers: {X-Team: blue}, headers_env: {authorization: SOC_TOKEN}, secret_env: SOC_SECRET}
        notify: true
        target: source.ip
        budget: {max: 3, per: 1m}
allow: {users: administrator, cidrs: [10.0.0.0/8, "::ffff:192.0.2.0/120", 2001:db8::1]}
budget: {total: {max: 2, per: 10m}}
`)
	lock, page := b.Plays[0].Actions[0], b.Plays[0].Actions[1]
	if lock.Name != "exec:true" || lock.Exec.Timeout != 10*time.Second || lock.Target != "user.name" {
		t.Errorf("exec: %+v", lock)
	}
	if page.Target != "source.ip" || string(page.Webhook.secret) != "secret" || page.Webhook.header.Get("Authorization") != "Bearer abc" || page.Webhook.Attempts != 4 {
		t.Errorf("webhook: %+v", page.Webhook)
	}
	if got := b.Plays[0].When.Fields["event.code"]; len(got) != 1 || got[0] != "4625" {
		t.Errorf("a number as a pattern: %q", got)
	}
	if *b.Hold != 2*time.Second || b.Concurrency != 4 || b.Budget.Total.Max != 2 || b.Budget.PerAction.Max != 20 {
		t.Errorf("defaults: %+v", b)
	}
	if len(b.Allow.nets) != 3 || b.Allow.nets[1].String() != "192.0.2.0/24" {
		t.Errorf("networks: %v", b.Allow.nets)
	}
}

func TestPlaybookFaults(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	exec := "plays: [{name: p, when: {rule: x}, actions: [{exec: %}]}]"
	hook := "plays: [{name: p, when: {rule: x}, actions: [{webhook: %}]}]"
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "no plays"},
		{"unknown key", "plays: []\nalow: {}\n", `p.yaml:2:1: unknown key "alow"`},
		{"no name", "plays: [{when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]", `name is ""`},
		{"no condition", "plays: [{name: p, actions: [{exec: {argv: [/bin/true]}}]}]", "every alert would match"},
		{"severity", "plays:\n- name: p\n  when: {severity: '>= hihg'}\n", "p.yaml:3:20: severity is \">= hihg\""},
		{"operator", "plays: [{name: p, when: {severity: '=> high'}}]", `operator "=>"`},
		{"empty pattern", "plays: [{name: p, when: {rule: ['']}, actions: [{exec: {argv: [/bin/true]}}]}]", "empty pattern"},
		{"no actions", "plays: [{name: p, when: {rule: x}}]", "no actions"},
		{"two kinds", exec2(exec, "{argv: [/bin/true]}, webhook: {url: 'https://x/'}"), "both exec and webhook"},
		{"no kind", "plays: [{name: p, when: {rule: x}, actions: [{name: a}]}]", "neither exec nor webhook"},
		{"argv", exec2(exec, "{argv: []}"), "no argv"},
		{"no program", exec2(exec, "{argv: [/no/such]}"), "no program /no/such"},
		{"not executable", exec2(exec, "{argv: [plain.txt]}"), "is not executable"},
		{"timeout", exec2(exec, "{argv: [/bin/true], timeout: 1h}"), "timeout is 1h"},
		{"env", exec2(exec, "{argv: [/bin/true], env: [LD_PRELOAD]}"), "LD_PRELOAD"},
		{"same name", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}, {exec: {argv: [/bin/true]}}]}]", "two actions"},
		{"same play", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}, {name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]", "two plays"},
		{"url", exec2(hook, "{url: 'ftp://x'}"), "expected https"},
		{"http", exec2(hook, "{url: 'http://hooks.example.com/'}"), "http would send"},
		{"credentials", exec2(hook, "{url: 'https://u:p@hooks.example.com/'}"), "headers_env"},
		{"own header", exec2(hook, "{url: 'https://x.example/', headers: {idempotency-key: x}}"), "set by respond"},
		{"bad header", exec2(hook, `{url: 'https://x.example/', headers: {X-A: "a\nb"}}`), "line break"},
		{"secret", exec2(hook, "{url: 'https://x.example/', secret_env: LEAT_NOT_SET}"), "LEAT_NOT_SET is empty"},
		{"secret file", exec2(hook, "{url: 'https://x.example/', secret_file: /no/such}"), "no such file"},
		{"attempts", exec2(hook, "{url: 'https://x.example/', attempts: 99}"), "expected 1 to 10"},
		{"ca", exec2(hook, "{url: 'https://x.example/', ca_file: plain.txt}"), "no certificate"},
		{"cidr", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nallow: {cidrs: [10.0.0.0/33]}", `p.yaml:2:8: allow cidrs: "10.0.0.0/33"`},
		{"invisible user", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nallow: {users: [\"\u200b\"]}", "empty name"},
		{"budget", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nbudget: {total: {max: -1, per: 1h}}", "max is -1"},
		{"budget per", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nbudget: {total: {max: 1}}", "per is 0s"},
		{"concurrency", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nconcurrency: 1000", "expected 1 to 64"},
		{"hold", "plays: [{name: p, when: {rule: x}, actions: [{exec: {argv: [/bin/true]}}]}]\nhold: 2m", "expected 0s to 1m"},
	} {
		_, err := ParsePlaybook(filepath.Join(dir, "p.yaml"), []byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		} else if !strings.Contains(err.Error(), "p.yaml:") || !strings.Contains(err.Error(), ":") {
			t.Errorf("%s: no position: %v", c.name, err)
		}
	}
}

func exec2(form, with string) string { return strings.Replace(form, "%", with, 1) }

func TestPlaybookSecretStaysOut(t *testing.T) {
	t.Setenv("SOC_SECRET", "whsec_%%%")
	_, err := ParsePlaybook("p.yaml", []byte("plays: [{name: p, when: {rule: x}, actions: [{webhook: {url: 'https://x.example/', secret_env: SOC_SECRET}}]}]"))
	if err == nil || strings.Contains(err.Error(), "%%%") {
		t.Errorf("a fault that tells the secret, or none: %v", err)
	}
}

func FuzzParsePlaybook(f *testing.F) {
	f.Add([]byte("plays: [{name: p, when: {rule: x, severity: high}, actions: [{exec: {argv: [/bin/true]}}]}]"))
	f.Add([]byte("plays: &a [{name: p, when: {fields: {a.b: [1, x*]}}, actions: [{webhook: {url: 'https://x/'}}]}]\nallow: {cidrs: [::/0]}"))
	f.Add([]byte("plays: *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParsePlaybook("p.yaml", data)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("empty message")
			}
			return
		}
		if _, err := newPlan(b); err != nil {
			t.Fatalf("a checked playbook makes no plan: %v", err)
		}
	})
}
