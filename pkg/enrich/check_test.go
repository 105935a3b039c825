package enrich

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func config(t testing.TB, dir string) *Config {
	t.Helper()
	cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestCheck(t *testing.T) {
	cfg := config(t, put(t, "", "users.csv", people, "enrich.yaml", peopleYAML))
	got, err := Check(t.Context(), cfg, in(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Rows != 2 || got[0].Keys != 6 || got[0].Duplicates != 0 || got[0].Age < 59*time.Minute {
		t.Fatalf("%+v", got)
	}
	if c := got[0].Columns; len(c) != 5 || c[4] != (ColumnReport{"office", 1}) || c[0] != (ColumnReport{"id", 0}) {
		t.Errorf("columns: %+v", c)
	}
}

func TestCheckFaults(t *testing.T) {
	for _, c := range []struct{ name, users, yaml, want string }{
		{"duplicates", people + "9,jkovacs,x,y,z\n", peopleYAML, "1 keys are in more than one row"},
		{"too old", people, strings.Replace(peopleYAML, "fold: true", "fold: true, max_age: 1m", 1), "max_age is 1m"},
		{"another encoding", people + "9,kov\xe1cs,Kov\xe1cs,y,z\n", peopleYAML, `column "sam": 1 values, the first in row`},
		{"broken", "id\n1,2\n", peopleYAML, "line 2"},
		{"a column that is not there", people, strings.Replace(peopleYAML, "office}", "offices}", 1), `no column "offices"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Check(t.Context(), config(t, put(t, "", "users.csv", c.users, "enrich.yaml", c.yaml)), in(time.Hour))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q is not in: %v", c.want, err)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	cfg := config(t, put(t, "", "users.csv", people, "enrich.yaml", peopleYAML))
	got, err := Lookup(t.Context(), cfg, Options{}, "users", " N.BYRNE@corp.example ", time.Now())
	if err != nil || string(got) != `{"id":"8","sam":"nbyrne","name":"Niamh Byrne","email":"n.byrne@corp.example"}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Lookup(t.Context(), cfg, Options{}, "users", "x", time.Now()); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	if _, err := Lookup(t.Context(), cfg, Options{}, "hosts", "x", time.Now()); err == nil || !strings.Contains(err.Error(), "expected one of users") {
		t.Errorf("%v", err)
	}
	geo := config(t, geoDir(t))
	if got, err := Lookup(t.Context(), geo, Options{}, "asn", "192.0.2.1", time.Now()); err != nil || !strings.Contains(string(got), `"autonomous_system_number":64496`) {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Lookup(t.Context(), geo, Options{}, "asn", "203.0.113.1", time.Now()); !errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
	if _, err := Lookup(t.Context(), geo, Options{}, "asn", "x", time.Now()); err == nil || errors.Is(err, ErrNoRow) {
		t.Errorf("%v", err)
	}
}
