package learn

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/yamlfile"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ name, in, key, want string }{
		{"nothing", "keys: 5", "", "nothing to learn"},
		{"preset", "preset: [dhcp, dns, arp]", "preset", `no preset "arp"; expected some of dhcp, dns, kerberos, logon, mac, radius, vpn`},
		{"no when", "from: [{key: a, set: {b: c}}]", "from.1.when", "no conditions"},
		{"no key", "from: [{when: {a: b}, set: {b: c}}]", "from.1.key", "no key"},
		{"no set", "from: [{when: {a: b}, key: a}]", "from.1.set", "nothing to learn"},
		{"function", "from: [{when: {a: b}, key: a, set: {b: c | upper}}]", "from.1.set.b", `"upper"`},
		{"argument", "from: [{when: {a: b}, key: a | word, set: {b: c}}]", "from.1.key", `"word"`},
		{"word", "from: [{when: {a: b}, key: a | word two, set: {b: c}}]", "from.1.key", `expected a number from 1`},
		{"field", "from: [{when: {a..b: b}, key: a, set: {b: c}}]", "from.1.when", "empty part"},
		{"own column", "from: [{when: {a: b}, key: a, set: {shared: c}}]", "from.1.set.shared", "the table's own"},
		{"for", "from: [{when: {a: b}, key: a, set: {b: c}, for: 8d}]", "from.1.for", "8d"},
		{"for below 0", "from: [{when: {a: b}, key: a, set: {b: c}, for: -8h}]", "from.1.for", "above 0"},
		{"binds", "from: [{when: {a: b}, key: a, set: {b: c}, binds: d}]", "from.1.binds", "a column of set"},
		{"weak", "from: [{when: {a: b}, key: a, set: {b: c}, binds: b, weak: true}]", "from.1.weak", "can't be weak"},
		{"name", "from: [{name: x, when: {a: b}, key: a, set: {b: c}}, {name: x, when: {a: b}, key: a, set: {b: c}}]", "from.2.name", "two facts"},
		{"keys", "{preset: dhcp, keys: -1}", "keys", "expected 1 to"},
		{"per_key", "{preset: dhcp, per_key: 1}", "per_key", "expected 2 to"},
		{"bytes", "{preset: dhcp, max_bytes: 10}", "max_bytes", "65536"},
		{"late", "{preset: dhcp, late: 1ms}", "late", "expected 1s"},
		{"keep", "{preset: dhcp, keep: 10m}", "keep", "from late"},
		{"within", "{preset: dhcp, shared: {within: 999h}}", "shared.within", "expected 1s to keep"},
	} {
		var cfg Config
		if _, err := yamlfile.Decode("enrich.yaml", []byte(c.in), &cfg); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := cfg.Check()
		if len(got) == 0 || got[0].Key != c.key || !strings.Contains(got[0].Message, c.want) {
			t.Errorf("%s: %+v, want %s: %s", c.name, got, c.key, c.want)
		}
		if _, err := New(&cfg, Options{Name: "d"}); err == nil || !strings.Contains(err.Error(), `learned dimension "d"`) {
			t.Errorf("%s: New: %v", c.name, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	var cfg Config
	if _, err := yamlfile.Decode("enrich.yaml", []byte("{preset: [dhcp, kerberos], from: [{when: {event.dataset: x}, key: ip, set: {host.owner: owner}, for: 8h}]}"), &cfg); err != nil {
		t.Fatal(err)
	}
	if bad := cfg.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	if cfg.Keys != 1_000_000 || cfg.PerKey != 32 || cfg.Keep != 7*24*time.Hour || cfg.Shared.Column != "user.name" {
		t.Errorf("%+v", cfg)
	}
	want := []string{"host.mac", "host.name", "host.owner", "user.id", "user.name", "shared", "first_seen", "last_seen"}
	if got := cfg.Columns(); !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// Every preset is a configuration that Check takes, with names that tell facts apart.
func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Presets() {
		facts := preset(name)
		cfg := &Config{From: slices.Clone(facts)}
		if bad := cfg.Check(); len(bad) > 0 {
			t.Errorf("%s: %v", name, bad)
		}
		tab := mustNew(t, &Config{Preset: Names{name}})
		if len(tab.anyDataset) > 0 {
			t.Errorf("%s: %d facts are tried for events of every dataset", name, len(tab.anyDataset))
		}
		for _, f := range facts {
			if seen[f.Name] {
				t.Errorf("two facts have the name %s", f.Name)
			}
			seen[f.Name] = true
		}
	}
}
