package enrich

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// table1 is a users.csv of which every cell names its generation, so that a mixture shows.
func table1(gen, rows int) string {
	var b strings.Builder
	b.WriteString("id,sam,name,email,office\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,u%d,name %d,mail%d@%d,office %d\n", i, i, gen, i, gen, gen)
	}
	return b.String()
}

// replace puts a file in the place of another by rename, as tools that do it right do.
func replace(t testing.TB, dir, name, text string) {
	t.Helper()
	put(t, dir, name+".new", text)
	if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// process takes one event through s; what the stage itself tells behind it is left out.
func process(t testing.TB, s *Stage, line string) string {
	t.Helper()
	var b event.Batch
	b.Push([]byte(line))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	out, _, _ := strings.Cut(string(b.AppendLines(nil)), "\n")
	return out
}

// TestSwapUnderLoad replaces the file while events stream: all come out, in order, each enriched by one generation only,
// and generations only go up.
func TestSwapUnderLoad(t *testing.T) {
	dir := put(t, "", "users.csv", table1(1, 50), "enrich.yaml", "poll: 20ms\n"+peopleYAML)
	s := open(t, dir, Options{})
	in, feed := io.Pipe()
	stop := make(chan struct{})
	sent := make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				_ = feed.Close()
				sent <- n
				return
			default:
				fmt.Fprintf(feed, `{"n":%d,"user":{"name":"u%d"}}`+"\n", n, n%50)
			}
		}
	}()
	go func() {
		defer close(stop)
		for gen := 2; gen <= 4; gen++ {
			replace(t, dir, "users.csv", table1(gen, 50))
			for range 500 {
				if strings.Contains(rowsOf(s.shared.next.Load().dims["users"]), fmt.Sprintf("name %d", gen)) {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}()
	var out bytes.Buffer
	if err := stage.Pump(t.Context(), &stage.Lines{In: in, Stage: Name}, stage.NewChain(stage.NewWriter(&out, nil), s)); err != nil {
		t.Fatal(err)
	}
	n, last := 0, 1
	for line := range strings.Lines(out.String()) {
		if got := field(t, line, "n"); got != fmt.Sprint(n) {
			t.Fatalf("event %s is at place %d", got, n)
		}
		gen := 0
		if _, err := fmt.Sscanf(field(t, line, "user.full_name"), "name %d", &gen); err != nil || gen < last {
			t.Fatalf("event %d: generation %d after %d (%v)", n, gen, last, err)
		}
		if want := fmt.Sprintf("mail%d@%d", n%50, gen); field(t, line, "user.email") != want || field(t, line, "user.office.city") != fmt.Sprintf("office %d", gen) {
			t.Fatalf("event %d is enriched by two generations: %s", n, line)
		}
		last = gen
		n++
	}
	if want := <-sent; n != want || last != 4 {
		t.Errorf("%d of %d events came out, the last of generation %d", n, want, last)
	}
}

// TestRefused: whatever is wrong with a new file, the old snapshot answers, and the log says why, once.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"torn", "id,sam,name,email,office\n1,u1,na", "torn"},
		{"empty", "", "empty"},
		{"other columns", "id,sam,email\n" + strings.Repeat("1,u1,x\n", 60), "no column"},
		{"other key columns", "number,login\n" + strings.Repeat("1,u1\n", 60), "no key column"},
		{"too few rows", table1(2, 34), "16 of 50 rows vanished"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := put(t, "", "users.csv", table1(1, 50), "enrich.yaml", "poll: 10ms\n"+peopleYAML)
			var log logbook
			s := open(t, dir, Options{Log: log.logger()})
			replace(t, dir, "users.csv", c.text)
			eventually(t, "a refusal", func() bool { return strings.Contains(log.String(), "refused") })
			if !strings.Contains(log.String(), c.want) {
				t.Errorf("%q is not in: %s", c.want, log.String())
			}
			time.Sleep(60 * time.Millisecond)
			if n := strings.Count(log.String(), "old snapshot stays"); n != 1 {
				t.Errorf("told %d times", n)
			}
			if got := process(t, s, `{"user":{"name":"u49"}}`); field(t, got, "user.full_name") != "name 1" {
				t.Errorf("not the old snapshot: %s", got)
			}
			var prom bytes.Buffer
			s.shared.metrics.set.WritePrometheus(&prom)
			if !strings.Contains(prom.String(), `leat_enrich_load_failures_total{dimension="users"} 1`) {
				t.Errorf("not counted:\n%s", prom.String())
			}
			// Once mended, it is taken.
			replace(t, dir, "users.csv", table1(3, 50))
			eventually(t, "the mended file", func() bool {
				return field(t, process(t, s, `{"user":{"name":"u49"}}`), "user.full_name") == "name 3"
			})
		})
	}
}

// TestFewerRowsWhereMeant: 30 % less is taken, and with max_shrink: 1 anything is.
func TestFewerRowsWhereMeant(t *testing.T) {
	for rows, yaml := range map[int]string{35: peopleYAML, 1: strings.Replace(peopleYAML, "fold: true", "fold: true, max_shrink: 1", 1)} {
		dir := put(t, "", "users.csv", table1(1, 50), "enrich.yaml", "poll: 10ms\n"+yaml)
		s := open(t, dir, Options{})
		replace(t, dir, "users.csv", table1(2, rows))
		eventually(t, "the smaller file", func() bool {
			return field(t, process(t, s, `{"user":{"name":"u0"}}`), "user.full_name") == "name 2"
		})
	}
}

// TestFewerRowsOfAHistory: rows that ended do not hide that most of those that hold are gone.
func TestFewerRowsOfAHistory(t *testing.T) {
	yaml := "poll: 10ms\n" + strings.Replace(peopleYAML, "fold: true", "fold: true, history: {}", 1)
	dir := put(t, "", "users.csv", table1(1, 50), "enrich.yaml", yaml)
	var log logbook
	s := open(t, dir, Options{Log: log.logger()})
	for gen := 2; gen < 5; gen++ {
		replace(t, dir, "users.csv", table1(gen, 50))
		eventually(t, "the next", func() bool {
			return field(t, process(t, s, `{"user":{"name":"u49"}}`), "user.full_name") == fmt.Sprintf("name %d", gen)
		})
	}
	replace(t, dir, "users.csv", table1(5, 34))
	eventually(t, "a refusal", func() bool { return strings.Contains(log.String(), "16 of 50 rows vanished") })
	if got := process(t, s, `{"user":{"name":"u49"}}`); field(t, got, "user.full_name") != "name 4" {
		t.Errorf("not the old snapshot: %s", got)
	}
}

// TestGone: a file that is taken away leaves its snapshot in use; one that was not there at first is taken when it comes.
func TestGone(t *testing.T) {
	yaml := "poll: 10ms\n" + strings.Replace(peopleYAML, "fold: true", "fold: true, optional: true", 1)
	dir := put(t, "", "enrich.yaml", yaml)
	var log logbook
	s := open(t, dir, Options{Log: log.logger()})
	if got := process(t, s, `{"user":{"name":"u0"}}`); field(t, got, "leat.enrich.users") != "error" {
		t.Errorf("without a file: %s", got)
	}
	replace(t, dir, "users.csv", table1(1, 5))
	eventually(t, "the file", func() bool { return field(t, process(t, s, `{"user":{"name":"u0"}}`), "leat.enrich.users") == "hit" })
	if err := os.Remove(filepath.Join(dir, "users.csv")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a word", func() bool { return strings.Contains(log.String(), "no such file") })
	if got := process(t, s, `{"user":{"name":"u0"}}`); field(t, got, "leat.enrich.users") != "hit" {
		t.Errorf("after the file went: %s", got)
	}
}

// TestSwapAtMark: in a marked pipe the new snapshot comes with a mark, not before.
func TestSwapAtMark(t *testing.T) {
	dir := put(t, "", "users.csv", table1(1, 5), "enrich.yaml", "poll: 10ms\n"+peopleYAML)
	s := open(t, dir, Options{})
	if err := s.Hello(stage.Hello{Pipeline: "p", Run: "r"}); err != nil {
		t.Fatal(err)
	}
	replace(t, dir, "users.csv", table1(2, 5))
	eventually(t, "loading", func() bool { return s.shared.next.Load() != s.from })
	if got := field(t, process(t, s, `{"user":{"name":"u0"}}`), "user.full_name"); got != "name 1" {
		t.Errorf("before the mark: %s", got)
	}
	if err := s.Mark(stage.Mark{N: 1, Run: "r"}); err != nil {
		t.Fatal(err)
	}
	if got := field(t, process(t, s, `{"user":{"name":"u0"}}`), "user.full_name"); got != "name 2" {
		t.Errorf("after the mark: %s", got)
	}
}

// TestReloadConfig: SIGHUP takes rules anew, or none of it where a part is broken.
func TestReloadConfig(t *testing.T) {
	dir := put(t, "", "users.csv", table1(1, 5), "enrich.yaml", peopleYAML)
	var log logbook
	s := open(t, dir, Options{Log: log.logger(), Fixed: true})
	put(t, dir, "enrich.yaml", strings.Replace(peopleYAML, "user.email:", "user.mail:", 1))
	s.Reload()
	eventually(t, "the new rules", func() bool { return field(t, process(t, s, `{"user":{"name":"u0"}}`), "user.mail") != "" })

	for _, bad := range []string{"rules: [", strings.Replace(peopleYAML, "email, user", "mial, user", 1), strings.Replace(peopleYAML, "users.csv", "none.csv", 1)} {
		n := strings.Count(log.String(), "refused")
		put(t, dir, "enrich.yaml", bad)
		s.Reload()
		eventually(t, "a refusal", func() bool { return strings.Count(log.String(), "refused") > n })
		if got := process(t, s, `{"user":{"name":"u0"}}`); field(t, got, "user.mail") == "" {
			t.Errorf("the old rules are gone: %s", got)
		}
	}
}

// TestWrittenInPlace: a file that is written slowly, in place, is never seen half.
func TestWrittenInPlace(t *testing.T) {
	dir := put(t, "", "users.csv", table1(1, 50), "enrich.yaml", "poll: 5ms\n"+peopleYAML)
	s := open(t, dir, Options{})
	f, err := os.Create(filepath.Join(dir, "users.csv"))
	if err != nil {
		t.Fatal(err)
	}
	text := table1(2, 50)
	for i := 0; i < len(text); i += 200 {
		if _, err := f.WriteString(text[i:min(i+200, len(text))]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		if got := s.shared.next.Load().dims["users"]; got.Rows != 50 {
			t.Fatalf("%d rows are in use", got.Rows)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the whole file", func() bool {
		return field(t, process(t, s, `{"user":{"name":"u49"}}`), "user.full_name") == "name 2"
	})
}
