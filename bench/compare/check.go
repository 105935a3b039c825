package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// record is one event as flat fields: dotted path to value, in the words that a row's spelling gives them. Strings, numbers
// and booleans are their text, so that "22" and 22 agree; null and {} are as good as absent; lists are compact JSON.
type record map[string]string

// flatten adds the members of v below path.
func (r record) flatten(path string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for k, m := range v {
			p := k
			if path != "" {
				p = path + "." + k
			}
			r.flatten(p, m)
		}
	case string:
		r[path] = v
	default:
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(err.Error())
		}
		r[path] = string(text)
	}
}

// spelling says how a row's output names what the work is about.
type spelling struct {
	under  string            // only what lies below this path counts
	names  map[string]string // its path → the work's name; nil: the paths are the names
	values map[string]string // its value → the work's value
	only   []string          // names that this row is to have; nil: the work's
}

// read makes the record of one line.
func (s *spelling) read(line []byte, ignore []string) (record, error) {
	dec := json.NewDecoder(strings.NewReader(string(line)))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	flat := record{}
	flat.flatten("", v)
	out := record{}
	for path, val := range flat {
		name := path
		if s.names != nil {
			if name = s.names[path]; name == "" {
				continue
			}
		} else if s.under != "" {
			rest, ok := strings.CutPrefix(path, s.under+".")
			if !ok {
				continue
			}
			name = rest
		}
		if slices.ContainsFunc(ignore, func(p string) bool { return name == p || strings.HasPrefix(name, p+".") }) {
			continue
		}
		if to, ok := s.values[val]; ok {
			val = to
		}
		out[name] = val
	}
	return out, nil
}

// records reads a file of NDJSON; with a key, they are known by its value, else by their number.
func records(path string, s *spelling, w *work) (map[string]record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]record{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for i := 0; in.Scan(); i++ {
		r, err := s.read(in.Bytes(), w.ignore)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		id := fmt.Sprint(i)
		switch {
		case w.countBy != "":
			id = r[w.countBy]
			count(all, id)
			continue
		case w.key != "":
			id = r[w.key]
		}
		all[id] = r
	}
	return all, in.Err()
}

// matches is the field under which count keeps its sums.
const matches = "matches"

func count(all map[string]record, id string) {
	if all[id] == nil {
		all[id] = record{matches: "0"}
	}
	n, _ := strconv.Atoi(all[id][matches]) // our own number
	all[id][matches] = strconv.Itoa(n + 1)
}

// counted says whether two outputs have equally many events of each id.
func counted(want, got map[string]record) string {
	total := func(all map[string]record) (sum int) {
		for _, r := range all {
			n, _ := strconv.Atoi(r[matches])
			sum += n
		}
		return sum
	}
	ids, differ, example := maps.Clone(want), 0, ""
	maps.Copy(ids, got)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		w, g := want[id][matches], got[id][matches]
		if w == g {
			continue
		}
		differ++
		if example == "" {
			example = fmt.Sprintf("%s: %s, not %s", id, cmp.Or(g, "0"), cmp.Or(w, "0"))
		}
	}
	if differ == 0 {
		return fmt.Sprintf("yes (%d of %d rules)", total(got), len(got))
	}
	return fmt.Sprintf("no: %d, not %d; other counts in %d of %d rules (%s)", total(got), total(want), differ, len(ids), example)
}

// checkOutputs compares the outputs of a work's rows with that of its first: args are row=file. For each other row one line
// is printed: its number and what there is to say.
func checkOutputs(out io.Writer, name string, args []string) error {
	w := find(works(), name)
	if w == nil {
		return fmt.Errorf("no work %q", name)
	}
	var want map[string]record
	for _, a := range args {
		var at int
		num, path, _ := strings.Cut(a, "=")
		if _, err := fmt.Sscan(num, &at); err != nil || at >= len(w.rows) {
			return fmt.Errorf("no row %q", num)
		}
		row := &w.rows[at]
		got, err := records(path, &row.spelling, w)
		switch {
		case err != nil:
			fmt.Fprintf(out, "%d\tno: %v\n", at, err)
		case want == nil:
			want = got
			fmt.Fprintf(out, "%d\t%s\n", at, reference(len(got)))
		case w.countBy != "":
			fmt.Fprintf(out, "%d\t%s\n", at, counted(want, got))
		default:
			fmt.Fprintf(out, "%d\t%s\n", at, verdict(want, got, row.only))
		}
	}
	return nil
}

func reference(n int) string { return fmt.Sprintf("reference (%d)", n) }

// verdict says whether two outputs agree, and if not, in how many events which fields differ, with one example.
func verdict(want, got map[string]record, only []string) string {
	differ, fields, example := 0, map[string]int{}, ""
	for _, id := range slices.Sorted(maps.Keys(want)) {
		w, g := want[id], got[id]
		bad := false
		for _, name := range union(w, g, only) {
			if wv, gv := w[name], g[name]; wv != gv || g == nil {
				bad = true
				fields[name]++
				if example == "" {
					example = fmt.Sprintf("%s is %s, not %s", name, short(gv), short(wv))
				}
			}
		}
		if bad {
			differ++
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("no: %d events, not %d", len(got), len(want))
	}
	if differ == 0 {
		return fmt.Sprintf("yes (%d)", len(got))
	}
	return fmt.Sprintf("no: %d of %d differ in %s (%s)", differ, len(want), strings.Join(most(fields, 4), ", "), example)
}

func union(a, b record, only []string) []string {
	if only != nil {
		return only
	}
	all := maps.Clone(a)
	if all == nil {
		all = record{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// most returns the n names that occur most, and how many more there are.
func most(count map[string]int, n int) []string {
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		if d := count[b] - count[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if len(names) > n {
		return append(names[:n:n], fmt.Sprintf("%d more", len(names)-n))
	}
	return names
}

func short(s string) string {
	if s == "" {
		return "absent"
	}
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return fmt.Sprintf("%q", s)
}
