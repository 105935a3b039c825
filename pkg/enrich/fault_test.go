package enrich

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// faulty are files that can't become the dimension of faultyYAML, and what is said of each. The word secret, which stands
// in some, is private data.
var faulty = []struct {
	name string
	put  func(t *testing.T, path string)
	want string
}{
	{"torn in a row", writes("sam,email\nann,a@corp.example\nbob,b@corp.example\ncyd\n"), "line 4 has more or fewer columns than the header line (a torn file?)"},
	{"torn in a quoted value", writes("sam,email\nann,\"secret"), "line 2: a quoted value that begins in line 2 is broken off"},
	{"another key column", writes("login,email\nann,secret\nbob,y\n"), `no key column "sam"; the table has ["login" "email"]`},
	{"a column that a rule names is gone", writes("sam,phone\nann,1\nbob,2\n"), `no column "email"; expected one of sam, phone`},
	{"one key in two rows", writes("sam,email\nann,x\nbob,y\nANN,secret\n"), "rows 1 and 3 have the same key"},
	{"most rows gone", writes("sam,email\nbob,secret\n"), "1 of 2 rows vanished, more than max_shrink (0.3)"},
	{"empty", writes(""), "the file is empty"},
	{"header only", writes("sam,email\n"), "no rows"},
	{"no text", writes("\x7fELF\x02\x01\x01\x00\n\x00\x00\n"), "no key column"},
	{"two GiB", func(t *testing.T, path string) {
		if f, err := os.Create(path); err != nil {
			t.Fatal(err)
		} else if err := f.Truncate(2 << 30); err != nil { // takes no space
			t.Fatal(err)
		} else if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}, "the file has 2147483648 bytes; max_bytes is 1073741824"},
	{"a folder", func(t *testing.T, path string) {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}, "not a regular file"},
	{"a named pipe", func(t *testing.T, path string) {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}, "not a regular file"},
	{"gone", func(*testing.T, string) {}, "no such file or directory"},
}

func writes(s string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) { put(t, filepath.Dir(path), filepath.Base(path), s) }
}

const (
	sound      = "sam,email\nann,ann@corp.example\nbob,bob@corp.example\n"
	faultyYAML = `poll: 10ms
dimensions:
  users: {file: users.csv, key: sam, fold: true, duplicates: error}
rules:
  - {field: user.name, dimension: users, status: true, set: {user.email: email}}
`
)

// TestFaultsAtTheStart: without an earlier snapshot the stage does not start, and says what is wrong with which file.
func TestFaultsAtTheStart(t *testing.T) {
	for _, c := range faulty {
		if strings.Contains(c.want, "max_shrink") {
			continue // nothing was there that could vanish
		}
		t.Run(c.name, func(t *testing.T) {
			dir := put(t, "", "enrich.yaml", faultyYAML)
			c.put(t, filepath.Join(dir, "users.csv"))
			s, err := New(config(t, dir), Options{})
			if err == nil {
				t.Fatal("started", s.Close())
			}
			for _, want := range []string{c.want, "enrich.yaml:", "users"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("private data: %v", err)
			}
		})
	}
}

// TestFaultsWhileRunning: whatever becomes of the file, events go on with what was known; one event tells of the fault with
// the reason, and one that it is over.
func TestFaultsWhileRunning(t *testing.T) {
	for _, c := range faulty {
		t.Run(c.name, func(t *testing.T) {
			dir := put(t, "", "users.csv", sound, "enrich.yaml", faultyYAML)
			path := filepath.Join(dir, "users.csv")
			s := open(t, dir, Options{})
			const in = `{"user":{"name":"ann"}}`
			told := map[string]int{}
			through := func(action, reason string) func() bool {
				return func() (found bool) {
					out := lines(t, s, in+"\n")
					if field(t, out[0], "user.email") != "ann@corp.example" || field(t, out[0], "leat.enrich.users") != "hit" {
						t.Fatalf("not the old snapshot: %s", out[0])
					}
					for _, line := range out[1:] {
						if strings.Contains(line, "secret") || field(t, line, "event.action") == "dimension-failed" && field(t, line, "leat.dimension.rows") != "2" {
							t.Errorf("private data, or another snapshot: %s", line)
						}
						told[field(t, line, "event.action")]++
						found = found || field(t, line, "event.action") == action && strings.Contains(field(t, line, "event.reason"), reason)
					}
					return found
				}
			}
			c.put(t, path+".new")
			if err := os.Rename(path+".new", path); err != nil {
				// A folder can't take a file's place, and nothing was made where it goes.
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				c.put(t, path)
			}
			eventually(t, "the fault", through("dimension-failed", c.want))
			if err := os.RemoveAll(path + ".new"); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			put(t, dir, "next.csv", sound+"cyd,cyd@corp.example\n")
			if err := os.Rename(filepath.Join(dir, "next.csv"), path); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the end of it", through("dimension-recovered", ""))
			if got := process(t, s, `{"user":{"name":"cyd"}}`); field(t, got, "user.email") != "cyd@corp.example" {
				t.Errorf("not the mended file: %s", got)
			}
			// Before and after the fault the file may be gone for a moment: that is a fault of its own.
			if told["dimension-failed"] > 3 || told["dimension-recovered"] != 1 {
				t.Errorf("told: %v", told)
			}
		})
	}
}

// TestFaultAtTheStartIsTold: a stage that starts from the snapshot of an earlier run says, by an event and once, that its
// file is of no use, and when it is again.
func TestFaultAtTheStartIsTold(t *testing.T) {
	for _, c := range faulty {
		t.Run(c.name, func(t *testing.T) {
			dir, state := put(t, "", "users.csv", sound, "enrich.yaml", faultyYAML), t.TempDir()
			path := filepath.Join(dir, "users.csv")
			s, err := New(config(t, dir), Under(state))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			c.put(t, path)
			s = open(t, dir, Under(state))
			out := lines(t, s, `{"user":{"name":"ann"}}`+"\n")
			if len(out) != 2 || field(t, out[0], "user.email") != "ann@corp.example" || field(t, out[1], "event.action") != "dimension-failed" ||
				!strings.Contains(field(t, out[1], "event.reason"), c.want) {
				t.Fatal(out)
			}
			put(t, dir, "next.csv", sound)
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "next.csv"), path); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the end of it", func() bool {
				for _, line := range lines(t, s, `{"user":{"name":"ann"}}`+"\n")[1:] {
					if field(t, line, "event.action") == "dimension-recovered" {
						return true
					}
				}
				return false
			})
		})
	}
}
