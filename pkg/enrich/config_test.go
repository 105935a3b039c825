package enrich

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigFaults(t *testing.T) {
	const users = "dimensions:\n  users: {file: users.csv, key: sam}\n"
	const rule = "rules:\n  - {field: user.name, dimension: users, set: {user.email: email}}\n"
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"unknown key", "dimensions:\n  users: {file: users.csv, kye: [id]}\nrules: []\n", []string{"enrich.yaml:2:28", `"kye"`, "expected one of", "key", "^"}},
		{"no rules", users, []string{"no rules"}},
		{"empty dimension", "dimensions:\n  users:\n" + rule, []string{`"users" is empty`}},
		{"no file", "dimensions:\n  users: {key: sam}\n" + rule, []string{":2:16", "no file"}},
		{"no key", "dimensions:\n  users: {file: users.csv}\n" + rule, []string{":2:17", "no key"}},
		{"format", "dimensions:\n  users: {file: users.xls, key: sam}\n" + rule, []string{"format", "csv, json, list, mmdb or parquet"}},
		{"a URL", "dimensions:\n  users: {file: https://corp.example/users.csv, key: sam}\n" + rule, []string{":2:17", "is a URL", "http: {url: ...}"}},
		{"join", "dimensions:\n  users: {file: users.csv, key: sam, join: left}\n" + rule, []string{`"left"`, "exact, cidr, range or suffix"}},
		{"range keys", "dimensions:\n  users: {file: users.csv, key: sam, join: range}\n" + rule, []string{"two key columns", "found 1"}},
		{"template in a range", "dimensions:\n  users: {file: users.csv, key: ['{a}x', b], join: range}\n" + rule, []string{":2:34", "braces"}},
		{"broken template", "dimensions:\n  users: {file: users.csv, key: '{sam'}\n" + rule, []string{":2:33", "}"}},
		{"key of a database", "dimensions:\n  users: {file: users.mmdb, key: sam}\n" + rule, []string{"own key"}},
		{"duplicates", "dimensions:\n  users: {file: users.csv, key: sam, duplicates: last}\n" + rule, []string{`"last"`, "first or error"}},
		{"separator", "dimensions:\n  users: {file: users.csv, key: sam, separator: '::'}\n" + rule, []string{"one character"}},
		{"type", "dimensions:\n  users: {file: users.csv, key: sam, types: {a: int}}\n" + rule, []string{`"int"`, "number"}},
		{"shrink", "dimensions:\n  users: {file: users.csv, key: sam, max_shrink: 30}\n" + rule, []string{"max_shrink 30", "0 to 1"}},
		{"below zero", "dimensions:\n  users: {file: users.csv, key: sam, max_rows: -1}\n" + rule, []string{"below 0"}},
		{"age", "dimensions:\n  users: {file: users.csv, key: sam, max_age: old}\n" + rule, []string{":2:47", `"old"`, "duration"}},
		{"poll", "poll: -1s\n" + users + rule, []string{"poll"}},
		{"unknown dimension", users + "rules:\n  - {field: user.name, dimension: user, set: {a: b}}\n", []string{":4:35", `no dimension "user"`}},
		{"no field", users + "rules:\n  - {dimension: users, set: {a: b}}\n", []string{":4:17", "without field"}},
		{"no set", users + "rules:\n  - {field: user.name, dimension: users}\n", []string{"without set"}},
		{"field twice in set", users + "rules:\n  - {field: a, dimension: users, set: {a: b, a: c}}\n", []string{":4:39", `"a"`, "twice"}},
		{"miss", users + "rules:\n  - {field: a, dimension: users, set: {a: b}, on_miss: drop}\n", []string{":4:56", `"drop"`, "pass, default, error"}},
		{"default without a policy", users + "rules:\n  - {field: a, dimension: users, set: {a: b}, default: {a: c}}\n", []string{"belong together"}},
		{"policy without default", users + "rules:\n  - {field: a, dimension: users, set: {a: b}, on_miss: default}\n", []string{"belong together"}},
		{"one status twice", users + "rules:\n  - &r {field: a, dimension: users, set: {a: b}, status: true}\n  - *r\n", []string{"leat.enrich.users", "name:"}},
		{"empty rule", users + "rules:\n  -\n", []string{"empty rule"}},
		{"set is a list", users + "rules:\n  - {field: a, dimension: users, set: [a]}\n", []string{":4:39", "table of field names"}},
		{"field is a table", users + "rules:\n  - {field: {a: b}, dimension: users, set: {a: b}}\n", []string{":4:13", "name or a list"}},
		{"not yaml", "dimensions: [", []string{"not YAML"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(filepath.Join(put(t, "", "enrich.yaml", c.yaml), "enrich.yaml"))
			if err == nil {
				t.Fatal("no fault found")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

// TestAllFaultsAtOnce: who mends a file is not told one fault a time.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := Load(filepath.Join(put(t, "", "enrich.yaml",
		"dimensions:\n  a: {file: a.csv}\n  b: {file: b.xls, key: k}\nrules:\n  - {field: x, dimension: c, set: {y: z}}\n"), "enrich.yaml"))
	for _, w := range []string{"no key", "format", `no dimension "c"`} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
}

// TestBindFaults: what only the files can tell is told with its place in enrich.yaml too.
func TestBindFaults(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"no such file", "dimensions:\n  users: {file: none.csv, key: sam}\nrules:\n  - {field: a, dimension: users, set: {b: c}}\n",
			[]string{"enrich.yaml:2:17", `"users"`, "none.csv", "no such file"}},
		{"no such column", "dimensions:\n  users: {file: users.csv, key: sam}\nrules:\n  - {field: a, dimension: users, set: {b: mial}}\n",
			[]string{"enrich.yaml:4:43", `"mial"`, "expected one of id, sam, name, email, office", "^"}},
		{"no such key column", "dimensions:\n  users: {file: users.csv, key: uid}\nrules:\n  - {field: a, dimension: users, set: {b: name}}\n",
			[]string{`no key column "uid"`, `"sam"`}},
		{"no such typed column", "dimensions:\n  users: {file: users.csv, key: sam, types: {x: bool}}\nrules:\n  - {field: a, dimension: users, set: {b: name}}\n",
			[]string{`no column "x"`}},
		{"a field that is none", "dimensions:\n  users: {file: users.csv, key: sam}\nrules:\n  - {field: a..b, dimension: users, set: {c..d: name}, unless: e..f}\n",
			[]string{"a..b", "c..d", "e..f", "empty part"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Load(filepath.Join(put(t, "", "users.csv", people, "enrich.yaml", c.yaml), "enrich.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = New(cfg, Options{})
			for _, w := range c.want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(peopleYAML))
	f.Add([]byte("dimensions:\n  a: {file: users.csv, key: ['{id}x{sam}'], join: cidr, types: {id: number}}\nrules:\n  - {field: ['{a}', b], dimension: a, default: {c: [1]}, on_miss: default}\n"))
	dir := put(f, "", "users.csv", people)
	f.Fuzz(func(t *testing.T, yaml []byte) {
		path := filepath.Join(dir, "enrich.yaml")
		if err := os.WriteFile(path, yaml, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(path)
		if err != nil {
			return
		}
		for _, d := range cfg.Dimensions {
			// Only the file that is there: fuzzing must not read others.
			d.path = filepath.Join(dir, "users.csv")
		}
		if s, err := New(cfg, Options{Fixed: true}); err == nil {
			lines(t, s, `{"user":{"name":"jkovacs"}}`)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
