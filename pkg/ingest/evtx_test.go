package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/evtx"
	"leat/pkg/evtx/evtxtest"
	"leat/pkg/stage"
)

// numbers are those of the records that k has, in the order of the stream; -1 stands for a pipeline_error.
func (k *keeper) numbers() []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []int
	for _, r := range k.recs {
		if r.Event.Dataset == noticeDataset {
			continue
		}
		var doc struct {
			Event struct{ System struct{ EventRecordID int } }
		}
		if r.Event.Kind == "pipeline_error" || json.Unmarshal([]byte(r.Event.Original), &doc) != nil {
			out = append(out, -1)
			continue
		}
		out = append(out, doc.Event.System.EventRecordID)
	}
	return out
}

func span1(from, to int) (list []int) {
	for i := from; i <= to; i++ {
		list = append(list, i)
	}
	return list
}

func expect(t *testing.T, what string, k *keeper, want []int) {
	t.Helper()
	if got := k.numbers(); !slices.Equal(got, want) {
		t.Errorf("%s: records %v, want %v", what, got, want)
	}
	uniqueIDs(t, k)
}

// put writes a file by another's name, so that no reader sees a half of it.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new~", data, 0o600); err != nil {
		t.Fatal(err)
	}
	rename(t, path+".new~", path)
}

// evtxLog is a log of the records from..to, three in a chunk.
func evtxLog(from, to int, name string) []byte {
	return evtxtest.Log(3, false, evtxtest.Records(uint64(from), to-from+1, name)...)
}

func TestEventLog(t *testing.T) {
	dir := t.TempDir()
	data := evtxLog(1, 7, "C:\\a.exe")
	put(t, filepath.Join(dir, "a.evtx"), data)
	put(t, filepath.Join(dir, "noext"), data)
	put(t, filepath.Join(dir, "a.evtx.gz"), gzipped1(t, string(data)))
	for _, source := range []string{"a.evtx", "noext", "a.evtx.gz", "evtx:a.evtx", "evtx://a.evtx"} {
		scheme, name, ok := strings.Cut(source, ":")
		if !ok {
			scheme, name = "", source
		} else {
			scheme += ":"
		}
		path := filepath.Join(dir, strings.TrimPrefix(name, "//"))
		k := collect(t, testConfig(t, scheme+path))
		expect(t, source, k, span1(1, 7))
		if r := k.recs[4]; r.Log.File.Path != path || r.Log.Offset == nil || *r.Log.Offset != 5 {
			t.Errorf("%s: the fifth record stands at %+v", source, r.Log)
		}
	}
	cfg := testConfig(t, filepath.Join(dir, "*"))
	cfg.Dataset = "windows.sysmon"
	k := collect(t, cfg)
	if len(k.numbers()) != 21 || k.recs[0].Event.Dataset != "windows.sysmon" {
		t.Errorf("of three logs: %v, %+v", k.numbers(), k.recs[0].Event)
	}
}

func TestEventLogIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	writeFile(t, path, "not a log\n")
	src, err := New(testConfig(t, "evtx:"+path))
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Pump(context.Background(), src, &keeper{t: t}); err == nil || !strings.Contains(err.Error(), evtx.ErrFormat.Error()) {
		t.Errorf("ended with %v", err)
	}
}

func TestEventLogDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.evtx")
	data := evtxLog(1, 9, "x")
	bad := bytes.Index(data, []byte("**\x00\x00")) // record 1
	data[bad+24+4] = 0x33                          // what its binary XML begins with
	copy(data[4096+1<<16:], "garbage!")            // the second chunk's header
	put(t, path, data)
	k := collect(t, testConfig(t, path))
	expect(t, "damaged", k, []int{-1, 2, 3, 4, 5, 6, 7, 8, 9})
	if r := k.recs[0]; r.Error.Type != "evtx" || !r.Leat.Escaped || !strings.HasPrefix(r.text(), "**\x00\x00") {
		t.Errorf("the record that can't be decoded is told as %+v", r)
	}
	if told := k.notices("source_damaged"); len(told) != 2 || told[0].Event.Kind != "pipeline_error" {
		t.Errorf("told %+v", told)
	}
}

// TestEventLogDamageIsToldOnce: a run that goes on where another stood does not tell again what that told.
func TestEventLogDamageIsToldOnce(t *testing.T) {
	for name, damage := range map[string]func(data []byte){
		"checksum of the last chunk": func(d []byte) { d[4096+2<<16+52]++ },
		"checksum of the file":       func(d []byte) { d[124]++ },
		"a chunk of garbage":         func(d []byte) { copy(d[4096+1<<16:4096+2<<16], bytes.Repeat([]byte("garbage!"), 1<<13)) },
	} {
		t.Run(name, func(t *testing.T) {
			path, lake := filepath.Join(t.TempDir(), "a.evtx"), t.TempDir()
			data := evtxLog(1, 9, "x")
			damage(data)
			put(t, path, data)
			cfg := testConfig(t, path)
			if told := resumed(t, cfg, lake).lines; !strings.Contains(strings.Join(told, "\n"), "source_damaged") {
				t.Errorf("told %q", told)
			}
			if again := resumed(t, cfg, lake).lines; len(again) > 0 {
				t.Errorf("again: %.300q", again)
			}
		})
	}
}

// TestEventLogLostBytes: bytes that are no record go on as they are.
func TestEventLogLostBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.evtx")
	data := evtxLog(1, 3, "x")
	at := bytes.Index(data, []byte("**\x00\x00"))
	data[at] = '#'
	put(t, path, data)
	k := collect(t, testConfig(t, path))
	expect(t, "damaged", k, []int{2, 3, -1})
	if r := k.recs[len(k.recs)-1]; r.Error.Type != "source_damaged" || !strings.HasPrefix(r.text(), "#*\x00\x00") {
		t.Errorf("told %+v", r)
	}
}

// TestEventLogResume: each run reads what is new, whatever became of the log between them.
func TestEventLogResume(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(t *testing.T, dir, path string)
		want []int
		gap  string // reason
	}{
		{"nothing", func(*testing.T, string, string) {}, nil, ""},
		{"grown within its chunk", func(t *testing.T, _, p string) { put(t, p, evtxLog(1, 6, "x")) }, []int{5, 6}, ""},
		{"grown by chunks", func(t *testing.T, _, p string) { put(t, p, evtxLog(1, 13, "x")) }, span1(5, 13), ""},
		{"wrapped around", func(t *testing.T, _, p string) { put(t, p, evtxLog(4, 9, "x")) }, span1(5, 9), ""},
		{"wrapped around up to the position", func(t *testing.T, _, p string) { put(t, p, evtxLog(5, 9, "x")) }, span1(5, 9), ""},
		{"overwritten", func(t *testing.T, _, p string) { put(t, p, evtxLog(8, 9, "x")) }, span1(8, 9), "overwritten"},
		{"replaced", func(t *testing.T, _, p string) { put(t, p, evtxLog(1, 2, "y")) }, span1(1, 2), "replaced"},
		{"replaced by a longer one", func(t *testing.T, _, p string) { put(t, p, evtxLog(1, 6, "y")) }, span1(1, 6), "replaced"},
		{"archived and begun anew", func(t *testing.T, dir, p string) {
			put(t, p, evtxLog(1, 6, "x"))
			rename(t, p, filepath.Join(dir, "Archive-a.evtx"))
			put(t, p, evtxLog(7, 8, "x"))
		}, span1(5, 8), ""},
		{"archived, numbers begin anew", func(t *testing.T, dir, p string) {
			rename(t, p, filepath.Join(dir, "Archive-a.evtx"))
			put(t, p, evtxLog(1, 8, "y"))
		}, span1(1, 8), ""},
		{"archived only", func(t *testing.T, dir, p string) {
			put(t, p, evtxLog(1, 6, "x"))
			rename(t, p, filepath.Join(dir, "Archive-a.evtx"))
		}, span1(5, 6), ""},
		{"emptied", func(t *testing.T, _, p string) { put(t, p, evtxtest.Header(0, true)) }, nil, ""},
	} {
		for _, source := range []string{"a.evtx", "*.evtx"} {
			if c.name == "archived only" && source != "*.evtx" {
				continue // there is no such file
			}
			t.Run(c.name+" "+source, func(t *testing.T) {
				dir, lake := t.TempDir(), t.TempDir()
				path := filepath.Join(dir, "a.evtx")
				put(t, path, evtxLog(1, 4, "x"))
				cfg := testConfig(t, filepath.Join(dir, source))
				expect(t, "first", resumed(t, cfg, lake), span1(1, 4))
				c.then(t, dir, path)
				k := resumed(t, cfg, lake)
				expect(t, "second", k, c.want)
				gaps := k.notices("source_gap")
				if c.gap == "" && len(gaps) > 0 || c.gap != "" && (len(gaps) != 1 || gaps[0].Leat.Gap.Reason != c.gap) {
					t.Errorf("told %+v, want %q", gaps, c.gap)
				}
				expect(t, "third", resumed(t, cfg, lake), nil)
			})
		}
	}
}

func TestEventLogCopyIsItsOwn(t *testing.T) {
	dir, lake := t.TempDir(), t.TempDir()
	put(t, filepath.Join(dir, "a.evtx"), evtxLog(1, 4, "x"))
	cfg := testConfig(t, filepath.Join(dir, "*.evtx"))
	expect(t, "first", resumed(t, cfg, lake), span1(1, 4))
	put(t, filepath.Join(dir, "b.evtx"), evtxLog(1, 4, "x"))
	expect(t, "a copy", resumed(t, cfg, lake), span1(1, 4))
}

func TestEventLogDisappears(t *testing.T) {
	dir, lake := t.TempDir(), t.TempDir()
	dirty := evtxtest.Log(3, true, evtxtest.Records(1, 4, "x")...)
	put(t, filepath.Join(dir, "live.evtx"), dirty)
	put(t, filepath.Join(dir, "closed.evtx"), evtxLog(1, 2, "y"))
	writeFile(t, filepath.Join(dir, "other.evtx"), "text\n")
	cfg := testConfig(t, filepath.Join(dir, "*.evtx"))
	resumed(t, cfg, lake)
	for _, name := range []string{"live.evtx", "closed.evtx"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	gaps := resumed(t, cfg, lake).notices("source_gap")
	if len(gaps) != 1 || gaps[0].Leat.Gap.Source != "evtx:"+filepath.Join(dir, "live.evtx") {
		t.Errorf("told %+v; a log that was closed in order and read is not missed", gaps)
	}
	if gaps := resumed(t, cfg, lake).notices("source_gap"); len(gaps) > 0 {
		t.Errorf("told again: %+v", gaps)
	}
}

// TestEventLogUncommitted: what was not committed comes again, with the same ids.
func TestEventLogUncommitted(t *testing.T) {
	dir, lake := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.evtx")
	put(t, path, evtxLog(1, 20, "x"))
	cfg := testConfig(t, path)
	cfg.Resume, cfg.MarkEvery = lake, MarkEvery{Events: 4, Time: time.Hour, Bytes: 1 << 40}
	lakeWriter(t, lake)
	first, second := &keeper{t: t}, &keeper{t: t}
	runInto(t, cfg, first)
	if len(first.marks) != 6 || first.atMark[0] != 4 {
		t.Errorf("%d marks, behind %d records", len(first.marks), first.atMark)
	}
	runInto(t, cfg, second)
	expect(t, "again", second, span1(1, 20))
	for i := range first.recs {
		if first.recs[i].Event.ID != second.recs[i].Event.ID {
			t.Fatalf("record %d has another id", i+1)
		}
	}
}

// TestFollowEventLog: a log that is still written is read as it grows, also within a chunk whose header lags behind.
func TestFollowEventLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.evtx")
	write := func(to int, cut int) {
		c := evtxtest.Chunk(evtxtest.Records(1, to, "x")...)
		old := evtxtest.Chunk(evtxtest.Records(1, 1, "x")...)
		copy(c[:512], old[:512])
		data := append(evtxtest.Header(1, true), c...)
		if cut > 0 {
			end := bytes.LastIndex(data, []byte("**\x00\x00"))
			clear(data[end+cut:])
		}
		put(t, path, data)
	}
	write(2, 0)
	k := &keeper{t: t}
	stop := following(t, testConfig(t, filepath.Join(dir, "*.evtx")), k)
	k.await(2)
	write(4, 60) // record 4 is not whole yet
	k.await(3)
	write(5, 0)
	k.await(5)
	// Archived, and begun anew.
	write(6, 0)
	rename(t, path, filepath.Join(dir, "Archive-a.evtx"))
	put(t, path, evtxtest.Log(3, true, evtxtest.Records(7, 2, "x")...))
	k.await(8)
	stop()
	expect(t, "followed", k, span1(1, 8))
	if told := append(k.notices("source_damaged"), k.notices("source_gap")...); len(told) > 0 {
		t.Errorf("told %+v", told)
	}
}

func BenchmarkEventLog(b *testing.B) {
	data := evtxtest.Log(100, false, evtxtest.Records(1, 5000, `C:\Windows\System32\svchost.exe`)...)
	path := filepath.Join(b.TempDir(), "a.evtx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		src, err := New(Config{Sources: []string{path}})
		if err != nil {
			b.Fatal(err)
		}
		if err := stage.Pump(context.Background(), src, stage.NewWriter(discard{}, nil)); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func ExampleSource_eventLog() {
	dir, _ := os.MkdirTemp("", "evtx")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "Security.evtx")
	_ = os.WriteFile(path, evtxtest.Log(10, false, evtxtest.Records(1, 2, "x")...), 0o600)
	src, _ := New(Config{Sources: []string{path}})
	var out bytes.Buffer
	_ = stage.Pump(context.Background(), src, stage.NewWriter(&out, nil))
	fmt.Println(strings.Count(out.String(), "\n"), strings.Contains(out.String(), `\"EventRecordID\":2`))
	// Output: 2 true
}
