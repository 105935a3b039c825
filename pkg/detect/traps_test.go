package detect

import (
	"slices"
	"testing"
)

// TestRoutingTraps: events whose log source other engines get wrong, by name.
func TestRoutingTraps(t *testing.T) {
	rule := func(id, source, field string) string {
		return "title: " + id + "\nid: " + id + "\nlogsource: {" + source + "}\ndetection: {s: {" + field + "}, condition: s}\n---\n"
	}
	dir := folder(t, map[string]string{"r.yml": rule("any-registry", "product: windows, category: registry_event", `TargetObject|endswith: '\Run'`) +
		rule("registry-set", "product: windows, category: registry_set", `TargetObject|endswith: '\Run'`) +
		rule("registry-add", "product: windows, category: registry_add", `TargetObject|endswith: '\Run'`) +
		rule("sysmon", "product: windows, service: sysmon", `TargetObject|endswith: '\Run'`) +
		rule("process", "product: windows, category: process_creation", `Image|endswith: '\cmd.exe', User|contains: ann`) +
		rule("parent", "product: windows, category: process_creation", `ParentImage|endswith: '\word.exe', IntegrityLevel: S-1-16-12288`) +
		rule("connection", "product: windows, category: network_connection", `DestinationPort: 445, Image|endswith: '\x.exe'`) +
		rule("linux", "product: linux, category: process_creation", `Image|endswith: '\cmd.exe'`)})
	on, off := newStage(t, Config{Rules: []string{dir}, Routing: true}), newStage(t, Config{Rules: []string{dir}})
	for _, c := range []struct {
		name, line string
		want, raw  []string // with routing, and without
	}{
		{
			"Sysmon 13 is in both registry categories", `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":13,"TargetObject":"HKLM\\Run"}`,
			[]string{"any-registry", "registry-set", "sysmon"}, []string{"any-registry", "registry-add", "registry-set", "sysmon"},
		},
		{
			"nested Event with System and EventData", `{"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":{"#text":12}},"EventData":{"TargetObject":"HKLM\\Run"}}}`,
			[]string{"any-registry", "registry-add", "sysmon"}, []string{"any-registry", "registry-add", "registry-set", "sysmon"},
		},
		{
			"winlogbeat's names", `{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":"13","event_data":{"TargetObject":"HKLM\\Run"}}}`,
			[]string{"any-registry", "registry-set", "sysmon"}, []string{"any-registry", "registry-add", "registry-set", "sysmon"},
		},
		{
			"a hint in the event does not narrow it", `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":13,"TargetObject":"HKLM\\Run","category":"registry_set","product":"linux"}`,
			[]string{"any-registry", "registry-set", "sysmon"}, []string{"any-registry", "registry-add", "registry-set", "sysmon"},
		},
		{
			"raw Security 4688 is a process creation", `{"Channel":"Security","EventID":4688,"NewProcessName":"C:\\cmd.exe","SubjectUserName":"ann"}`,
			[]string{"process"}, nil,
		},
		{
			"nested Security 4688", `{"Event":{"System":{"Channel":"Security","EventID":4688},"EventData":{"NewProcessName":"C:\\cmd.exe","SubjectUserName":"ann","ParentProcessName":"C:\\word.exe","MandatoryLabel":"S-1-16-12288"}}}`,
			[]string{"parent", "process"}, nil,
		},
		{
			"raw Security 5156 is a network connection", `{"Channel":"Security","EventID":5156,"Application":"\\device\\x.exe","DestPort":"445"}`,
			[]string{"connection"}, nil,
		},
		{
			"an event of which nothing is known is seen by all", `{"Image":"C:\\cmd.exe"}`, []string{"linux"}, []string{"linux"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, way := range []struct {
				s    *Stage
				want []string
			}{{on, c.want}, {off, c.raw}} {
				got := raised(t, way.s, []byte(c.line))[0]
				slices.Sort(got)
				if !slices.Equal(got, way.want) {
					t.Errorf("routing %v: raised %q, want %q", way.s == on, got, way.want)
				}
			}
		})
	}
}
