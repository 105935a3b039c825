package ocsf

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// checker holds an event against the published schema. It reads the event as a tree and shares no code with what writes it.
type checker struct {
	s       *schema
	regexes map[string]*regexp.Regexp
	faults  []string
}

func newChecker(t testing.TB) *checker {
	t.Helper()
	s, err := published()
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{s: s, regexes: map[string]*regexp.Regexp{}}
	for name, text := range s.regexes {
		// RE2 reads [*+-/] as the standard's dialect does; what it can't read would be a fault here.
		c.regexes[name] = regexp.MustCompile(text)
	}
	return c
}

func (c *checker) fault(at, format string, args ...any) {
	c.faults = append(c.faults, at+": "+fmt.Sprintf(format, args...))
}

// event returns the event's faults.
func (c *checker) event(line []byte) []string {
	c.faults = nil
	var e map[string]any
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return []string{err.Error()}
	}
	uid := fmt.Sprint(e["class_uid"])
	for _, o := range c.s.classes {
		if fmt.Sprint(o.uid) == uid {
			c.object("", e, o, profilesOf(e))
			c.ids(e, o)
			return c.faults
		}
	}
	return []string{"unknown class " + uid}
}

func profilesOf(e map[string]any) (out []string) {
	m, _ := e["metadata"].(map[string]any)
	list, _ := m["profiles"].([]any)
	for _, p := range list {
		out = append(out, fmt.Sprint(p))
	}
	return out
}

// ids checks the numbers that the schema computes from others.
func (c *checker) ids(e map[string]any, o *object) {
	if fmt.Sprint(e["category_uid"]) != fmt.Sprint(o.categoryUID) || e["category_name"] != o.categoryName || e["class_name"] != o.caption {
		c.fault("class", "category or name does not belong to it: %v %v %v", e["category_uid"], e["category_name"], e["class_name"])
	}
	activity, _ := e["activity_id"].(json.Number).Int64()
	if fmt.Sprint(e["type_uid"]) != fmt.Sprint(int64(o.uid)*100+activity) {
		c.fault("type_uid", "%v is not class %d and activity %d", e["type_uid"], o.uid, activity)
	}
}

func (c *checker) object(at string, v map[string]any, o *object, profiles []string) {
	for _, a := range o.attributes {
		val, there := v[a.name]
		used := len(a.profiles) == 0 || slices.ContainsFunc(a.profiles, func(p string) bool { return slices.Contains(profiles, p) })
		if !there && a.required && used && !(at == "" && !slices.Contains(profiles, "cloud") && a.name == "cloud") {
			c.fault(at+a.name, "required, and not there")
		}
		if there && !used && at == "" {
			c.fault(at+a.name, "of the profiles %v, which the event does not name", a.profiles)
		}
		if there {
			c.attribute(at+a.name, val, a, v, profiles)
		}
	}
	for k := range v {
		if o.byName[k] == nil && o.name != "object" {
			c.fault(at+k, "%s has no such attribute", o.name)
		}
	}
	there := func(list []string) (n int) {
		for _, k := range list {
			if _, ok := v[k]; ok {
				n++
			}
		}
		return n
	}
	if len(o.atLeastOne) > 0 && there(o.atLeastOne) == 0 {
		c.fault(at, "none of %v is there", o.atLeastOne)
	}
	if len(o.justOne) > 0 && there(o.justOne) != 1 {
		c.fault(at, "%d of %v are there", there(o.justOne), o.justOne)
	}
}

func (c *checker) attribute(at string, v any, a *attribute, in map[string]any, profiles []string) {
	if a.name == "unmapped" {
		if _, ok := v.(map[string]any); !ok {
			c.fault(at, "no object")
		}
		return
	}
	vals := []any{v}
	if a.array {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			c.fault(at, "no list: %v", v)
			return
		}
		vals = list
	}
	for _, v := range vals {
		if a.object != "" {
			m, ok := v.(map[string]any)
			if !ok || c.s.objects[a.object] == nil {
				c.fault(at, "no object: %v", v)
				continue
			}
			c.object(at+".", m, c.s.objects[a.object], profiles)
			continue
		}
		if why := c.scalar(v, a); why != "" {
			c.fault(at, "%s: %v", why, v)
		}
		if id, ok := a.find(fmt.Sprint(v)); ok && a.sibling != "" && id.key != other && !headed(a.name) && in[a.sibling] != id.caption {
			c.fault(at, "its caption is %v", in[a.sibling])
		}
	}
}

func (c *checker) scalar(v any, a *attribute) string {
	if len(a.enum) > 0 && !slices.ContainsFunc(a.enum, func(e enumValue) bool { return e.key == fmt.Sprint(v) }) {
		return "not in the enum"
	}
	base := c.s.base(a.typ)
	switch base {
	case "json_t":
		return ""
	case "integer_t", "long_t":
		n, ok := v.(json.Number)
		if !ok {
			return "no number"
		}
		i, err := n.Int64()
		if err != nil || a.typ == "port_t" && (i < 0 || i > 65535) {
			return "out of range"
		}
	case "float_t":
		n, ok := v.(json.Number)
		if f, err := n.Float64(); !ok || err != nil || math.IsInf(f, 0) {
			return "no float"
		}
	case "boolean_t":
		if _, ok := v.(bool); !ok {
			return "no boolean"
		}
	default:
		s, ok := v.(string)
		if !ok {
			return "no text"
		}
		if r := c.regexes[a.typ]; r != nil && !r.MatchString(s) {
			return "not of the form of " + a.typ
		}
		if a.typ == "ip_t" {
			if _, err := netip.ParseAddr(s); err != nil {
				return "no address"
			}
		}
	}
	return ""
}

// TestCheckerFinds: a checker that finds nothing wrong with anything would prove nothing.
func TestCheckerFinds(t *testing.T) {
	good := `{"class_uid":4001,"class_name":"Network Activity","category_uid":4,"category_name":"Network Activity","activity_id":6,"activity_name":"Traffic",` +
		`"type_uid":400106,"type_name":"Network Activity: Traffic","time":1,"severity_id":1,"severity":"Informational","metadata":{"version":"1.8.0","product":{"name":"x"}},` +
		`"src_endpoint":{"ip":"192.0.2.1","port":5}}`
	c := newChecker(t)
	if f := c.event([]byte(good)); len(f) > 0 {
		t.Fatalf("faults in a good event: %v", f)
	}
	for _, bad := range [][2]string{
		{`"time":1,`, ``}, {`"time":1`, `"time":"1"`}, {`192.0.2.1`, `host`}, {`"port":5`, `"port":70000`}, {`"severity_id":1`, `"severity_id":17`},
		{`"Informational"`, `"Low"`}, {`400106`, `400105`}, {`,"product":{"name":"x"}`, ``}, {`{"name":"x"}`, `{"version":"x"}`}, {`"ip"`, `"source_ip"`},
		{`,"src_endpoint":{"ip":"192.0.2.1","port":5}`, ``}, {`"time":1`, `"time":1,"cloud":{"provider":"AWS"}`}, {`{"ip":"192.0.2.1","port":5}`, `[]`},
		{`4001,`, `4999,`},
	} {
		if f := c.event([]byte(strings.Replace(good, bad[0], bad[1], 1))); len(f) == 0 {
			t.Errorf("%s in the place of %s is no fault", bad[1], bad[0])
		}
	}
}
