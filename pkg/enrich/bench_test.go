package enrich

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"leat/pkg/event"
)

// benchEvent is an event of about 850 bytes, after a cloud audit log.
func benchEvent(r *rand.Rand, users int) []byte {
	return fmt.Appendf(nil, `{"@timestamp":"2026-11-23T00:00:%02d.017Z","event":{"action":"FileAccessed","outcome":"Success","kind":"event","module":"o365","id":"%08x-4c7b-4a01-a5d2-00a2b8c4d6e8"},"user":{"id":"u%06d"},"source":{"ip":"10.%d.%d.%d","port":%d},"host":{"name":"ws-%05d.corp.example"},"user_agent":{"original":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},"ecs":{"version":"9.1.0"},"observer":{"vendor":"Microsoft"},"OrganizationId":"5f1e0b4c-8a0b-4a7e-9d0b-1f0d6a1c2b3e","Workload":"SharePoint","requestParameters":{"bucketName":"payroll-%d","key":"hr/2026/%05d.xlsx","roleArn":"arn:aws:iam::123456789012:role/svc-%d","durationSeconds":3600},"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"RequestType","Value":"OAuth2:Authorize"}]}`,
		r.Intn(60), r.Uint32(), r.Intn(users*105/100), r.Intn(200), r.Intn(256), r.Intn(256), 1024+r.Intn(60000), r.Intn(20000), r.Intn(40), r.Intn(99999), r.Intn(90))
}

func benchDir(b *testing.B, users int) string {
	var u, h, n strings.Builder
	u.WriteString("id,name,email,office\n")
	for i := range users {
		fmt.Fprintf(&u, "u%06d,First%d Last%d,first%d.last%d@corp.example,%s\n", i, i%977, i, i%977, i, []string{"Budapest", "Dublin", "New York", "Singapore"}[i%4])
	}
	h.WriteString("name,function,owner\n")
	for i := range 20000 {
		fmt.Fprintf(&h, "ws-%05d.corp.example,Workstation,First%d\n", i, i)
	}
	n.WriteString("cidr,site\n")
	for i := range 200 {
		for j := range 250 {
			fmt.Fprintf(&n, "10.%d.%d.0/24,site %d\n", i, j, i)
		}
	}
	return put(b, "", "users.csv", u.String(), "hosts.csv", h.String(), "nets.csv", n.String())
}

const benchUsers = "dimensions:\n  users: {file: users.csv, key: id}\n"

// BenchmarkEnrich: parse, join, write. Events of 850 bytes, of which 5 % miss.
func BenchmarkEnrich(b *testing.B) {
	dir := benchDir(b, 100_000)
	for _, c := range []struct{ name, yaml string }{
		{"no_join", benchUsers + "rules:\n  - {field: absent.field, dimension: users, set: {user.name: name}}\n"},
		{"users_100k", benchUsers + "rules:\n  - {field: user.id, dimension: users, set: {user.full_name: name, user.email: email, user.office.city: office}}\n"},
		{"three_joins_and_cidr", benchUsers + "  hosts: {file: hosts.csv, key: name, fold: true}\n  nets: {file: nets.csv, key: cidr, join: cidr}\nrules:\n" +
			"  - {field: user.id, dimension: users, status: true, set: {user.full_name: name, user.email: email, user.office.city: office}}\n" +
			"  - {field: host.name, dimension: hosts, status: true, set: {host.function: function, host.owner: owner}}\n" +
			"  - {field: user.target.id, dimension: users, name: target, set: {user.target.full_name: name}}\n" +
			"  - {field: source.ip, dimension: nets, status: true, set: {source.geo.name: site}}\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := open(b, put(b, dir, "enrich.yaml", c.yaml), Options{Fixed: true})
			r := rand.New(rand.NewSource(7))
			var in [][]byte
			size := 0
			for range 20_000 {
				in = append(in, benchEvent(r, 100_000))
				size += len(in[len(in)-1])
			}
			var batch event.Batch
			out := make([]byte, 0, 1<<20)
			const perBatch = 300
			b.SetBytes(int64(size / len(in)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				// One iteration is one event: work is done per batch.
				batch.Push(in[n%len(in)])
				if n++; n%perBatch == 0 {
					if err := s.Process(&batch); err != nil {
						b.Fatal(err)
					}
					out = batch.AppendLines(out[:0])
					batch.Reset()
				}
			}
			if n > perBatch && bytes.Count(out, []byte{'\n'}) != perBatch {
				b.Fatal("lines are lost")
			}
		})
	}
}

// BenchmarkLoad: CSV with one key column; CIDR blocks.
func BenchmarkLoad(b *testing.B) {
	dir := benchDir(b, 1_000_000)
	for _, c := range []struct{ name, file, key, join string }{{"users_1M", "users.csv", "id", "exact"}, {"cidr_50k", "nets.csv", "cidr", "cidr"}} {
		b.Run(c.name, func(b *testing.B) {
			d := configured(b, "x.csv", "k\n", func(d *DimensionConfig) {
				d.path, d.Key, d.Join = dir+"/"+c.file, names{{value: c.key}}, c.join
			})
			b.ReportAllocs()
			for b.Loop() {
				s, err := loadDimension(d)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(s.Rows), "rows")
			}
		})
	}
}
