package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// workload is a seeded stream of events.
type workload struct {
	name     string
	n        int
	datasets int
	days     int
	end      time.Time // where the days end
	shuffled bool      // times in no order
}

func (w *workload) fileName() string {
	order := "ordered"
	if w.shuffled {
		order = "shuffled"
	}
	return fmt.Sprintf("%s-%d-%dx%d-%s.ndjson", order, w.n, w.datasets, w.days, w.end.Format(time.DateOnly))
}

// people and machines of a company, as many as its logs would name.
const (
	users = 20_000
	hosts = 5_000
)

// kind is what one dataset's events look like.
type kind struct {
	dataset, module, category, process string
	actions                            []string
	own                                func(r *rand.Rand) string // the dataset's own object
}

func kinds() []kind {
	return []kind{
		{"linux.auth", "linux", "authentication", "sshd", []string{"ssh_login", "ssh_logout", "sudo_command", "session_opened"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"linux":{"auth":{"method":%q,"session":"%08x","tty":"pts/%d","signature":"SHA256:%s"}}`, pick(r, "publickey", "password"), r.Uint32(), r.IntN(40), token(r, 32))
		}},
		{"windows.security", "windows", "authentication", "lsass.exe", []string{"logged-in", "logon-failed", "special-logon", "kerberos-ticket"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"winlog":{"event_id":%d,"channel":"Security","record_id":%d,"logon":{"type":%d,"id":"0x%x"}}`,
				4624+r.IntN(30), r.Int64N(1e9), 2+r.IntN(9), r.Uint32())
		}},
		{"o365.audit", "o365", "web", "", []string{"UserLoggedIn", "FileAccessed", "FileDownloaded", "MailItemsAccessed", "New-InboxRule"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"o365":{"audit":{"Workload":%q,"CorrelationId":%q,"RecordType":%d}}`,
				pick(r, "AzureActiveDirectory", "SharePoint", "Exchange", "OneDrive"), uuid(r), r.IntN(60))
		}},
		{"fortinet.firewall", "fortinet", "network", "", []string{"accept", "deny", "close", "timeout"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"fortinet":{"firewall":{"policyid":%d,"sessionid":%d,"srcintfrole":"lan","appcat":"unscanned","sentpkt":%d,"rcvdpkt":%d}}`,
				r.IntN(300), r.Int64N(1e9), r.IntN(900), r.IntN(9000))
		}},
		{"aws.cloudtrail", "aws", "iam", "", []string{"AssumeRole", "GetObject", "PutObject", "ListUsers", "ConsoleLogin"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"aws":{"cloudtrail":{"request_id":%q,"event_type":"AwsApiCall","resource":"arn:aws:s3:::payroll-%d/hr/%05d.xlsx","read_only":%v}}`,
				uuid(r), r.IntN(40), r.IntN(99999), r.IntN(2) == 0)
		}},
		{"nginx.access", "nginx", "web", "nginx", []string{"GET", "POST", "PUT", "HEAD"}, func(r *rand.Rand) string {
			return fmt.Sprintf(`"nginx":{"access":{"upstream":"10.0.%d.%d:8080","time":%d.%03d,"status":%d,"request_id":%q}}`,
				r.IntN(4), r.IntN(256), r.IntN(3), r.IntN(1000), []int{200, 301, 403, 404, 500}[r.IntN(5)], token(r, 24))
		}},
	}
}

func (w *workload) write(out io.Writer) error {
	r := rand.New(rand.NewPCG(919, 27))
	span := time.Duration(w.days) * 24 * time.Hour
	all := kinds()
	var line []byte
	for i := range w.n {
		at := w.end.Add(-span + time.Duration(float64(span)*float64(i)/float64(w.n)))
		if w.shuffled {
			at = w.end.Add(-time.Duration(r.Int64N(int64(span)-1) + 1))
		}
		k := all[r.IntN(len(all))]
		if w.datasets > len(all) {
			k.dataset = fmt.Sprintf("made.up.%d", r.IntN(w.datasets))
			if i := r.IntN(w.days); w.shuffled || i > 0 {
				at = w.end.Add(-time.Duration(r.Int64N(int64(span)-1) + 1))
			}
		}
		line = w.event(line[:0], r, &k, at)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// event appends one line. The fields are ECS's; column lists in copy.go name those that the lossy way keeps.
func (w *workload) event(b []byte, r *rand.Rand, k *kind, at time.Time) []byte {
	user, host := skewed(r, users), skewed(r, hosts)
	ip, port := fmt.Sprintf("10.%d.%d.%d", r.IntN(40), r.IntN(256), r.IntN(256)), 1024+r.IntN(60000)
	action, outcome := k.actions[r.IntN(len(k.actions))], "success"
	if r.IntN(9) == 0 {
		outcome = "failure"
	}
	name := fmt.Sprintf("ws-%05d", host)
	b = fmt.Appendf(b, `{"@timestamp":"%s","event":{"id":"%020x","kind":"event","dataset":%q,"module":%q,"category":[%q],"type":["info"],"action":%q,"outcome":%q,"severity":%d`,
		at.Format("2006-01-02T15:04:05.000Z"), r.Uint64(), k.dataset, k.module, k.category, action, outcome, r.IntN(8))
	b = fmt.Appendf(b, `,"original":"%s %s %s[%d]: %s u%06d %s:%d"}`, at.Format("Jan _2 15:04:05"), name, k.module, 1000+r.IntN(60000), action, user, ip, port)
	b = fmt.Appendf(b, `,"user":{"id":"u%06d","name":"first%d.last%d","domain":"CORP","email":"u%06d@corp","department":%q}`,
		user, user%977, user, user, pick(r, "Development", "Finance", "Sales", "Operations"))
	b = fmt.Appendf(b, `,"source":{"ip":%q,"port":%d,"geo":{"country_iso_code":%q,"city_name":%q}}`,
		ip, port, pick(r, "HU", "IE", "US", "SG", "DE"), pick(r, "Budapest", "Dublin", "New York", "Singapore", "Berlin"))
	b = fmt.Appendf(b, `,"destination":{"ip":"172.16.%d.%d","port":%d}`, r.IntN(16), r.IntN(256), []int{22, 443, 445, 3389, 8080}[r.IntN(5)])
	b = fmt.Appendf(b, `,"host":{"name":"%s"}`, name)
	if k.process != "" {
		b = fmt.Appendf(b, `,"process":{"pid":%d,"name":%q}`, 1000+r.IntN(60000), k.process)
	}
	b = fmt.Appendf(b, `,"user_agent":{"original":%q},"network":{"transport":"tcp"},"observer":{"vendor":%q},"ecs":{"version":"9.1.0"},"message":"%s: %s"`,
		pick(r, "Mozilla/5.0 (Windows)", "aws-cli/2.31.4"), k.module, action, outcome)
	b = append(append(b, ','), k.own(r)...)
	return append(b, '}', '\n')
}

// skewed picks one of n as logs do: few are seen often, many seldom.
func skewed(r *rand.Rand, n int) int {
	f := r.Float64()
	return int(f * f * f * float64(n))
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func token(r *rand.Rand, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func uuid(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<48))
}
