package ingest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func multiline(start string) *Multiline {
	return &Multiline{Start: regexp.MustCompile(start), Timeout: 100 * time.Millisecond}
}

// The same records of several lines from every form of file and from standard input, however the reads are cut.
func TestMultiline(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var want []string
	for i := range 4000 {
		rec := fmt.Sprintf("2026-11-24 10:00:00 ERROR %d failed", i)
		for k := range r.IntN(12) {
			rec += fmt.Sprintf("\n\tat com.example.Class%d.method(%s)", k, strings.Repeat("x", r.IntN(60)))
		}
		want = append(want, rec)
	}
	text := strings.Join(want, "\n") + "\n"
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"a.log": []byte(text), "b.log": []byte(strings.TrimSuffix(text, "\n")), "c.log.gz": gzipped1(t, text), "d.log.zst": zstded(t, strings.TrimSuffix(text, "\n")), "-": nil,
	} {
		cfg := testConfig(t)
		in := Input{Source: name, Dataset: "app", Multiline: multiline(`^\d{4}-\d\d-\d\d `)}
		if name == "-" {
			cfg.Stdin = strings.NewReader(text)
		} else {
			in.Source = filepath.Join(dir, name)
			writeFile(t, in.Source, string(content))
		}
		cfg.Inputs = []Input{in}
		k := collect(t, cfg)
		if got := k.originals(); !slices.Equal(got, want) {
			t.Fatalf("%s: %d records of %d, last %q", name, len(got), len(want), got[len(got)-1])
		}
		uniqueIDs(t, k)
		if k.recs[7].Event.Dataset != "app" {
			t.Errorf("%s: dataset %q", name, k.recs[7].Event.Dataset)
		}
		// Limits of marks cut between records, too.
		if name != "-" {
			cfg.MarkEvery = MarkEvery{Time: time.Hour, Events: 97}
			if got := resumed(t, cfg, filepath.Join(t.TempDir(), "lake")).originals(); !slices.Equal(got, want) {
				t.Errorf("%s with marks: %d records", name, len(got))
			}
		}
	}
}

// Bounds: too many lines, too many bytes and lines longer than --max-line end a record; nothing is lost.
func TestMultilineBounds(t *testing.T) {
	long := strings.Repeat("y", 3*readSize)
	lines := []string{"start one", " two", " three", " four", "start", "\t" + long, " after", "start " + strings.Repeat("z", 100_000), " " + strings.Repeat("w", 100_000), "", "end"}
	for _, form := range []string{"file", "gzip", "-"} {
		cfg := testConfig(t)
		in := Input{Source: filepath.Join(t.TempDir(), "a.log"), Multiline: &Multiline{Continue: regexp.MustCompile(`^\s`), MaxLines: 3}}
		text := strings.Join(lines, "\n") + "\n"
		switch form {
		case "-":
			in.Source, cfg.Stdin = "-", strings.NewReader(text)
		case "gzip":
			text = string(gzipped1(t, text))
			fallthrough
		default:
			writeFile(t, in.Source, text)
		}
		cfg.Inputs = []Input{in}
		k := collect(t, cfg)
		if got := strings.Join(k.originals(), "\n"); got != strings.ReplaceAll(strings.Join(lines, "\n"), "\n\n", "\n") {
			t.Errorf("%s: %.60q", form, k.originals())
		}
		if k.recs[0].text() != "start one\n two\n three" || k.recs[1].text() != " four" {
			t.Errorf("%s: %q, %q", form, k.recs[0].text(), k.recs[1].text())
		}
		for _, r := range k.recs {
			if len(r.text()) > maxMultiline && !strings.Contains(r.text(), long) {
				t.Errorf("%s: a record of %d bytes", form, len(r.text()))
			}
		}
	}
}

// Followed, the last record goes on when the file is silent; a run that is stopped before reads it again.
func TestMultilineFollowed(t *testing.T) {
	log := filepath.Join(t.TempDir(), "a.log")
	writeFile(t, log, "start 1\n more\nstart 2\n")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t)
	m := multiline("^start")
	m.Timeout = time.Hour
	cfg.Inputs, cfg.Resume = []Input{{Source: log, Multiline: m}}, lakeDir
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop := following(t, cfg, k)
	k.await(1)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"start 1\n more"}) {
		t.Fatalf("stopped: %q", got)
	}
	cfg.Inputs[0].Multiline = multiline("^start")
	k = &keeper{t: t, commit: k.commit}
	stop = following(t, cfg, k)
	k.await(1)
	appendFile(t, log, "start 3\n more of 3\n")
	k.await(2)
	rename(t, log, log+".1")
	writeFile(t, log, "start 4\n and more\n")
	k.await(3)
	stop()
	if got := k.originals(); len(got) != 3 || got[0] != "start 2" || got[1] != "start 3\n more of 3" || got[2] != "start 4\n and more" {
		t.Errorf("%q", got)
	}
}

func TestMultilinePipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cfg := testConfig(t)
	cfg.Stdin, cfg.Inputs = r, []Input{{Source: "-", Multiline: multiline("^start")}}
	k := &keeper{t: t}
	stop := following(t, cfg, k)
	if _, err := io.WriteString(w, "start 1\n more\n"); err != nil {
		t.Fatal(err)
	}
	k.await(1) // the writer is silent, not gone
	if _, err := io.WriteString(w, "start 2\n mo"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	k.await(2)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"start 1\n more", "start 2\n mo"}) {
		t.Errorf("%q", got)
	}
}

func TestBadMultiline(t *testing.T) {
	any := regexp.MustCompile("x")
	for _, in := range []Input{
		{Source: "-", Multiline: &Multiline{}}, {Source: "-", Multiline: &Multiline{Start: any, Continue: any}},
		{Source: "-", Multiline: &Multiline{Start: any, MaxLines: -1}}, {Source: "syslog+tcp://127.0.0.1:1", Multiline: &Multiline{Start: any}},
	} {
		cfg := testConfig(t)
		cfg.Inputs = []Input{in}
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "multiline") {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

// However a text is cut into reads, the records together are the text, but for blank lines at their ends.
func FuzzMultiline(f *testing.F) {
	f.Add("start\n more\nstart\n", "^start", 3)
	f.Add("\r\n\n x\n", "x", 1)
	f.Fuzz(func(t *testing.T, text, pattern string, lines int) {
		re, err := regexp.Compile(pattern)
		if err != nil || lines < 0 {
			return
		}
		cfg := testConfig(t)
		cfg.Stdin, cfg.Inputs = strings.NewReader(text), []Input{{Source: "-", Multiline: &Multiline{Start: re, MaxLines: lines}}}
		var got strings.Builder
		for _, rec := range collect(t, cfg).originals() {
			got.WriteString(strings.Trim(rec, "\r\n"))
		}
		squeeze := func(s string) string { return strings.NewReplacer("\n", "", "\r", "").Replace(s) }
		if squeeze(got.String()) != squeeze(text) {
			t.Fatalf("%q of %q", got.String(), text)
		}
	})
}
