package enrich

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// model is a second enrich, written for plainness: maps instead of a tape, scans instead of indexes.
type model struct {
	users, nets []map[string]any
}

// get follows a path of objects.
func get(ev map[string]any, path string) any {
	var v any = ev
	for _, k := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// set writes a field unless it has a value, or something that is no object is in the way.
func set(ev map[string]any, path string, v any, overwrite bool) {
	if v == nil {
		return
	}
	keys := strings.Split(path, ".")
	for i := range keys[1:] {
		if at := get(ev, strings.Join(keys[:i+1], ".")); at != nil {
			if _, ok := at.(map[string]any); !ok {
				return
			}
		}
	}
	m := ev
	for _, k := range keys[:len(keys)-1] {
		next, ok := m[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	if last := keys[len(keys)-1]; m[last] == nil || overwrite {
		m[last] = v
	}
}

// keysOf lists the texts that a field offers as keys.
func keysOf(v any) []string {
	switch v := v.(type) {
	case nil, map[string]any:
		return nil
	case []any:
		var out []string
		for _, el := range v {
			if _, nested := el.([]any); !nested && el != nil {
				out = append(out, keysOf(el)...)
			}
		}
		return out
	}
	return []string{strings.TrimSpace(fmt.Sprint(v))}
}

func (m model) user(key string) map[string]any {
	for _, col := range []string{"id", "sam"} {
		for _, row := range m.users {
			for _, k := range keysOf(row[col]) {
				if k != "" && strings.EqualFold(k, key) {
					return row
				}
			}
		}
	}
	return nil
}

func (m model) net(key string) map[string]any {
	a, err := netip.ParseAddr(key)
	if err != nil {
		return nil
	}
	var best map[string]any
	bits := -1
	for _, row := range m.nets {
		if p := netip.MustParsePrefix(row["cidr"].(string)); p.Contains(a) && p.Bits() > bits {
			best, bits = row, p.Bits()
		}
	}
	return best
}

func (m model) enrich(ev map[string]any) {
	join := func(status string, fields []string, find func(string) map[string]any, columns [][2]string, overwrite bool) {
		outcome := ""
		for _, f := range fields {
			for _, key := range keysOf(get(ev, f)) {
				if key == "" || outcome == "hit" {
					continue
				}
				outcome = "miss"
				if row := find(key); row != nil {
					outcome = "hit"
					for _, c := range columns {
						set(ev, c[0], row[c[1]], overwrite)
					}
				}
			}
		}
		if outcome != "" {
			set(ev, "leat.enrich."+status, outcome, true)
		}
	}
	join("users", []string{"user.id", "user.name"}, m.user, [][2]string{{"user.full_name", "name"}, {"user.office.city", "city"}, {"tags", "tags"}}, false)
	if get(ev, "site") == nil {
		join("nets", []string{"source.ip"}, m.net, [][2]string{{"site", "site"}, {"user.office.city", "city"}}, true)
	}
}

// TestStageAgainstNaive: random tables and random events, of any shape, give what the model gives.
func TestStageAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(11))
	pick := func(all ...any) any { return all[r.Intn(len(all))] }
	names := []any{"ann", "BOB", "c\"d", "é", "", "7", 7, " eve ", "zoe"}
	for range 60 {
		var m model
		for i := range 1 + r.Intn(12) {
			m.users = append(m.users, map[string]any{"id": fmt.Sprint(r.Intn(12)), "sam": pick(append(names, []any{"ann", "x"})...),
				"name": fmt.Sprint("name ", i), "city": pick(nil, "Cork", "Bécs"), "tags": pick(nil, []any{"a", 1.5}, true)})
		}
		seen := map[string]bool{}
		for i := range 1 + r.Intn(12) {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r.Intn(2)), byte(r.Intn(2)), 0}), 6+r.Intn(20)).Masked()
			if !seen[p.String()] {
				m.nets = append(m.nets, map[string]any{"cidr": p.String(), "site": pick(nil, fmt.Sprint("site ", i)), "city": pick(nil, "Porto")})
			}
			seen[p.String()] = true
		}
		dir := put(t, "", "users.json", jsonLines(t, m.users), "nets.json", jsonLines(t, m.nets), "enrich.yaml", `
dimensions:
  users: {file: users.json, key: [id, sam], fold: true}
  nets: {file: nets.json, key: cidr, join: cidr}
rules:
  - {field: [user.id, user.name], dimension: users, status: true, set: {user.full_name: name, user.office.city: city, tags: tags}}
  - {field: source.ip, unless: site, dimension: nets, status: true, overwrite: true, set: {site: site, user.office.city: city}}
`)
		cfg := config(t, dir)
		s, err := New(cfg, Options{Fixed: true})
		if err != nil {
			// A random table may lack a column or any key: that is told, and not what is tested here.
			if strings.Contains(err.Error(), "no column") || strings.Contains(err.Error(), "no row has a key") {
				continue
			}
			t.Fatal(err)
		}
		var events []map[string]any
		for range 80 {
			ev := map[string]any{"n": 1.25}
			if r.Intn(5) > 0 {
				user := map[string]any{"name": pick(append(names, []any{"q", "bob", nil, []any{"ann"}}, map[string]any{})...)}
				for k, v := range map[string]any{"id": pick(nil, "3", 4, "S-1"), "full_name": pick("me", nil), "office": pick("text", nil, map[string]any{"city": "Here"}, map[string]any{})} {
					if r.Intn(2) == 0 {
						user[k] = v
					}
				}
				ev["user"] = user
			}
			if r.Intn(3) > 0 {
				ev["source"] = map[string]any{"ip": pick("10.0.0.7", "10.1.1.9", "11.0.0.1", "-", []any{"x", "10.1.0.1"})}
			}
			if r.Intn(6) == 0 {
				ev["site"] = "told"
			}
			events = append(events, ev)
		}
		got := lines(t, s, jsonLines(t, events))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for i, ev := range events {
			was := jsonLines(t, []map[string]any{ev})
			m.enrich(ev)
			var have, want map[string]any
			if err := json.Unmarshal([]byte(got[i]), &have); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(jsonLines(t, []map[string]any{ev})), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(have, want) {
				t.Fatalf("\n in    %s got   %s\n want  %v\n users %v\n nets  %v", was, got[i], want, m.users, m.nets)
			}
		}
	}
}

// jsonLines writes objects as lines.
func jsonLines(t *testing.T, rows []map[string]any) string {
	t.Helper()
	var b strings.Builder
	for _, row := range rows {
		raw, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(raw, '\n'))
	}
	return b.String()
}

// TestSetTakesOnlyWhatIsThere: the model's own two rules, by hand, so that model and stage can't be wrong together.
func TestSetTakesOnlyWhatIsThere(t *testing.T) {
	ev := map[string]any{"a": "text", "b": map[string]any{"c": nil, "d": "x"}}
	before := slices.Sorted(maps.Keys(ev))
	set(ev, "a.b", 1, true)
	set(ev, "b.c", 1, false)
	set(ev, "b.d", 1, false)
	set(ev, "b.e", nil, true)
	want := map[string]any{"a": "text", "b": map[string]any{"c": 1, "d": "x"}}
	if !reflect.DeepEqual(ev, want) || !slices.Equal(before, slices.Sorted(maps.Keys(ev))) {
		t.Errorf("%v", ev)
	}
}
