package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// readEvents returns the lines of a file.
func readEvents(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	var lines [][]byte
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		lines = append(lines, bytes.Clone(sc.Bytes()))
	}
	return lines, sc.Err()
}

// copyRules writes n copies of each rule below the paths to dir, each with an id, a title and texts of its own. It returns
// the files by id.
func copyRules(paths []string, dir string, n int, change string) (map[string]string, error) {
	files := map[string]string{}
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !sigma.IsRuleFile(path) {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for k := 1; k <= n; k++ {
				var doc yaml.Node
				if err := yaml.Unmarshal(data, &doc); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				renamed(doc.Content[0], k, change)
				out, err := yaml.Marshal(&doc)
				if err != nil {
					return err
				}
				file := filepath.Join(dir, fmt.Sprintf("%d.yml", len(files)))
				files[id(doc.Content[0])] = file
				if err := os.WriteFile(file, out, 0o600); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// id returns the rule's id.
func id(n *yaml.Node) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "id" {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// dropMatching removes the copies that the events raise all the same, because they ask for numbers alone or for what is not
// there: what is to be compared is the cost of looking, not that of writing more alerts.
func dropMatching(files map[string]string, dir string, lines [][]byte) (dropped int, err error) {
	s, err := detect.New(detect.Config{Rules: []string{dir}, AlertsOnly: true})
	if err != nil {
		return 0, err
	}
	var b event.Batch
	for at := 0; at < len(lines); at += 200 {
		b.Reset()
		for _, l := range lines[at:min(at+200, len(lines))] {
			b.Push(l)
		}
		if err := s.Process(&b); err != nil {
			return 0, err
		}
		b.Compact()
		for _, e := range b.Events {
			rule := e.Get(event.MustPath("rule.id")).String()
			if file := files[rule]; file != "" {
				delete(files, rule)
				dropped++
				if err := os.Remove(file); err != nil {
					return 0, err
				}
			}
		}
	}
	return dropped, nil
}

// renamed makes the rule at n the k-th copy of itself.
func renamed(n *yaml.Node, k int, change string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch v := n.Content[i+1]; n.Content[i].Value {
		case "id", "title":
			v.Value += fmt.Sprintf("-%d", k)
		case "name":
			v.Value += fmt.Sprintf("_%d", k)
		case "detection":
			for j := 0; j+1 < len(v.Content); j += 2 {
				// What a rule leaves out stays: a copy must not match what its original does not.
				if name := v.Content[j].Value; name != "condition" && !strings.HasPrefix(name, "filter") {
					changed(v.Content[j+1], "", k, change)
				}
			}
		}
	}
}

// changed gives every text of a detection other letters. Numbers, expressions and networks stay.
func changed(n *yaml.Node, key string, k int, change string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			changed(n.Content[i+1], n.Content[i].Value, k, change)
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			changed(c, key, k, change)
		}
	case yaml.ScalarNode:
		for _, m := range []string{"|re", "|cidr", "|exists", "|fieldref", "|expand", "|gt", "|lt"} {
			if strings.Contains(key, m) {
				return
			}
		}
		if n.Tag != "!!str" {
			return
		}
		if change == "insert" {
			at := len(n.Value) / 2
			for at > 0 && (n.Value[at-1] == '\\' || n.Value[at] >= 0x80) {
				at--
			}
			n.Value = n.Value[:at] + fmt.Sprintf("%c%d", 'a'+k, k) + n.Value[at:]
			return
		}
		n.Value = strings.Map(func(r rune) rune { return rotate(r, k) }, n.Value)
	}
}

// rotate moves a letter k places on.
func rotate(r rune, k int) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return 'a' + (r-'a'+rune(k))%26
	case 'A' <= r && r <= 'Z':
		return 'A' + (r-'A'+rune(k))%26
	}
	return r
}
