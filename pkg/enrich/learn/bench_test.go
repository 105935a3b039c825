package learn

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"leat/pkg/event"
)

const start = int64(1_790_000_000_000_000_000)

// line is an event of a preset, as normalize writes it.
func line(i, second int) []byte {
	ip := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
	if second%2 == 0 {
		return fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:12:03.000Z","event":{"action":"dhcpack","category":["network"],"dataset":"dhcpd","kind":"event","outcome":"success","type":["connection"]},"source":{"address":"pc%d","domain":"pc%d","ip":%q,"mac":"00-00-5E-%02X-%02X-%02X"}}`,
			i, i, ip, i>>16, i>>8&255, i&255)
	}
	return fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:12:03.000Z","event":{"action":"kerberos-service-ticket-requested","code":"4769","dataset":"windows.security"},"source":{"ip":%q},"user":{"name":"user%d@CORP.EXAMPLE"},"winlog":{"event_data":{"Status":"0x0"}}}`, ip, i)
}

func leases(t testing.TB) *Table {
	tab, err := New(&Config{Preset: Names{"dhcp", "vpn", "kerberos", "logon"}, Keys: 1 << 21, MaxBytes: 4 << 30}, Options{Name: "leases", Now: func() time.Time { return time.Unix(2_000_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// cpu returns the CPU time of the process so far: on a busy machine the clock tells little.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkLearn teaches a lease or a ticket of one of a million addresses that are known already.
func BenchmarkLearn(b *testing.B) {
	const keys = 1_000_000
	tab := leases(b)
	events := make([]event.Event, 4096)
	r := rand.New(rand.NewPCG(1, 1))
	fill := func(i, second int) {
		e := &event.Event{}
		e.Reset(line(i, second))
		tab.Learn(e, start+int64(i)*1000)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range keys {
		fill(i, 0)
		fill(i, 1)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for i := range events {
		events[i].Reset(line(r.IntN(keys), i))
		if err := events[i].Parse(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	begin := cpu(b)
	for b.Loop() {
		tab.Learn(&events[n%len(events)], start+int64(n)*1_000_000)
		n++
	}
	b.ReportMetric(float64(cpu(b)-begin)/float64(n), "cpu-ns/op")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/keys, "bytes/key")
	b.ReportMetric(float64(tab.Stats().Bytes)/keys, "counted-bytes/key")
}

// BenchmarkLearnNothing is an event that teaches nothing.
func BenchmarkLearnNothing(b *testing.B) {
	tab := leases(b)
	var e event.Event
	e.Reset([]byte(`{"@timestamp":"2026-11-24T08:12:03.000Z","event":{"action":"flow","category":["network"],"dataset":"zeek.conn","kind":"event"},"source":{"ip":"10.0.0.7"}}`))
	if err := e.Parse(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := start
	for b.Loop() {
		tab.Learn(&e, n)
		n += 1_000_000
	}
}

// BenchmarkFind asks for one of a million addresses, of which a lease and a user are known, and reads two columns.
func BenchmarkFind(b *testing.B) {
	const keys = 1_000_000
	tab := leases(b)
	for i := range keys {
		for second := range 2 {
			var e event.Event
			e.Reset(line(i, second))
			tab.Learn(&e, start+int64(i)*1000)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	asked := make([][]byte, 4096)
	for i := range asked {
		n := r.IntN(keys)
		asked[i] = fmt.Appendf(nil, "10.%d.%d.%d", n>>16, n>>8&255, n&255)
	}
	host, user := tab.Column("host.name"), tab.Column("user.name")
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	begin := cpu(b)
	for b.Loop() {
		row := tab.Find(asked[n%len(asked)], start+int64(time.Hour))
		if row < 0 || len(tab.Cell(row, host)) == 0 || len(tab.Cell(row, user)) == 0 {
			b.Fatal("not known")
		}
		n++
	}
	b.ReportMetric(float64(cpu(b)-begin)/float64(n), "cpu-ns/op")
}

// BenchmarkMark writes the changes of 10,000 keys among 100,000.
func BenchmarkMark(b *testing.B) {
	tab := leases(b)
	if err := tab.Restore(nil, nil); err != nil {
		b.Fatal(err)
	}
	teach := func(n, second int) {
		for i := range n {
			var e event.Event
			e.Reset(line(i, second))
			tab.Learn(&e, start+int64(second)*int64(time.Second))
		}
	}
	teach(100_000, 0)
	changes := tab.Changes(nil)
	b.ReportMetric(float64(len(changes))/100_000, "bytes/key")
	second := 1
	for b.Loop() {
		b.StopTimer()
		teach(10_000, second)
		second++
		b.StartTimer()
		changes = tab.Changes(changes[:0])
	}
}

// BenchmarkManyUsers teaches a ticket of yet another user to one address that has as many as are kept: the dearest event.
func BenchmarkManyUsers(b *testing.B) {
	tab := leases(b)
	lines := make([][]byte, 1000)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `{"event":{"code":"4768","dataset":"windows.security"},"source":{"ip":"10.0.0.1"},"user":{"name":"user%d"},"winlog":{"event_data":{"Status":"0x0"}}}`, i)
	}
	var e event.Event
	n := 0
	for b.Loop() {
		e.Reset(lines[n%len(lines)])
		tab.Learn(&e, start+int64(n)*int64(time.Minute))
		tab.Find([]byte("10.0.0.1"), start+int64(n)*int64(time.Minute))
		n++
	}
}
