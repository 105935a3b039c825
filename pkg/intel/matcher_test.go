package intel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// listed makes a set of a list's lines.
func listed(t testing.TB, lines ...string) *Set {
	t.Helper()
	dir := write(t, t.TempDir(), "iocs.txt", strings.Join(lines, "\n")+"\n")
	cfg := &Config{Feeds: []*Feed{{Name: "own", File: "iocs.txt"}}, Allow: Allow{Builtin: no()}}
	s, err := NewSet(fetch(t, source(t, cfg, dir, nil)).Table)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t testing.TB, line string) *event.Event {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMatch(t *testing.T) {
	set := listed(t, "192.0.2.1", "198.51.100.0/24", "198.51.100.128/25", "2001:db8::/32", "evil.example", "deep.bad.example", "http://evil.example/drop", "http://cdn.example/x",
		"eve@mail.example", "d41d8cd98f00b204e9800998ecf8427e", sha256OfNothing)
	for _, tt := range []struct{ name, event, want string }{
		{"address", `{"source":{"ip":"192.0.2.1"},"destination":{"ip":"192.0.2.2"}}`, "source.ip=192.0.2.1"},
		{"mapped", `{"source":{"ip":"::FFFF:192.0.2.1"}}`, "source.ip=192.0.2.1"},
		{"block", `{"destination":{"ip":"198.51.100.7"}}`, "destination.ip=198.51.100.7>198.51.100.0/24"},
		{"longest block", `{"destination":{"ip":"198.51.100.200"}}`, "destination.ip=198.51.100.200>198.51.100.128/25"},
		{"IPv6 block", `{"destination":{"ip":"2001:DB8::5"}}`, "destination.ip=2001:db8::5>2001:db8::/32"},
		{"list", `{"dns":{"resolved_ip":["203.0.113.1","192.0.2.1"]}}`, "dns.resolved_ip=192.0.2.1"},
		{"name", `{"dns":{"question":{"name":"Evil.Example."}}}`, "dns.question.name=evil.example"},
		{"below a name", `{"tls":{"client":{"server_name":"a.b.evil.example"}}}`, "tls.client.server_name=a.b.evil.example>evil.example"},
		{"not at a label", `{"dns":{"question":{"name":"notevil.example"}}}`, ""},
		{"above a name", `{"dns":{"question":{"name":"bad.example"}}}`, ""},
		{"registry", `{"dns":{"question":{"name":"example"}}}`, ""},
		{"URL", `{"url":{"original":"HTTP://evil.example:80/drop#x","domain":"www.example"}}`, "url.original=http://evil.example/drop"},
		{"URL and name", `{"url":{"full":"http://evil.example/drop","domain":"evil.example"}}`, "url.full=http://evil.example/drop url.domain=evil.example"},
		{"host of an URL", `{"url":{"full":"https://x.evil.example/other"}}`, "url.full=x.evil.example>evil.example"},
		{"address of an URL", `{"url":{"full":"https://192.0.2.1:8443/other"}}`, "url.full=192.0.2.1"},
		{"referrer", `{"url":{"domain":"www.example"},"http":{"request":{"referrer":"http://evil.example/"}}}`, "http.request.referrer=evil.example"},
		{"address as name", `{"url":{"domain":"192.0.2.1"}}`, "url.domain=192.0.2.1"},
		{"hash", `{"file":{"hash":{"md5":"D41D8CD98F00B204E9800998ECF8427E","sha256":"` + sha256OfNothing + `"}}}`, "file.hash.sha256=" + sha256OfNothing + " file.hash.md5=d41d8cd98f00b204e9800998ecf8427e"},
		{"once", `{"source":{"ip":"192.0.2.1","address":"192.0.2.1"},"client":{"ip":"192.0.2.1"}}`, "source.ip=192.0.2.1"},
		{"mail", `{"email":{"from":{"address":["a@b.example","Eve@mail.example"]}}}`, "email.from.address=eve@mail.example"},
		{"mail's host", `{"email":{"from":{"address":["x@sub.evil.example"]}}}`, "email.from.address=sub.evil.example>evil.example"},
		{"escapes", `{"dns":{"question":{"name":"evil\u002eexample"}}}`, "dns.question.name=evil.example"},
		{"related", `{"related":{"ip":["192.0.2.1"]}}`, ""},
		{"other types", `{"source":{"ip":5,"domain":null,"address":{}},"url":"x","dns":[{"question":1}]}`, ""},
		{"nothing", `{}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMatcher(set, MatchOptions{})
			if got := hitsOf(m, parse(t, tt.event)); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := hitsOf(NewMatcher(set, MatchOptions{Exact: true}), parse(t, `{"dns":{"question":{"name":"a.evil.example"}},"url":{"domain":"evil.example"}}`)); got != "url.domain=evil.example" {
		t.Errorf("exact: %s", got)
	}
	if got := hitsOf(NewMatcher(set, MatchOptions{Related: true}), parse(t, `{"related":{"ip":["192.0.2.1"],"hosts":["evil.example"],"hash":["D41D8CD98F00B204E9800998ECF8427E"]}}`)); got !=
		"related.ip=192.0.2.1 related.hosts=evil.example related.hash=d41d8cd98f00b204e9800998ecf8427e" {
		t.Errorf("related: %s", got)
	}
}

// hitsOf says the hits: field=value, and >indicator where it is another.
func hitsOf(m *Matcher, e *event.Event) string {
	var out []string
	for _, h := range m.Match(e) {
		value := string(m.Value(h))
		s := h.Field + "=" + value
		if _, ind := m.set.key(uint32(h.Row)); string(ind) != value {
			s += ">" + string(ind)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestMatchIsWhatASearchFinds: over random sets and events the index finds what going through all rows finds.
func TestMatchIsWhatASearchFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	addr := func() string { return fmt.Sprintf("198.18.%d.%d", r.IntN(4), r.IntN(64)) }
	var lines []string
	for range 120 {
		lines = append(lines, addr())
	}
	for range 20 {
		lines = append(lines, fmt.Sprintf("%s/%d", addr(), 24+r.IntN(8)))
	}
	set := listed(t, lines...)
	m := NewMatcher(set, MatchOptions{})
	for range 2000 {
		a := addr()
		want, bits := "", -1
		for row := range set.table.Rows() {
			_, v := set.key(uint32(row))
			p, _ := parsePrefix(v)
			b, _ := parseAddr([]byte(a))
			if p.Contains(b) && p.Bits() > bits {
				want, bits = string(v), p.Bits()
			}
		}
		got := ""
		for _, h := range m.Match(parse(t, `{"source":{"ip":"`+a+`"}}`)) {
			_, v := set.key(uint32(h.Row))
			got = string(v)
		}
		if got != want {
			t.Fatalf("%s: got %q, want %q", a, got, want)
		}
	}
}

func TestEnrich(t *testing.T) {
	got, _ := read(t, formatSTIX, bundle)
	if len(got) == 0 {
		t.Fatal("no rows")
	}
	dir := write(t, t.TempDir(), "feed", bundle)
	cfg := &Config{Feeds: []*Feed{{Name: "cert", File: "feed", Format: formatSTIX}}, Allow: Allow{Builtin: no()}}
	set, err := NewSet(fetch(t, source(t, cfg, dir, nil)).Table)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(set, MatchOptions{})
	const in = `{"event":{"id":"1"},"destination":{"ip":"198.51.100.9"},"dns":{"question":{"name":"x.c2.evil.example"}},"threat":{"enrichments":[{"own":1}]}}`
	e := parse(t, in)
	n, err := m.Enrich(e)
	if err != nil || n != 2 {
		t.Fatalf("%d hits, %v", n, err)
	}
	const c2 = `{"indicator":{"type":"domain-name","name":"c2.evil.example","confidence":"High","provider":"CERT Example","reference":"https://ref.example/r","description":"C2 servers",` +
		`"first_seen":"2026-11-01T00:00:00.000Z","marking":{"tlp":"AMBER"},"url":{"domain":"c2.evil.example"}},"matched":{"atomic":"x.c2.evil.example","field":"dns.question.name","id":"indicator--1","type":"indicator_match_rule"},"feed":{"name":"cert"}}`
	const block = `{"indicator":{"type":"ipv4-addr","name":"198.51.100.0/24","confidence":"Medium","provider":"cert","marking":{"tlp":"RED"}},` +
		`"matched":{"atomic":"198.51.100.9","field":"destination.ip","id":"indicator--2","type":"indicator_match_rule"},"feed":{"name":"cert"}}`
	want := `{"event":{"id":"1"},"destination":{"ip":"198.51.100.9"},"dns":{"question":{"name":"x.c2.evil.example"}},"threat":{"enrichments":[{"own":1},` + c2 + `,` + block + `],` +
		`"indicator":{"type":"domain-name","name":"c2.evil.example","confidence":"High","first_seen":"2026-11-01T00:00:00.000Z","provider":"CERT Example","reference":"https://ref.example/r",` +
		`"description":"C2 servers","marking":{"tlp":"AMBER"},"id":"indicator--1"},"feed":{"name":"cert"},"software":{"name":"Emotet"}}}`
	out := string(e.Append(nil))
	if out != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	again := parse(t, out)
	if n, err := m.Enrich(again); n != 2 || err != nil || string(again.Append(nil)) != out {
		t.Errorf("the second time %d hits, %v: %s", n, err, again.Append(nil))
	}
	if got := appendEnrichment(nil, set.Table(), m.Match(e)[0].Row, "dns.question.name", []byte("x.c2.evil.example")); string(got) != c2 {
		t.Errorf("got %s", got)
	}
	for _, line := range []string{`{"threat":"x","destination":{"ip":"192.0.2.1"}}`} {
		e := parse(t, line)
		if n, err := m.Enrich(e); n != 1 || err == nil || string(e.Append(nil)) != line {
			t.Errorf("%d hits, %v: %s", n, err, e.Append(nil))
		}
	}
}

func TestFind(t *testing.T) {
	sha1 := strings.Repeat("1a", 20)
	dir := write(t, t.TempDir(), "a.txt", "192.0.2.1\n198.51.100.0/24\nevil.example\nhttp://evil.example/a\n")
	write(t, dir, "b.csv", "2026-11-01 10:00:00,"+sha1+",Vidar C&C\n")
	cfg := &Config{Feeds: []*Feed{{Name: "a", File: "a.txt"}, {Name: "b", File: "b.csv", Format: formatSSLBL}}, Allow: Allow{Builtin: no()}}
	set, err := NewSet(fetch(t, source(t, cfg, dir, nil)).Table)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"192[.]0[.]2[.]1": "192.0.2.1", "198.51.100.9": "198.51.100.0/24", "198.51.100.0/24": "198.51.100.0/24", "a.b.Evil.example": "evil.example",
		"hxxp://evil.example/a": "http://evil.example/a", strings.ToUpper(sha1): sha1, "192.0.2.2": "", "example": "", "good.example": "", "": "", "192.0.2.1/32": "192.0.2.1"} {
		got := ""
		if row := set.Find([]byte(text)); row >= 0 {
			_, v := set.key(uint32(row))
			got = string(v)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	m := NewMatcher(listed(t, "192.0.2.1", "198.51.100.0/24", "evil.example"), MatchOptions{})
	e := parse(t, benchEvent)
	m.Match(e)
	if n := testing.AllocsPerRun(100, func() {
		if len(m.Match(e)) > 0 {
			t.Fatal("a hit")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNewSetRefuses(t *testing.T) {
	b := dimension.NewBuilder(dimension.Limits{}, "indicator")
	if _, err := NewSet(b.Table()); err == nil {
		t.Error("a table of something else is taken")
	}
	b = dimension.NewBuilder(dimension.Limits{}, Columns()...)
	if err := b.EndRow(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewSet(b.Table()); err == nil {
		t.Error("an empty row is taken")
	}
}

const benchEvent = `{"@timestamp":"2026-11-24T08:17:44.123Z","event":{"id":"9c56cc51b374c3ba189210d5b6d4bf57","dataset":"proxy.access","category":["network","web"],"action":"allowed"},` +
	`"source":{"ip":"10.20.30.40","port":51820},"destination":{"ip":"93.184.216.34","port":443},"url":{"full":"https://www.example.com/a/path?q=1","domain":"www.example.com","path":"/a/path"},` +
	`"dns":{"question":{"name":"www.example.com"},"resolved_ip":["93.184.216.34"]},"user":{"name":"jkovacs","domain":"CORP"},"host":{"name":"ws-0142","ip":["10.20.30.40"]},` +
	`"file":{"hash":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},"user_agent":{"original":"Mozilla/5.0 (X11; Linux x86_64)"},"message":"CONNECT www.example.com:443 allowed"}`

// synthetic writes n invented indicators of all kinds.
func synthetic(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	f, err := os.Create(dir + "/iocs.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := rand.New(rand.NewPCG(7, 7))
	var line []byte
	for i := range n {
		line = line[:0]
		switch i % 10 {
		case 0, 1, 2:
			line = fmt.Appendf(line, "%d.%d.%d.%d", 1+r.IntN(222), r.IntN(256), r.IntN(256), r.IntN(256))
		case 3, 4, 5:
			line = fmt.Appendf(line, "h%x.d%x.example", r.Uint32()&0xffff, r.Uint32())
		case 6:
			line = fmt.Appendf(line, "http://d%x.example/%x.bin", r.Uint32(), r.Uint32())
		case 7, 8:
			line = fmt.Appendf(line, "%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
		default:
			line = fmt.Appendf(line, "%d.%d.%d.0/24", 1+r.IntN(222), r.IntN(256), r.IntN(256))
			if i%100 != 9 { // one of a hundred is a block
				line = fmt.Appendf(line[:0], "%016x%016x", r.Uint64(), r.Uint64())
			}
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// rowsOfBench is LEAT_INTEL_ROWS, or 200,000.
func rowsOfBench() int {
	if n, err := strconv.Atoi(os.Getenv("LEAT_INTEL_ROWS")); err == nil {
		return n
	}
	return 200_000
}

// BenchmarkLoad tells what the table of the feeds costs; run it with -benchtime 1x.
func BenchmarkLoad(b *testing.B) {
	dir := synthetic(b, rowsOfBench())
	cfg := &Config{Feeds: []*Feed{{Name: "own", File: "iocs.txt"}}}
	for b.Loop() {
		cpu := cpuTime(b)
		f := fetch(b, source(b, cfg, dir, nil))
		b.ReportMetric((cpuTime(b) - cpu).Seconds(), "cpu-s-read")
		cpu = cpuTime(b)
		set, err := NewSet(f.Table)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((cpuTime(b) - cpu).Seconds(), "cpu-s-index")
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.HeapAlloc>>20), "heap-MB")
		b.ReportMetric(float64(len(set.index.slots)*8>>20), "index-MB")
		b.ReportMetric(float64(set.Table().Rows()), "rows")
	}
}

func BenchmarkMatch(b *testing.B) {
	dir := synthetic(b, rowsOfBench())
	cfg := &Config{Feeds: []*Feed{{Name: "own", File: "iocs.txt"}}}
	set, err := NewSet(fetch(b, source(b, cfg, dir, nil)).Table)
	if err != nil {
		b.Fatal(err)
	}
	// Addresses and names differ from event to event, so that no line of memory is in the cache because of the event before.
	lines := make([][]byte, 1<<14)
	r := rand.New(rand.NewPCG(8, 8))
	size := 0
	for i := range lines {
		line := strings.ReplaceAll(benchEvent, "www.example.com", fmt.Sprintf("w%x.n%x.example", r.Uint32()&0xffff, r.Uint32()))
		line = strings.ReplaceAll(line, "93.184.216.34", fmt.Sprintf("11.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256)))
		line = strings.ReplaceAll(line, "e3b0c44298fc1c14", fmt.Sprintf("%016x", r.Uint64()))
		lines[i] = []byte(line)
		size += len(line)
	}
	m := NewMatcher(set, MatchOptions{})
	// An event is matched right after it was parsed: what matching costs is the difference.
	for _, match := range []bool{false, true} {
		name := "parse"
		if match {
			name = "parse and match"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size / len(lines)))
			var e event.Event
			i, hits, cpu := 0, 0, cpuTime(b)
			for b.Loop() {
				e.Reset(lines[i&(len(lines)-1)])
				if err := e.Parse(); err != nil {
					b.Fatal(err)
				}
				if match {
					hits += len(m.Match(&e))
				}
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/event")
			b.ReportMetric(float64(cpuTime(b)-cpu)/float64(i), "cpu-ns/event")
		})
	}
}

// cpuTime is what a busy machine does not blur.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
