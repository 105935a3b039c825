package ocsf

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// agreementFloors are the numbers of expected OCSF values that must come out equal, by class, over the records of the shared corpus that
// a mapping recognises: numbers and not shares, so that a mapping which recognises more is no fall. Expected values are other projects'
// choices for schema versions from 1.0 to 1.8: docs/12-ocsf.md says where we differ on purpose. A floor may only rise.
var agreementFloors = map[string]int{
	"1001": 130, "1005": 24, "1006": 75, "1007": 150, "2004": 75, "3001": 88, "3002": 170, "3006": 72, "4001": 900, "4002": 36, "4003": 36,
	"4008": 128, "6003": 62, "201002": 22,
}

// apart are expected attributes that an event's text does not carry, that name the project which wrote them, or that changed
// between the versions of the schema.
var apart = []string{
	"unmapped", "observables", "raw_data", "raw_data_size", "metadata.version", "metadata.profiles", "metadata.product", "metadata.log_format", "metadata.extensions", "metadata.logged_time",
	"metadata.loggers", "metadata.original_time", "metadata.uid", "actor.app_name", "metadata.log_name", "metadata.correlation_uid", "metadata.original_event_uid", "metadata.log_version",
	"metadata.log_provider", "time_dt", "start_time_dt", "end_time_dt",
}

// documents splits an input that holds several JSON documents or lines.
func documents(input string, want int) []string {
	var out []string
	d := json.NewDecoder(strings.NewReader(input))
	for {
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			break
		}
		out = append(out, string(raw))
	}
	if len(out) == want {
		return out
	}
	if want == 1 {
		return []string{input}
	}
	out = out[:0]
	for line := range strings.Lines(input) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	if len(out) == want {
		return out
	}
	return nil
}

// pairs yields each record with the OCSF event that another project makes of it.
func pairs(t *testing.T, yield func(dataset, record string, want map[string]any)) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(sharedDir(t), "*", "*.jsonl"))
	for _, f := range files {
		eachCase(t, f, func(c corpusCase) {
			var input string
			if c.Schema != "ocsf" || json.Unmarshal(c.Input, &input) != nil {
				return
			}
			want := c.Expected
			var quoted string
			if json.Unmarshal(want, &quoted) == nil {
				want = json.RawMessage(quoted)
			}
			if len(want) > 0 && want[0] == '{' {
				want = slices.Concat(json.RawMessage("["), want, json.RawMessage("]"))
			}
			var list []json.RawMessage
			if json.Unmarshal(want, &list) != nil {
				return
			}
			docs := documents(input, len(list))
			for i, d := range docs {
				yield(filepath.Base(filepath.Dir(f)), d, tree(t, string(list[i])))
			}
		})
	}
}

func flat(v any) map[string]string {
	out := map[string]string{}
	leaves("", v, func(path string, v any) {
		if v == nil || v == "" || slices.ContainsFunc(apart, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") }) {
			return
		}
		text := fmt.Sprint(v)
		if ts, err := time.Parse(time.RFC3339Nano, text); err == nil {
			text = fmt.Sprint(ts.UnixMilli())
		}
		if out[path] != "" {
			text = out[path] + "\n" + text
		}
		out[path] = text
	})
	return out
}

func TestAgreement(t *testing.T) {
	p := newPipe(t)
	type score struct{ events, class, equal, all int }
	by := map[string]*score{}
	missed := map[string]int{}
	unknown := 0
	pairs(t, func(dataset, record string, want map[string]any) {
		ecs, out := p.run(t, record)
		if len(out) == 0 || !strings.Contains(ecs[0], `"dataset"`) || strings.Contains(ecs[0], `"kind":"pipeline_error"`) {
			unknown++
			return
		}
		got := tree(t, out[0])
		name := fmt.Sprint(want["class_uid"])
		s := by[name]
		if s == nil {
			s = &score{}
			by[name] = s
		}
		s.events++
		if fmt.Sprint(got["class_uid"]) == name {
			s.class++
		} else {
			missed[fmt.Sprintf("%s %s: class %v, not %v", dataset, got["activity_name"], got["class_uid"], name)]++
		}
		have := flat(got)
		for path, v := range flat(want) {
			s.all++
			if have[path] == v {
				s.equal++
			} else if fmt.Sprint(got["class_uid"]) == name {
				missed[fmt.Sprintf("%s %s %s: %.60q, not %.60q", name, dataset, path, have[path], v)]++
			}
		}
	})
	for name, s := range by {
		share := float64(s.equal) / float64(max(s.all, 1))
		t.Logf("class %s: %d events, %d of that class, %d of %d values equal: %.1f %%", name, s.events, s.class, s.equal, s.all, 100*share)
	}
	for name, floor := range agreementFloors {
		if s := by[name]; s == nil || s.equal < floor {
			t.Errorf("class %s: fewer than %d of the expected values are equal", name, floor)
		}
	}
	t.Logf("%d records that no mapping recognises", unknown)
	if testing.Verbose() {
		for _, m := range slices.Sorted(func(yield func(string) bool) {
			for k, n := range missed {
				if !yield(fmt.Sprintf("%4d %s", n, k)) {
					return
				}
			}
		}) {
			t.Log(m)
		}
	}
}
