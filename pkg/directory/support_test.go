package directory

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leat/internal/testdc"
	"leat/pkg/dimension"
)

// clock is a clock that a test can put forward.
type clock struct {
	mu   sync.Mutex
	plus time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.plus)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plus += d
}

// subject is a source under test with what it has said.
type subject struct {
	*Source
	clock *clock
	log   *bytes.Buffer
	had   dimension.Stamp
	table *dimension.Table
}

// open makes a source; base is the folder of its files, dir its own.
func open(t testing.TB, c Config, base, dir string) *subject {
	t.Helper()
	for _, x := range c.Check() {
		t.Fatalf("%s: %s", x.Key, x.Message)
	}
	s := &subject{clock: &clock{}, log: &bytes.Buffer{}}
	src, err := c.Open(dimension.Env{Name: "users", Base: base, Dir: dir, Now: s.clock.now, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.Source = src.(*Source)
	t.Cleanup(func() { s.Close() })
	return s
}

// fetch reads, and returns whether there was something new.
func (s *subject) fetch(t testing.TB) bool {
	t.Helper()
	changed, err := s.try()
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func (s *subject) try() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	f, err := s.Fetch(ctx, s.had)
	if errors.Is(err, dimension.ErrUnchanged) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.had, s.table = f.Stamp, f.Table
	return true, nil
}

// row returns the row that a key finds, as enrich would: by the columns in their order, without regard to case.
func (s *subject) row(t testing.TB, keys []string, key string) map[string]string {
	t.Helper()
	for _, name := range keys {
		col := s.table.Column(name)
		for row := range s.table.Rows() {
			cell := s.table.Cell(row, col)
			if plain := len(cell) > 0 && cell[0] == '"' && !bytes.ContainsRune(cell, '\\'); plain && !strings.EqualFold(string(cell[1:len(cell)-1]), key) {
				continue
			}
			for _, v := range texts(cell) {
				if strings.EqualFold(v, key) {
					out := map[string]string{}
					for i, c := range s.table.Columns() {
						if cell := s.table.Cell(row, i); len(cell) > 0 {
							out[c] = strings.Join(texts(cell), ",")
						}
					}
					return out
				}
			}
		}
	}
	return nil
}

func (s *subject) user(t testing.TB, key string) map[string]string {
	t.Helper()
	return s.row(t, (&Config{Kind: kindAD}).Keys(), key)
}

// texts are the values of a cell.
func texts(cell []byte) []string {
	var v any
	if len(cell) == 0 || json.Unmarshal(cell, &v) != nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

// rows are all rows as text, sorted.
func rows(tab *dimension.Table) []string {
	var out []string
	for i := range tab.Rows() {
		out = append(out, string(tab.AppendRow(nil, i)))
	}
	slices.Sort(out)
	return out
}

// password writes a password file and returns its folder.
func password(t testing.TB, secret string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// config is for the test's controller.
func config(d *testdc.DC, user string) Config {
	return Config{URLs: []string{"ldaps://" + d.IP}, CA: d.CA, ServerName: testdc.Host, Timeout: 2 * time.Minute, Bind: Bind{User: user, PasswordFile: "pw"}}
}

// tlsOf trusts the controller's authority.
func tlsOf(t testing.TB, d *testdc.DC) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots, ServerName: testdc.Host}
}

// put writes a file.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
