package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"leat/pkg/stage"
)

func gzipped1(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

func numbered(n int) (lines []string, text string) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		lines = append(lines, fmt.Sprintf("line %d %s", i, strings.Repeat("x", r.IntN(300))))
	}
	return lines, strings.Join(lines, "\n") + "\n"
}

// The same contents, whatever holds them, are the same records; the ids too, since a file keeps its identity when it is
// rotated and compressed.
func TestFileForms(t *testing.T) {
	lines, text := numbered(5000)
	dir := t.TempDir()
	ids := map[string]string{}
	for name, content := range map[string][]byte{
		"a.log": []byte(text), "a.log.1": []byte(text), "a.log.2.gz": gzipped1(t, text), "a.log-20261124.zst": zstded(t, text),
		"a.log.3": []byte(strings.TrimSuffix(text, "\n")), "a.log.4.gz": gzipped1(t, text[:len(text)-1]),
		// Two gzip members, as of two appends.
		"a.log.5.gz": append(gzipped1(t, text[:5000]), gzipped1(t, text[5000:])...),
	} {
		path := filepath.Join(dir, name)
		writeFile(t, path, string(content))
		k := collect(t, testConfig(t, path))
		if got := k.originals(); !slices.Equal(got, lines) {
			t.Fatalf("%s: %d records of %d, first %.60q", name, len(got), len(lines), got[:1])
		}
		uniqueIDs(t, k)
		all := fmt.Sprint(k.recs[0].Event.ID, k.recs[4999].Event.ID)
		ids[all] = name
		if k.recs[0].Log.File.Path != path || k.recs[1].Log.Offset == nil || *k.recs[1].Log.Offset != int64(len(lines[0])+1) {
			t.Errorf("%s: log is %+v", name, k.recs[1].Log)
		}
	}
	if len(ids) != 1 {
		t.Errorf("ids differ between forms of one file: %v", ids)
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string][]string{
		"":                    nil,
		"\n\n\r\n":            nil,
		"a\r\nb\n\nc":         {"a", "b", "c"},
		"nul \x00 and \xff\n": {"nul \x00 and \xff"},
		" blanks stay \n":     {" blanks stay "},
		"a\rb\n":              {"a\rb"},
	} {
		path := filepath.Join(t.TempDir(), "x")
		writeFile(t, path, in)
		if got := collect(t, testConfig(t, path)).originals(); !slices.Equal(got, want) {
			t.Errorf("file %q: %q, want %q", in, got, want)
		}
		cfg := testConfig(t, "-")
		cfg.Stdin = strings.NewReader(in)
		if got := collect(t, cfg).originals(); !slices.Equal(got, want) {
			t.Errorf("stdin %q: %q, want %q", in, got, want)
		}
	}
}

// Compressed files that end early or are no such thing: what could be read goes on, and an event says what is wrong.
func TestDamagedFiles(t *testing.T) {
	lines, text := numbered(3000)
	gz, zst := gzipped1(t, text), zstded(t, text)
	flipped := bytes.Clone(gz)
	flipped[len(gz)/2] ^= 0x55
	for name, c := range map[string]struct {
		content []byte
		least   int
	}{
		"half.gz":   {gz[:len(gz)/2], 500},
		"crc.gz":    {gz[:len(gz)-6], 3000},
		"flip.gz":   {flipped, 0},
		"header.gz": {gz[:5], 0},
		"half.zst":  {zst[:len(zst)/2], 0},
		"empty.zst": {zst[:4], 0},
	} {
		path := filepath.Join(t.TempDir(), name)
		writeFile(t, path, string(c.content))
		k := collect(t, testConfig(t, path))
		got := k.originals()
		if len(got) < c.least {
			t.Errorf("%s: %d records, at least %d can be read", name, len(got), c.least)
		}
		for i, g := range got[:max(0, len(got)-1)] {
			if g != lines[i] && name != "flip.gz" {
				t.Fatalf("%s: record %d is %q", name, i, g)
			}
		}
		told := k.notices("source_damaged")
		if len(told) != 1 || told[0].Event.Kind != "pipeline_error" || told[0].Error.Type != "source_damaged" ||
			!strings.Contains(told[0].Error.Message, path) {
			t.Errorf("%s: told %+v", name, told)
		}
	}
}

// A line longer than --max-line is kept whole in a file; what stands before and behind it is not touched.
func TestLongLines(t *testing.T) {
	for _, size := range []int{101, 5000, readSize - 3, readSize, 3*readSize + 17} {
		long := strings.Repeat("0123456789", size/10+1)[:size]
		text := "before\n" + long + "\nafter\n" + long
		sum := sha256.Sum256([]byte(long))
		for _, form := range []string{"x.log", "x.log.gz", "-"} {
			cfg := testConfig(t, form)
			cfg.MaxLine = 100
			switch form {
			case "-":
				cfg.Stdin = strings.NewReader(text)
			default:
				cfg.Sources[0] = filepath.Join(t.TempDir(), form)
				content := text
				if form == "x.log.gz" {
					content = string(gzipped1(t, text))
				}
				writeFile(t, cfg.Sources[0], content)
			}
			k := collect(t, cfg)
			if len(k.recs) != 4 || k.recs[0].text() != "before" || k.recs[2].text() != "after" {
				t.Fatalf("%s, %d bytes: %d records: %.300q", form, size, len(k.recs), k.lines)
			}
			for _, i := range []int{1, 3} {
				r := k.recs[i]
				kept, err := os.ReadFile(r.Leat.Spool.Path)
				if err != nil || string(kept) != long || r.Leat.Spool.Bytes != int64(size) || r.Leat.Spool.SHA256 != hex.EncodeToString(sum[:]) ||
					r.Event.Kind != "pipeline_error" || r.Error.Type != "line_too_long" || r.text() != long[:min(size, 1024)] {
					t.Errorf("%s, %d bytes: %+v, file of %d bytes, %v", form, size, r, len(kept), err)
				}
			}
			uniqueIDs(t, k)
		}
	}
	// What fits is a record, however many blocks it takes.
	line := strings.Repeat("y", 5*readSize)
	path := filepath.Join(t.TempDir(), "x")
	writeFile(t, path, line+"\n"+line+"\nz")
	if got := collect(t, testConfig(t, path)).originals(); len(got) != 3 || got[0] != line || got[1] != line || got[2] != "z" {
		t.Errorf("%d records", len(got))
	}
}

func TestGlob(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a.log", "a.log.1", "a.log.2.gz", "b.log", "c.txt"} {
		content := fmt.Sprintf("from %s %d\n", name, i)
		if strings.HasSuffix(name, ".gz") {
			content = string(gzipped1(t, content))
		}
		writeFile(t, filepath.Join(dir, name), content)
	}
	got := collect(t, testConfig(t, filepath.Join(dir, "*.log*"))).originals()
	want := []string{"from a.log.2.gz 2", "from a.log.1 1", "from a.log 0", "from b.log 3"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestBadSources(t *testing.T) {
	dir := t.TempDir()
	for source, want := range map[string]string{
		"":                                      "no path",
		filepath.Join(dir, "none"):              "no such file",
		filepath.Join(dir, "*.log"):             "no such file",
		dir:                                     "a directory",
		"/x/[a":                                 "not well formed",
		"gopher://x":                            "no kind of source",
		"syslog+tcp://":                         "expected scheme://",
		"syslog+udp://127.0.0.1:1?idle=5s":      "unknown option",
		"syslog+tcp://127.0.0.1:1?idle=5ms":     "at least 1s",
		"syslog+tcp://127.0.0.1:1?max_message=": "no number from 480",
		"syslog+tls://127.0.0.1:1":              "cert and key are needed",
		"syslog+tls://127.0.0.1:1?cert=env:NOT_SET_HERE&key=x": "NOT_SET_HERE is not set",
	} {
		_, err := New(testConfig(t, source))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "source") {
			t.Errorf("%s: error %v, expected a word about %q", source, err, want)
		}
	}
	if _, err := New(testConfig(t, "-", "-")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two stdins: %v", err)
	}
	if _, err := New(testConfig(t)); err == nil {
		t.Error("no source: no error")
	}
}

func TestParseMarkEvery(t *testing.T) {
	size := func(s string) (int64, error) {
		var n int64
		if _, err := fmt.Sscanf(s, "%dMiB", &n); err != nil {
			return 0, err
		}
		return n << 20, nil
	}
	d := DefaultMarkEvery()
	for in, want := range map[string]MarkEvery{
		"200ms":         {Time: 200e6, Bytes: d.Bytes},
		"1MiB":          {Time: d.Time, Bytes: 1 << 20},
		"20000":         {Time: d.Time, Bytes: d.Bytes, Events: 20000},
		"1s | 2MiB|300": {Time: 1e9, Bytes: 2 << 20, Events: 300},
	} {
		if got, err := ParseMarkEvery(in, size); err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "0", "-5s", "3x", "10s|", "1us"} {
		if m, err := ParseMarkEvery(in, size); err == nil {
			t.Errorf("%q is taken as %+v", in, m)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.log")
	_, text := numbered(50_000)
	writeFile(b, path, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		src, err := New(Config{Sources: []string{path}})
		if err != nil {
			b.Fatal(err)
		}
		if err := src.Run(b.Context(), stage.NewWriter(io.Discard, nil)); err != nil {
			b.Fatal(err)
		}
	}
}
