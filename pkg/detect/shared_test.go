package detect

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"leat/pkg/event"
)

// sharedData finds the folder of third-party data, which is no part of the repository.
func sharedData(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("LEAT_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	p := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("third-party data is not here: %v (set LEAT_SHARED)", err)
	}
	return p
}

// sigmaHQ is the folders of SigmaHQ's rules.
func sigmaHQ(t testing.TB) []string {
	return []string{
		sharedData(t, "sigma", "rules"), sharedData(t, "sigma", "rules-emerging-threats"),
		sharedData(t, "sigma", "rules-threat-hunting"),
	}
}

// eachLine calls each for every line of a gzipped file.
func eachLine(t testing.TB, path string, each func(line []byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		each(bytes.Clone(sc.Bytes()))
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}

// compact puts each JSON document of a file on a line of its own.
func compact(t testing.TB, data []byte) (lines [][]byte) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, b.Bytes())
	}
	return lines
}

// raised runs lines through the stage and returns the ids of the rules whose alerts came behind each line.
func raised(t testing.TB, s *Stage, lines ...[]byte) [][]string {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		if err := b.Push(l).Parse(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	var out [][]string
	for _, e := range b.Events {
		if err := e.Parse(); err != nil {
			t.Fatalf("%v in %s", err, e.Line())
		}
		if !e.Get(event.MustPath("event.kind")).Is("alert") {
			out = append(out, nil)
			continue
		}
		out[len(out)-1] = append(out[len(out)-1], e.Get(event.MustPath("rule.id")).String())
	}
	return out
}
