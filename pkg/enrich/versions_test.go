package enrich

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/stage"
)

func TestState(t *testing.T) {
	dir := put(t, "", "users.csv", people, "enrich.yaml", peopleYAML)
	state := filepath.Join(dir, "state")
	run := func(resume int64, marks ...int64) string {
		t.Helper()
		var log logbook
		cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(cfg, Options{State: state, Log: log.logger(), Fixed: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Hello(stage.Hello{Pipeline: "p", Epoch: 3, Run: "r", Resume: resume}); err != nil {
			t.Fatal(err)
		}
		for _, n := range marks {
			if err := s.Mark(stage.Mark{N: n, Run: "r"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	book := func() string {
		data, err := os.ReadFile(filepath.Join(state, "versions.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	run(0, 1, 2, 3)
	if got := book(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `{"pipeline":"p","epoch":3,"mark":1,"versions":{"users":"`) {
		t.Errorf("only a change is noted: %s", got)
	}
	if log := run(3, 4); strings.Contains(log, "changed while") {
		t.Errorf("nothing changed: %s", log)
	}
	put(t, dir, "users.csv", people+"9,x,y,z,w\n")
	if log := run(4, 5); !strings.Contains(log, "a dimension changed while the pipe was down") {
		t.Errorf("not told: %s", log)
	}
	// A line that a crash tore is no version, and does not spoil the next.
	f, err := os.OpenFile(filepath.Join(state, "versions.ndjson"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"pipeline":"p","mark":6,"ver`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "users.csv", people)
	if log := run(5, 6); !strings.Contains(log, "changed while") {
		t.Errorf("not told: %s", log)
	}
	if log := run(6, 7); strings.Contains(log, "changed while") {
		t.Errorf("the entry behind a torn line was not read: %s\n%s", log, book())
	}
}

func TestStateIsLocked(t *testing.T) {
	dir := put(t, "", "users.csv", people, "enrich.yaml", peopleYAML)
	open(t, dir, Options{State: filepath.Join(dir, "s")})
	cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg, Options{State: filepath.Join(dir, "s")}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
	if _, err := New(cfg, Options{State: filepath.Join(dir, "users.csv")}); err == nil {
		t.Error("a file was taken for a folder")
	}
}
