// Command gen writes seeded benchmark data: sshd lines, audit JSON and key=value firewall lines, and the tables to join.
//
//	go run ./bench/gen -n 500000 -dir /tmp/leat-bench
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

func main() {
	n := flag.Int("n", 500000, "events a file")
	dir := flag.String("dir", "/tmp/leat-bench", "folder to write to")
	flag.Parse()
	if err := write(*dir, *n); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(7, 7))
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, f := range []struct {
		name string
		n    int
		line func(i int, at time.Time) string
	}{
		{"sshd.log", n, func(i int, at time.Time) string { return sshd(r, at) }},
		{"audit.ndjson", n, func(i int, at time.Time) string { return audit(r, at) }},
		{"fortigate.log", n, func(i int, at time.Time) string { return fortigate(r, at) }},
		{"users.csv", 100001, user},
	} {
		out, err := os.Create(filepath.Join(dir, f.name))
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(out, 1<<20)
		for i := range f.n {
			w.WriteString(f.line(i, start.Add(time.Duration(i)*17*time.Millisecond)))
			w.WriteByte('\n')
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return nil
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func ip(r *rand.Rand) string {
	return fmt.Sprintf("10.%d.%d.%d", r.IntN(200), r.IntN(256), r.IntN(256))
}

func sshd(r *rand.Rand, at time.Time) string {
	what := pick(r, "Failed password for invalid user", "Failed password for", "Accepted publickey for", "Accepted password for")
	return fmt.Sprintf("<38>%s ws-%05d sshd[%d]: %s u%06d from %s port %d ssh2",
		at.Format("Jan _2 15:04:05"), r.IntN(20000), 1000+r.IntN(60000), what, r.IntN(105000), ip(r), 1024+r.IntN(60000))
}

func audit(r *rand.Rand, at time.Time) string {
	id := fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<48))
	return fmt.Sprintf(`{"eventVersion":"1.08","eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"%s","sourceIPAddress":"%s","userAgent":"%s","userIdentity":{"type":"IAMUser","principalId":"AIDA%012d","arn":"arn:aws:iam::123456789012:user/u%06d","accountId":"123456789012","userName":"u%06d"},"requestParameters":{"bucketName":"payroll-%d","key":"hr/2026/%05d.xlsx","durationSeconds":3600},"responseElements":null,"requestID":"%s","eventID":"%s","readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"s3.eu-west-1.amazonaws.com"}}`,
		at.Format(time.RFC3339), pick(r, "s3.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com"),
		pick(r, "GetObject", "PutObject", "AssumeRole", "ListUsers", "ConsoleLogin"), pick(r, "eu-west-1", "us-east-1"), ip(r),
		pick(r, "aws-cli/2.31.4 md/awscrt#0.27.6 os/linux#6.8.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0"),
		r.Int64N(1e12), r.IntN(105000), r.IntN(105000), r.IntN(40), r.IntN(99999), id, id, r.IntN(2) == 0)
}

func fortigate(r *rand.Rand, at time.Time) string {
	return fmt.Sprintf(`date=%s time=%s devname="FGT-BUD-01" devid="FG100F1234567890" eventtime=%d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=%s srcport=%d srcintf="port%d" srcintfrole="lan" dstip=172.16.%d.%d dstport=443 dstintf="wan1" dstintfrole="wan" policyid=%d proto=6 action="%s" service="HTTPS" user="u%06d" sentbyte=%d rcvdbyte=%d sentpkt=%d rcvdpkt=%d appcat="unscanned" sessionid=%d`,
		at.Format("2006-01-02"), at.Format("15:04:05"), at.UnixNano(), ip(r), 1024+r.IntN(60000), r.IntN(8), r.IntN(256), r.IntN(256),
		r.IntN(300), pick(r, "accept", "deny", "close"), r.IntN(105000), r.IntN(1e6), r.IntN(1e7), r.IntN(900), r.IntN(9000), r.IntN(1e9))
}

// user is a row of the directory; row 0 is its header.
func user(i int, _ time.Time) string {
	if i == 0 {
		return "id,name,email,department,city"
	}
	i--
	cities := []string{"Budapest", "Dublin", "New York", "Singapore", "London", "Berlin"}
	return fmt.Sprintf("u%06d,First%d Last%d,first%d.last%d@corp.example,Development,%s", i, i%977, i, i%977, i, cities[i%6])
}
