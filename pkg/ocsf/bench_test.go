package ocsf

import (
	"testing"

	"leat/pkg/event"
)

// samples are events of our own as normalize writes them.
var samples = map[string]string{
	"logon": `{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"action":"ssh_login","category":["authentication"],"dataset":"linux.auth","id":"0123456789abcdef0123456789abcdef","kind":"event","original":"<38>Nov 24 08:17:44 web1 sshd[4711]: Failed password for bob from 192.0.2.7 port 4711 ssh2","outcome":"failure","type":["start"]},"ecs":{"version":"9.5.0"},"host":{"hostname":"web1","name":"web1"},"linux":{"auth":{"method":"password"}},"process":{"name":"sshd","pid":4711},"related":{"hosts":["web1"],"ip":["192.0.2.7"],"user":["bob"]},"source":{"address":"192.0.2.7","ip":"192.0.2.7","port":4711},"user":{"name":"bob"}}`,
	"flow":  `{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"category":["network"],"dataset":"zeek.conn","kind":"event","type":["connection","end"],"duration":65338152885},"source":{"ip":"192.0.2.1","port":49227,"bytes":416,"packets":6},"destination":{"ip":"198.51.100.2","port":80,"bytes":417,"packets":5},"network":{"bytes":833,"community_id":"1:DvgXgCo2JR5r4T25PBZYFw3ObFc=","packets":11,"protocol":"http","transport":"tcp"},"zeek":{"conn":{"history":"ShADadfF","local_orig":true}}}`,
}

func BenchmarkStage(b *testing.B) {
	for name, line := range samples {
		b.Run(name, func(b *testing.B) {
			s, err := New(nil)
			if err != nil {
				b.Fatal(err)
			}
			var batch event.Batch
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				batch.Push([]byte(line)[:len(line):len(line)])
				if err := s.Process(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzStage takes any line: the result is one line of JSON that holds to the schema, and loses nothing.
func FuzzStage(f *testing.F) {
	for _, line := range samples {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"event":{"kind":"alert","original":7},"rule":{"name":["a","b"]},"dns":{"answers":[{"data":"x"},7,null,{"data":["y"]}],"question":{"name":"n"}}}`))
	f.Add([]byte(`{"event":{"kind":"event","category":"network"},"source":"x","source":{"ip":"::1%eth0","port":"99999"},"destination":{"ip":["192.0.2.1","192.0.2.2"]}}`))
	s, err := New(nil)
	if err != nil {
		f.Fatal(err)
	}
	c := newChecker(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		var e event.Event
		e.Reset(line)
		if e.Parse() != nil {
			return
		}
		var b event.Batch
		b.Push(line)
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		out := b.Events[0].Append(nil)
		if string(out) == string(line) {
			return
		}
		for _, fault := range c.event(out) {
			t.Errorf("%s\n%s", fault, out)
		}
	})
}
