// Command schemagen writes pkg/ocsf/schema.txt: of the published OCSF schema, the classes that the table of pkg/ocsf names, with
// the objects that they can hold. It reads the schema as https://schema.ocsf.io/VERSION/export/v2/schema gives it, which the
// Python package ocsf-json-schema (PyPI, 1.2.0) carries as ocsf_json_schema/ocsf/1.8.0.json. The schema is Apache-2.0.
//
//	go run ./pkg/ocsf/schemagen 1.8.0.json > pkg/ocsf/schema.txt
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// classes are those that events are given. The schema's own name of 1008 has that spelling.
var classes = []string{
	"base_event", "file_activity", "module_activity", "scheduled_job_activity", "process_activity", "event_log_actvity", "script_activity",
	"win/registry_key_activity", "win/registry_value_activity", "win/windows_service_activity", "detection_finding", "account_change",
	"authentication", "authorize_session", "entity_management", "group_management", "network_activity", "http_activity", "dns_activity",
	"dhcp_activity", "ssh_activity", "ftp_activity", "email_activity", "api_activity",
}

type schema struct {
	Version    string
	Classes    map[string]*item
	Objects    map[string]*item
	Dictionary struct {
		Types struct{ Attributes map[string]typeOf }
	}
}

type typeOf struct {
	Type  string
	Regex string
}

type item struct {
	UID          int
	Caption      string
	CategoryUID  int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	Constraints  map[string][]string
	Attributes   map[string]*attribute
}

type attribute struct {
	Type        string
	Object      string `json:"object_type"`
	Array       bool   `json:"is_array"`
	Requirement string
	Sibling     string
	Profiles    []string
	Enum        map[string]struct{ Caption string }
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("expected the path of the exported schema")
	}
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var s schema
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("read %q: %w", os.Args[1], err)
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintf(out, "# Made by schemagen from the published schema of the Open Cybersecurity Schema Framework (Apache-2.0). Do not edit.\nversion %s\n", s.Version)
	for _, name := range slices.Sorted(maps.Keys(s.Dictionary.Types.Attributes)) {
		t := s.Dictionary.Types.Attributes[name]
		if t.Type == "" {
			continue
		}
		fmt.Fprintf(out, "type %s %s", name, t.Type)
		// The expression of ip_t is a thousand letters long and takes what is no address; a parser says more.
		if t.Regex != "" && name != "ip_t" {
			fmt.Fprintf(out, " %s", t.Regex)
		}
		fmt.Fprintln(out)
	}
	var todo []string
	for _, name := range classes {
		c := s.Classes[name]
		if c == nil {
			return fmt.Errorf("the schema has no class %q", name)
		}
		if c.CategoryName == "" {
			c.CategoryName = c.Attributes["category_uid"].Enum[strconv.Itoa(c.CategoryUID)].Caption
		}
		fmt.Fprintf(out, "class %s %d %q %d %q%s\n", name, c.UID, c.Caption, c.CategoryUID, c.CategoryName, constraints(c))
		todo = append(todo, attributes(out, c)...)
	}
	seen := map[string]bool{}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if o := s.Objects[name]; o != nil && !seen[name] {
			seen[name] = true
			fmt.Fprintf(out, "object %s%s\n", name, constraints(o))
			todo = append(todo, attributes(out, o)...)
		}
	}
	return out.Flush()
}

func constraints(i *item) string {
	s := ""
	for _, k := range slices.Sorted(maps.Keys(i.Constraints)) {
		s += " " + k + "=" + strings.Join(i.Constraints[k], ",")
	}
	return s
}

// attributes writes those of i and returns the objects that they hold. Enums that say again what the class line says are left out.
func attributes(out *bufio.Writer, i *item) (objects []string) {
	for _, name := range slices.Sorted(maps.Keys(i.Attributes)) {
		a := i.Attributes[name]
		t := a.Type
		if a.Object != "" {
			t = "{" + a.Object + "}"
			objects = append(objects, a.Object)
		}
		if a.Array {
			t += "[]"
		}
		fmt.Fprintf(out, " %s %s", name, t)
		if a.Requirement == "required" {
			fmt.Fprint(out, " required")
		}
		if a.Sibling != "" {
			fmt.Fprintf(out, " sibling=%s", a.Sibling)
		}
		if len(a.Profiles) > 0 {
			fmt.Fprintf(out, " profiles=%s", strings.Join(a.Profiles, ","))
		}
		fmt.Fprintln(out)
		if slices.Contains([]string{"class_uid", "category_uid", "type_uid"}, name) {
			continue
		}
		keys := slices.SortedFunc(maps.Keys(a.Enum), func(x, y string) int {
			m, _ := strconv.Atoi(x)
			n, _ := strconv.Atoi(y)
			if m != n {
				return m - n
			}
			return strings.Compare(x, y)
		})
		for _, k := range keys {
			fmt.Fprintf(out, "  %s %s\n", k, a.Enum[k].Caption)
		}
	}
	return objects
}
