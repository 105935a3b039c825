package evtx

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestRegression: of the logs beside SigmaHQ's regression cases, each record is what another reader of EVTX made of it.
func TestRegression(t *testing.T) {
	root := os.Getenv("LEAT_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	root = filepath.Join(root, "sigma", "regression")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("third-party data is not here: %v (set LEAT_SHARED)", err)
	}
	logs := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".evtx" {
			return err
		}
		logs++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(strings.TrimSuffix(path, ".evtx") + ".json")
		if err != nil {
			return err
		}
		var want []any
		for dec := json.NewDecoder(strings.NewReader(string(text))); ; {
			var one any
			if dec.Decode(&one) != nil {
				break
			}
			if list, ok := one.([]any); ok {
				want = append(want, list...)
			} else {
				want = append(want, one)
			}
		}
		_, lines, damage := read(t, data)
		if len(lines) != len(want) || len(damage) > 0 {
			t.Errorf("%s: %d records, want %d; damage %q", path, len(lines), len(want), damage)
			return nil
		}
		for i, line := range lines {
			var got any
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if got, want := plain(got), plain(want[i]); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %v\nwant %v", path, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if logs < 100 {
		t.Errorf("only %d logs", logs)
	}
}

// plain takes from a document what the two write in different ways: the other cuts times to microseconds and blanks from the
// end of text, and leaves text in #text.
func plain(v any) any {
	if s, ok := v.(string); ok {
		return strings.TrimRight(s, " ")
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for k, x := range m {
		if s, ok := x.(string); ok && k == "SystemTime" {
			m[k] = strings.TrimSuffix(s, "Z")[:26]
		} else if t, ok := x.(map[string]any); ok && k == "Data" && len(t) == 1 && t["#text"] != nil {
			m[k] = t["#text"]
		} else {
			m[k] = plain(x)
		}
	}
	return m
}
