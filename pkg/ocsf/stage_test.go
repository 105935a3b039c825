package ocsf

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// turn takes lines through the stage.
func turn(t testing.TB, lines ...string) []string {
	t.Helper()
	s, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	var out []string
	for _, e := range b.Events {
		out = append(out, string(e.Append(nil)))
	}
	return out
}

func tree(t testing.TB, line string) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber() // digits, not floats
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// at reads a.b.0.c of a tree.
func at(v any, path string) any {
	for _, k := range strings.Split(path, ".") {
		switch o := v.(type) {
		case map[string]any:
			v = o[k]
		case []any:
			i := 0
			if _, err := fmt.Sscan(k, &i); err != nil || i >= len(o) {
				return nil
			}
			v = o[i]
		default:
			return nil
		}
	}
	return v
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     map[string]any
	}{
		{"logon", `{"@timestamp":"2026-11-24T08:17:44.123Z","event":{"id":"e1","kind":"event","dataset":"linux.auth","category":["authentication"],"type":["start"],"action":"ssh_login","outcome":"failure","original":"raw"},"user":{"name":"bob"},"source":{"ip":"192.0.2.7","port":4711},"host":{"hostname":"web1"},"process":{"name":"sshd","pid":7}}`,
			map[string]any{
				"class_uid": 3002, "activity_name": "Logon", "type_uid": 300201, "status_id": 2, "status": "Failure", "user.name": "bob", "src_endpoint.ip": "192.0.2.7", "src_endpoint.port": 4711,
				"time": 1795508264123, "metadata.uid": "e1", "raw_data": "raw", "device.hostname": "web1", "service.name": "sshd", "unmapped.event.outcome": nil, "unmapped.event.type.0": "start",
				"metadata.profiles.0": "host",
			}},
		{"process", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"category":["process"],"type":["start"],"kind":"event"},"host":{"name":"h"},"user":{"name":"ann"},"process":{"pid":5,"executable":"/bin/ls","command_line":"ls -l","hash":{"sha256":"aa"},"parent":{"pid":1,"name":"init"}}}`,
			map[string]any{
				"class_uid": 1007, "activity_name": "Launch", "process.pid": 5, "process.file.name": "ls", "process.file.path": "/bin/ls", "process.file.hashes.0.algorithm": "SHA-256",
				"process.file.hashes.0.value": "aa", "process.parent_process.pid": 1, "actor.user.name": "ann", "process.cmd_line": "ls -l",
			}},
		{"dns", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["network"]},"source":{"ip":"192.0.2.1"},"dns":{"question":{"name":"www.example.org","type":"A"},"response_code":"NXDOMAIN","answers":[{"data":"192.0.2.2","ttl":30},{"data":"192.0.2.3","type":"A"}]}}`,
			map[string]any{
				"class_uid": 4003, "activity_name": "Response", "query.hostname": "www.example.org", "rcode_id": 3, "rcode": "NXDomain", "answers.0.rdata": "192.0.2.2", "answers.0.ttl": 30, "answers.1.type": "A",
				"unmapped.dns": nil,
			}},
		{"http", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["web"]},"source":{"ip":"192.0.2.1"},"url":{"original":"/a?b=1","path":"/a","query":"b=1"},"http":{"request":{"method":"get"},"response":{"status_code":404}},"user_agent":{"original":"curl/8"}}`,
			map[string]any{"class_uid": 4002, "activity_name": "Get", "http_request.http_method": "GET", "http_response.code": 404, "http_request.url.path": "/a", "http_request.user_agent": "curl/8"}},
		{"api", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","dataset":"aws.cloudtrail","category":["api"],"type":["creation"],"action":"CreateBucket","provider":"s3.amazonaws.com"},"cloud":{"provider":"aws","region":"eu-west-3","account":{"id":"1"}},"user":{"name":"ann"},"source":{"ip":"192.0.2.1"},"aws":{"cloudtrail":{"x":1}}}`,
			map[string]any{
				"class_uid": 6003, "activity_name": "Create", "api.operation": "CreateBucket", "api.service.name": "s3.amazonaws.com", "cloud.provider": "AWS", "actor.user.name": "ann",
				"unmapped.aws.cloudtrail.x": 1, "metadata.product.name": "CloudTrail", "metadata.product.vendor_name": "AWS",
			}},
		{"flow", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["network"],"type":["connection","end"],"duration":1500000},"source":{"ip":"192.0.2.1","port":1,"bytes":10},"destination":{"ip":"192.0.2.2","port":80,"bytes":20},"network":{"transport":"tcp","bytes":30,"direction":"egress","community_id":"1:x"}}`,
			map[string]any{
				"class_uid": 4001, "activity_name": "Close", "traffic.bytes_in": 20, "traffic.bytes_out": 10, "connection_info.direction": "Outbound", "connection_info.community_uid": "1:x",
				"duration": 1, "unmapped.event.duration": 1500000,
			}},
		{"alert", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"id":"a1","kind":"alert","dataset":"leat.alert","severity":73},"rule":{"id":"r1","name":"Bad thing"},"threat":{"technique":{"id":["T1110"]}},"leat":{"alert":{"level":"high"}},"events":[{"id":"e9","dataset":"d"}],"user":{"name":"bob"}}`,
			map[string]any{
				"class_uid": 2004, "finding_info.title": "Bad thing", "finding_info.uid": "a1", "severity_id": 4, "is_alert": true, "attacks.0.technique.uid": "T1110", "finding_info.analytic.type": "Rule",
				"finding_info.related_events.0.uid": "e9", "unmapped.events.0.dataset": "d", "evidences.0.actor.user.name": "bob",
			}},
		{"account", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["iam"],"type":["user","creation"],"action":"added-user-account"},"user":{"name":"admin","target":{"name":"new"}}}`,
			map[string]any{"class_uid": 3001, "activity_name": "Create", "user.name": "new", "actor.user.name": "admin"}},
		{"lacks what its class requires", `{"@timestamp":"2026-11-24T08:17:44Z","event":{"kind":"event","category":["process"],"action":"odd"},"process":{"name":"x"}}`,
			map[string]any{"class_uid": 0, "activity_id": 99, "activity_name": "odd", "unmapped.process.name": "x"}},
		{"unrecognised", `{"event":{"kind":"event","original":"words"}}`, map[string]any{"class_uid": 0, "raw_data": "words", "metadata.product.name": "unknown", "type_uid": 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := turn(t, c.in)[0]
			m := tree(t, line)
			for path, want := range c.want {
				got := at(m, path)
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s is %v, not %v", path, got, want)
				}
			}
			for _, f := range newChecker(t).event([]byte(line)) {
				t.Error(f)
			}
			if t.Failed() {
				t.Log(line)
			}
		})
	}
}

func TestWhatPasses(t *testing.T) {
	for _, in := range []string{
		`{"event":{"kind":"pipeline_error","original":"x"},"error":{"message":"m"}}`,
		`{"class_uid":4001,"time":5}`,
		`no json`,
	} {
		if got := turn(t, in)[0]; got != in {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// TestClonesAgree: parts of a batch that clones turn side by side come out as from one stage.
func TestClonesAgree(t *testing.T) {
	one, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(s stage.Stage) string {
		var b event.Batch
		for i := range 300 {
			for _, name := range []string{"flow", "logon"} {
				b.Push([]byte(strings.Replace(samples[name], "192.0.2.", fmt.Sprintf("192.0.%d.", i%200), 1)))
			}
		}
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		return string(b.AppendLines(nil))
	}
	if a, b := run(one), run(stage.Parallel(one, 4)); a != b {
		t.Error("clones make other events than one stage does")
	}
}
