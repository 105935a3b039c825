package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
)

// fromFile is a line as ingest wraps one of that file.
func fromFile(file, line string) string {
	return `{"event":{"id":"1","original":` + string(event.AppendString(nil, line)) + `},"log":{"file":{"path":"` + file + `"}}}`
}

const zeekHead = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#open\t2026-11-24-08-00-00\n"

// TestZeekHeaderLines reads a log with columns in another order: its header lines are no events, and their words hold.
func TestZeekHeaderLines(t *testing.T) {
	set := metrics.NewSet()
	s := builtinStage(t, Config{Counters: set})
	var in []string
	for l := range strings.Lines(zeekHead + "#fields\tuid\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_id\tquery\tanswers\tRD\n" +
		"#types\tstring\ttime\taddr\tport\taddr\tport\tcount\tstring\tvector[string]\tbool\n" +
		"C1\t1795507200.5\t192.0.2.1\t5\t198.51.100.53\t53\t7\twww.example\tweb.example,198.51.100.80\tT\n" +
		"#close\t2026-11-24-09-00-00\n") {
		in = append(in, fromFile("x", strings.TrimRight(l, "\n")))
	}
	out := process(t, s, in...)
	if len(out) != 1 {
		t.Fatalf("%d events of one row: %v", len(out), out)
	}
	for name, want := range map[string]any{
		"event.dataset": "zeek.dns", "dns.question.name": "www.example", "source.ip": "192.0.2.1", "@timestamp": "2026-11-24T08:00:00.500Z",
		"zeek.dns.RD": true,
	} {
		if got := get(t, out[0], name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := set.GetOrCreateCounter("leat_header_lines_total").Get(); got != 9 {
		t.Errorf("%d header lines counted", got)
	}
}

// TestZeekSameOfBothForms compares a row with the JSON that Zeek writes for it.
func TestZeekSameOfBothForms(t *testing.T) {
	s := builtinStage(t, Config{Original: DropOriginal})
	row := process(t, s, fromFile("conn.log", "1795506001.5\tC1\t192.0.2.1\t50\t198.51.100.2\t443\ttcp\tssl\t0.25\t10\t20\tSF\tT\tF\t0\tShAD\t3\t100\t2\t80\tCa,Cb"))[0]
	obj := process(t, s, fromFile("conn.log", `{"ts":1795506001.5,"uid":"C1","id.orig_h":"192.0.2.1","id.orig_p":50,"id.resp_h":"198.51.100.2","id.resp_p":443,"proto":"tcp","service":"ssl","duration":0.25,"orig_bytes":10,"resp_bytes":20,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShAD","orig_pkts":3,"orig_ip_bytes":100,"resp_pkts":2,"resp_ip_bytes":80,"tunnel_parents":["Ca","Cb"]}`))[0]
	if row != obj {
		t.Errorf("TSV  %s\nJSON %s", row, obj)
	}
}

// TestZeekByFileName reads rows whose header was in an earlier life of the process.
func TestZeekByFileName(t *testing.T) {
	s := builtinStage(t, Config{})
	row := "1795507200.5\tC1\t192.0.2.1\t5\t198.51.100.7\t22\t2\tF\t3\tINBOUND\tSSH-2.0-demo\tSSH-2.0-x\t-\t-\t-\t-\t-\t-"
	for _, file := range []string{"/var/log/zeek/ssh.log", "/var/log/zeek/ssh.2026-11-24-08-00-00.log.gz", `C:\\zeek\\ssh_20261124.log`} {
		out := process(t, s, fromFile(file, row))[0]
		if got := get(t, out, "event.dataset"); got != "zeek.ssh" || get(t, out, "event.outcome") != "failure" {
			t.Errorf("%s: %v: %s", file, got, out)
		}
	}
	for _, file := range []string{"other.txt", ""} {
		if got := get(t, process(t, s, fromFile(file, row))[0], "event.dataset"); got != nil {
			t.Errorf("%q: taken as %v", file, got)
		}
	}
}

// TestGuessedColumns has rows without a header: one of the default columns, one of a log that was customised (a column is missing amid them).
func TestGuessedColumns(t *testing.T) {
	set := metrics.NewSet()
	s := builtinStage(t, Config{Counters: set})
	row := "1795507200.5\tC1\t192.0.2.1\t5\t198.51.100.7\t22\t2\tF\t3\tINBOUND\tSSH-2.0-demo\tSSH-2.0-x\t-\t-\t-\t-\t-\t-"
	cut := strings.Replace(row, "\t2\tF", "\tF", 1) // without the column version
	out := process(t, s, fromFile("ssh.log", row), fromFile("ssh.log", cut), fromFile("ssh.log", "#a comment"))
	if ds := get(t, out[0], "event.dataset"); ds != "zeek.ssh" {
		t.Errorf("the default columns: %v", ds)
	}
	if kind := get(t, out[1], "event.kind"); kind != "pipeline_error" {
		t.Errorf("columns that were customised gave %v: %s", kind, out[1])
	}
	if n := set.GetOrCreateCounter("leat_rows_without_header_total").Get(); n != 2 {
		t.Errorf("%d rows counted, want 2", n)
	}
}

// TestHeadersOfW3C has two logs of the same format and other columns, one behind the other in two files.
func TestHeadersOfW3C(t *testing.T) {
	s := builtinStage(t, Config{})
	out := process(t, s,
		fromFile("a", "#Software: Microsoft Internet Information Services 10.0"), fromFile("a", "#Version: 1.0"), fromFile("a", "#Date: 2026-11-24 08:00:00"),
		fromFile("a", "#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-win32-status"),
		fromFile("b", "#Fields: date time cs-uri-stem sc-win32-status c-ip"),
		fromFile("a", "2026-11-24 08:00:01 192.0.2.7 GET /a 404 2"),
		fromFile("b", "2026-11-24 08:00:02 /b 0 192.0.2.8"),
		fromFile("a", "2026-11-24 08:00:03 of another form"))
	if len(out) != 3 {
		t.Fatalf("%d events of 3 rows: %v", len(out), out)
	}
	for i, want := range []string{"iis.access 192.0.2.7 /a", "iis.access 192.0.2.8 /b", "<nil> <nil> <nil>"} {
		if got := fmt.Sprint(get(t, out[i], "event.dataset"), " ", get(t, out[i], "source.ip"), " ", get(t, out[i], "url.path")); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}

// TestWeakHeader has a header that any software may write, and rows that a mapping knows by themselves.
func TestWeakHeader(t *testing.T) {
	s := builtinStage(t, Config{})
	row := "1795507200.500 61 192.0.2.1 TCP_MISS/200 8811 GET http://www.example/ - HIER_DIRECT/198.51.100.9 -"
	out := process(t, s, fromFile("a", "#Fields: a b c d e f g h i j"), fromFile("a", row), fromFile("a", "1 2 3 4 5 6 7 8 9 ten"))
	if a, b := get(t, out[0], "event.dataset"), get(t, out[1], "event.dataset"); a != "squid.access" || b != "w3c.log" || get(t, out[1], "w3c.log.j") != "ten" {
		t.Errorf("got %v and %v: %s", a, b, out[1])
	}
}

// TestNoHeaders has lines that begin with '#' and are events all the same.
func TestNoHeaders(t *testing.T) {
	s := builtinStage(t, Config{})
	for _, l := range []string{
		"#", "# a comment", "#Version: next one", "#Date: tomorrow", "#Fields:", "#Fields: one", "#fields", "#open\tthe door", "#types\tstring", "#separator x y",
		"#set_separator\t, ", "#Fields: " + strings.Repeat("a b ", 5000),
	} {
		if out := process(t, s, fromFile("f", l)); len(out) != 1 {
			t.Errorf("%.40q is no header line, but no event came out", l)
		}
	}
}

// TestHeaderStreamsAreBounded remembers no more streams than it may.
func TestHeaderStreamsAreBounded(t *testing.T) {
	var l logHeaders
	x := newIndex(nil)
	for i := range maxHeaderStreams + 10 {
		if !l.note(x, fmt.Sprint(i), []byte("#Fields: date time c-ip")) {
			t.Fatal("not taken")
		}
	}
	if len(l.by) != maxHeaderStreams {
		t.Errorf("%d streams", len(l.by))
	}
}

func FuzzHeaderLine(f *testing.F) {
	for l := range strings.Lines(zeekHead + "#fields\tts\tuid\n#types\ttime\tset[string]\n#Fields: a,b\n#Fields: a b c\n#Date: 2026-11-24\n") {
		f.Add(strings.TrimRight(l, "\n"), "1.5\ta")
	}
	x := newIndex(nil)
	f.Fuzz(func(t *testing.T, line, row string) {
		var l logHeaders
		l.note(x, "", []byte("#fields\tts\tuid"))
		l.note(x, "", []byte(line))
		if h := l.of(""); h != nil {
			h.fits([]byte(row))
		}
	})
}

// TestBareHeader reads a flow log of a VPC whose owner chose the fields.
func TestBareHeader(t *testing.T) {
	s := builtinStage(t, Config{})
	out := process(t, s,
		fromFile("f", "version srcaddr dstaddr dstport action bytes start interface-id pkt-srcaddr"),
		fromFile("f", "3 192.0.2.1 198.51.100.9 22 REJECT 840 1795507200 eni-0a1b2c3d 192.0.2.77"),
		fromFile("f", "one of four words that is no row and no header"),
		fromFile("g", "3 192.0.2.1 198.51.100.9 22 REJECT 840 1795507200 - 192.0.2.77"),
		fromFile("h", "some words that name no columns"))
	if len(out) != 4 {
		t.Fatalf("%d events: %v", len(out), out)
	}
	for name, want := range map[string]any{
		"event.dataset": "aws.vpcflow", "source.ip": "192.0.2.1", "destination.port": 22.0, "source.bytes": 840.0, "event.action": "reject",
		"@timestamp": "2026-11-24T08:00:00.000Z", "aws.vpcflow.pkt-srcaddr": "192.0.2.77",
	} {
		if got := get(t, out[0], name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, line := range out[1:] {
		if ds := get(t, line, "event.dataset"); ds == "aws.vpcflow" {
			t.Errorf("taken for a row: %s", line)
		}
	}
}
