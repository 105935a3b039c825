package redact

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"fields: {user.nam: hash}\nkey: {env: KEY}", `r.yaml:1:10: "user.nam" is no field of ECS`},
		{"fields: {user.nam: remove}", "did you mean user.name?"},
		{"fields: {source.ip: mask}", "r.yaml:1:10: source.ip is of type ip: expected remove or address"},
		{"fields: {process.pid: {replace: x}}", "process.pid is of type long: expected remove\n"},
		{"fields: {event.kind: remove}", "event.kind: stages need it as it is"},
		{"fields: {user.name: hash}", "r.yaml:1:21: user.name: needs a key"},
		{"fields: {user.name: shred}", "expected remove, mask, hash, address"},
		{"fields: {user.name: {mask: x}}", `expected a number from 0 to 64, found "x"`},
		{"key: {env: KEY}\nfields: {user.name: {hash: 4}}", "expected a number from 8 to 64"},
		{"patterns: {phone: remove}", `no built-in pattern "phone"; expected one of aws_key, bearer, card, email, iban, ipv4, ipv6, jwt`},
		{"patterns: {x: {match: '(', with: a, do: remove}}", "r.yaml:1:23: x: error parsing regexp"},
		{"patterns: {x: {match: 'a*', with: a, do: remove}}", "matches the empty text"},
		{"patterns: {x: {match: 'a', do: remove}}", "expected the keys match (RE2), with"},
		{"patterns: {x: {match: 'a', with: a, action: remove}}", `unknown key "action"`},
		{"key: 0123456789abcdef0123\nfields: {user.name: hash}", "the key itself does not belong into this file"},
		{"key: {env: NONE}\nfields: {user.name: hash}", "the environment has no variable NONE"},
		{"key: {env: SHORT}\nfields: {user.name: hash}", "expected at least 16 bytes, found 7"},
		{"key: {file: /none}\nfields: {user.name: hash}", "no such file"},
		{"original: keep\nfields: {user.name: remove}", `original: expected drop or rewrite, found "keep"`},
		{"unread: keep\nfields: {user.name: remove}", `unread: expected drop or patterns`},
		{"field: {user.name: remove}", `unknown key "field"`},
		{"{}", "expected rules"},
		{"fields: {user.name: remove, user.name: mask}", "is there twice"},
	} {
		_, err := Parse("r.yaml", []byte(c.file), func(name string) string {
			return map[string]string{"KEY": testKey, "SHORT": "tooweak"}[name]
		})
		if err == nil || !strings.Contains(err.Error()+"\n", c.want) {
			t.Errorf("%s\n gives: %v\n want: %s", c.file, err, c.want)
		} else if !strings.Contains(err.Error(), "^") {
			t.Errorf("no caret: %v", err)
		} else if strings.Contains(err.Error(), "tooweak") {
			t.Errorf("the key is shown: %v", err)
		}
	}
}

func TestKeyOfAFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"key": testKey + "\n", "redact.yaml": "key: {file: " + filepath.Join(dir, "key") + "}\nfields: {user.name: hash}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(filepath.Join(dir, "redact.yaml"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	const line = `{"@timestamp":"2026-11-24T08:17:44Z","user":{"name":"ann"}}`
	if a, b := redacted(t, New(cfg), line), redacted(t, stageOf(t, "key: {env: KEY}\nfields: {user.name: hash}"), line); a != b {
		t.Errorf("the same key of a file gives %s, of the environment %s", a, b)
	}
}

// TestExample: the file that users begin with loads, and does what it says.
func TestExample(t *testing.T) {
	cfg, err := Load(filepath.Join("..", "..", "examples", "redact.yaml"), func(name string) string {
		if name == "LEAT_REDACT_KEY" {
			return testKey
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	out := redacted(t, New(cfg), logon)
	for _, gone := range []string{"ann.lee", "192.0.2.10\"", "original", `"1:x"`} {
		if strings.Contains(strings.ToLower(out), gone) && gone != "original" || strings.Contains(out, `"original":`) {
			t.Errorf("%q is left in %s", gone, out)
		}
	}
}
