package normalize

import (
	"path/filepath"
	"testing"

	"leat/pkg/event"
)

// samples are lines of our own, one for each way through the stage.
var samples = map[string]string{
	"cloudtrail": `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ann","arn":"arn:aws:sts::123456789012:assumed-role/ops/ann","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/ops","accountId":"123456789012","userName":"ops"},"webIdFederationData":{},"attributes":{"creationDate":"2026-11-24T07:20:10Z","mfaAuthenticated":"true"}}},"eventTime":"2026-11-24T09:48:47Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"eu-west-3","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.15.0 Python/3.11.6 Linux/5.10.205-195.807.amzn2.x86_64 source/x86_64.amzn.2 prompt/off","requestParameters":{"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"web-1"}]}}]}},"responseElements":null,"requestID":"5fcae0f1-790c-4a86-85aa-0b3fd120e341","eventID":"8311ce18-5d58-40f1-a4b3-a757df7cbe47","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"ec2.eu-west-3.amazonaws.com"}}`,
	"sshd":       `<38>Nov 24 08:17:44 web1 sshd[4711]: Failed password for invalid user bob from 192.0.2.7 port 4711 ssh2`,
	"access":     `192.0.2.9 - - [24/Nov/2026:08:17:44 +0000] "GET /index.php?id=7 HTTP/1.1" 404 153 "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
	"rename":     `{"time":"2026-11-24T09:00:00Z","userIP":"192.0.2.10","login":"ann","action":"open","result":"ok"}`,
	"fortigate":  `date=2026-11-24 time=08:00:00 devname="FG1" devid="FG100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=192.0.2.1 srcport=5 dstip=198.51.100.1 dstport=443 proto=6 action="deny" policyid=7 service="HTTPS" sentbyte=10`,
	"cef":        `CEF:0|Check Point|VPN-1 & FireWall-1|R81|drop|Traffic drop|5|rt=1795392000000 src=192.0.2.96 spt=31938 dst=198.51.100.189 dpt=443 proto=tcp act=drop suser=u014269 shost=ws-1.corp.example in=373814 out=875306 app=https cs1Label=Rule cs1=Allow outbound web cs2Label=Policy cs2=corp\=std msg=Connection drop by policy rule`,
	"unknown":    `some words that nobody has a mapping for, 17 of them or so`,
}

func benchmark(b *testing.B, wrap bool) {
	m, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	for name, line := range samples {
		b.Run(name, func(b *testing.B) {
			in := []byte(line)
			if wrap {
				in = append([]byte(`{"event":{"id":"0123456789abcdef0123456789abcdef",`), 0)[:0]
				in = append(in, `{"event":{"id":"0123456789abcdef0123456789abcdef",`...)
				in, _ = event.AppendRecord(in, []byte(line))
				in = append(in, `},"log":{"file":{"path":"/var/log/x.log"}}}`...)
			}
			s := New(Config{Mappings: m})
			var batch event.Batch
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Push(in)
				if err := s.Process(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRaw measures raw lines through recognition, parsing, mapping and writing.
func BenchmarkRaw(b *testing.B) { benchmark(b, false) }

// BenchmarkWrapped measures the same records as ingest wraps them.
func BenchmarkWrapped(b *testing.B) { benchmark(b, true) }

// BenchmarkWork measures the mappings of the tables in docs/benchmarks.md, which split as their peers do and no more, among all built-in ones.
func BenchmarkWork(b *testing.B) {
	for work, name := range map[string]string{"sshd": "sshd", "kv": "fortigate", "cef": "cef"} {
		m, err := Load(filepath.Join("..", "..", "bench", "work", "mappings", work))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(work, func(b *testing.B) {
			in := []byte(samples[name])
			s := New(Config{Mappings: m, Original: DropOriginal})
			var batch event.Batch
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Push(in)
				if err := s.Process(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAmong measures what it costs that there are others: a source's records with its own mapping alone, and among all built-in ones.
func BenchmarkAmong(b *testing.B) {
	all, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	for name, files := range map[string][]string{
		"cloudtrail": {"mappings/aws-cloudtrail.yaml"},
		"sshd":       {"mappings/linux-base.yaml", "mappings/linux-sshd.yaml"},
		"access":     {"mappings/web-access.yaml", "mappings/nginx-access.yaml", "mappings/apache-access.yaml"},
		"fortigate":  {"mappings/fortigate.yaml"},
	} {
		texts := map[string][]byte{}
		order := files[:0:0]
		for _, f := range files {
			if data, err := builtin.ReadFile(f); err == nil {
				texts[f], order = data, append(order, f)
			}
		}
		alone, err := compileAll(order, texts)
		if err != nil {
			b.Fatal(err)
		}
		for how, m := range map[string]*Mappings{"alone": alone, "among": all} {
			b.Run(name+"/"+how, func(b *testing.B) {
				s := New(Config{Mappings: m})
				var batch event.Batch
				b.ReportAllocs()
				for b.Loop() {
					batch.Reset()
					batch.Push([]byte(samples[name]))
					if err := s.Process(&batch); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
