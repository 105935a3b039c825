package enrich

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
	"leat/pkg/yamlfile"
)

// put writes files (name, text, name, text ...) to a folder, made where dir is empty, and returns the folder.
func put(t testing.TB, dir string, files ...string) string {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// open makes a stage of the enrich.yaml in dir.
func open(t testing.TB, dir string, opt Options) *Stage {
	t.Helper()
	cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// lines takes text through s as a pipe would, and returns the lines that come out.
func lines(t testing.TB, s stage.Stage, text string) []string {
	t.Helper()
	var out bytes.Buffer
	src := &stage.Lines{In: strings.NewReader(text), Stage: Name}
	if err := stage.Pump(context.Background(), src, stage.NewChain(stage.NewWriter(&out, nil), s)); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// one enriches a single event.
func one(t testing.TB, s stage.Stage, line string) string {
	t.Helper()
	return lines(t, s, line+"\n")[0]
}

// field returns a field of a line as text, and "" where it is not there.
func field(t testing.TB, line, name string) string {
	t.Helper()
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e.Get(event.MustPath(name)).String()
}

// logbook is a log that tests read while others write.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// eventually waits until ok says yes; the limit only keeps a broken test from hanging.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 1500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}

const people = "id,sam,name,email,office\n" +
	"7,jkovacs,József Kovács,j.kovacs@corp.example,Budapest\n" +
	"8,nbyrne,Niamh Byrne,n.byrne@corp.example,\n"

const peopleYAML = `dimensions:
  users: {file: users.csv, key: [id, sam, email], fold: true}
rules:
  - field: [user.id, user.name]
    dimension: users
    status: true
    set: {user.full_name: name, user.email: email, user.office.city: office}
`

// in is a stage's surroundings at a later time.
func in(d time.Duration) Options {
	return Options{Now: func() time.Time { return time.Now().Add(d) }}
}

// loadDimension reads a dimension as it is now.
func loadDimension(d *DimensionConfig) (*Snapshot, error) {
	opt := Options{}.filled()
	return (&Config{path: d.path, file: &yamlfile.File{}}).loadOne(context.Background(), d, &opt, false)
}
