package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/evtx/evtxtest"
)

// read returns the numbers of all records of a log, their lines, and what is damaged.
func read(t testing.TB, data []byte) (ids []uint64, lines, damage []string) {
	t.Helper()
	l, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if l.Damage != "" {
		damage = append(damage, l.Damage)
	}
	for _, n := range l.Chunks() {
		c, err := l.Chunk(n)
		if err != nil {
			t.Fatal(err)
		}
		for rec, ok := c.Next(); ok; rec, ok = c.Next() {
			line, err := c.AppendJSON(nil, rec)
			if err != nil {
				damage = append(damage, err.Error())
				continue
			}
			ids, lines = append(ids, rec.ID), append(lines, string(line))
		}
		for _, d := range c.Damage {
			damage = append(damage, d.Reason)
		}
	}
	return ids, lines, damage
}

func TestRecord(t *testing.T) {
	_, lines, damage := read(t, evtxtest.Log(10, false, evtxtest.Record{
		ID: 7, EventID: 4688, Image: "C:\\a \"b\"\n\U0001F642\x00", Written: 133_000_000_012_345_678,
	}))
	want := `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":4688,"TimeCreated":{"#attributes":{"SystemTime":"2022-06-18T04:26:41.2345678Z"}},"EventRecordID":7,"Channel":"Microsoft-Windows-Sysmon/Operational","Security":null},"EventData":{"Image":"C:\\a \"b\"\n🙂"}}}`
	if len(damage) > 0 || len(lines) != 1 || lines[0] != want {
		t.Errorf("got %s %q\nwant %s", lines, damage, want)
	}
}

func TestChunksInOrderOfRecords(t *testing.T) {
	// A circular log: what is newest stands first.
	data := evtxtest.Header(3, false)
	for _, first := range []uint64{41, 21, 31} {
		data = append(data, evtxtest.Chunk(evtxtest.Records(first, 10, "x")...)...)
	}
	data = append(data, make([]byte, chunkSize)...) // room for more
	ids, _, damage := read(t, data)
	if len(ids) != 30 || !slices.IsSorted(ids) || ids[0] != 21 || len(damage) > 0 {
		t.Errorf("read %d, damage %q", ids, damage)
	}
	l, _ := Open(bytes.NewReader(data), int64(len(data)))
	for after, want := range map[uint64][]int{0: {1, 2, 0}, 29: {1, 2, 0}, 30: {2, 0}, 40: {0}, 99: {0}} {
		if got := l.Behind(after); !slices.Equal(got, want) {
			t.Errorf("behind %d: chunks %d, want %d", after, got, want)
		}
	}
	if first, ok := l.First(); first != 21 || !ok {
		t.Errorf("the first is %d, %v", first, ok)
	}
	if last, err := l.Last(); last != 50 || err != nil {
		t.Errorf("the last is %d, %v", last, err)
	}
	for _, id := range []uint64{21, 35, 50} {
		if rec, ok, err := l.Find(id); !ok || rec.ID != id || err != nil {
			t.Errorf("find %d: %d %v %v", id, rec.ID, ok, err)
		}
	}
	for _, id := range []uint64{20, 51} {
		if _, ok, _ := l.Find(id); ok {
			t.Errorf("there is no record %d", id)
		}
	}
}

func TestDamage(t *testing.T) {
	const chunk0 = headerSize
	record := func(data []byte, n int) int { // where record n of the first chunk begins
		at := chunk0 + chunkHead
		for range n {
			at += int(binary.LittleEndian.Uint32(data[at+4:]))
		}
		return at
	}
	for _, c := range []struct {
		name   string
		break_ func(data []byte) []byte
		ids    []uint64
		damage string // a part of what is told
	}{
		{"nothing", func(d []byte) []byte { return d }, []uint64{1, 2, 3, 4, 5, 6}, ""},
		{"checksum of the file", func(d []byte) []byte { d[124]++; return d }, []uint64{1, 2, 3, 4, 5, 6}, "checksum of the file's header"},
		{"checksum of a chunk", func(d []byte) []byte { d[chunk0+124]++; return d }, []uint64{1, 2, 3, 4, 5, 6}, "checksum of the header of chunk 0"},
		{"checksum of records", func(d []byte) []byte { d[chunk0+52]++; return d }, []uint64{1, 2, 3, 4, 5, 6}, "checksum of the records of chunk 0"},
		{"magic of a chunk", func(d []byte) []byte { d[chunk0]++; return d }, []uint64{1, 2, 3, 4, 5, 6}, "chunk 0 has no header"},
		{"magic of a record", func(d []byte) []byte { d[record(d, 1)]++; return d }, []uint64{1, 3, 4, 5, 6}, "of chunk 0 are no record"},
		{"magic of the first record", func(d []byte) []byte { d[record(d, 0)]++; return d }, []uint64{2, 3, 4, 5, 6}, "of chunk 0 are no record"},
		{"size of a record", func(d []byte) []byte { d[record(d, 1)+4] += 8; return d }, []uint64{1, 2, 3, 4, 5, 6}, "checksum of the records"},
		{"template of a record", func(d []byte) []byte { d[record(d, 1)+recordHead+12] = 0xff; return d }, []uint64{1, 3, 4, 5, 6}, "record 2: its template"},
		{"token of a record", func(d []byte) []byte { d[record(d, 1)+recordHead+4] = 0x33; return d }, []uint64{1, 3, 4, 5, 6}, "record 2: unknown token 0x33"},
		{"free space", func(d []byte) []byte { d[chunk0+49] = 0; d[chunk0+48] = 9; return d }, []uint64{1, 2, 3, 4, 5, 6}, "records end at byte 9"},
		{"cut within a chunk", func(d []byte) []byte { return d[:record(d, 2)+40] }, []uint64{1, 2}, "the file ends within chunk 0"},
		{"cut within the header", func(d []byte) []byte { return d[:50] }, nil, "ends within its header"},
		{"garbage behind", func(d []byte) []byte { return append(d, bytes.Repeat([]byte("garbage!"), 9000)...) }, []uint64{1, 2, 3, 4, 5, 6}, "chunk 2 has no header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, _, damage := read(t, c.break_(evtxtest.Log(3, false, evtxtest.Records(1, 6, "C:\\a.exe")...)))
			if !slices.Equal(ids, c.ids) {
				t.Errorf("read %d, want %d (%q)", ids, c.ids, damage)
			}
			if all := strings.Join(damage, "; "); c.damage == "" && all != "" || !strings.Contains(all, c.damage) {
				t.Errorf("told %q, want %q", all, c.damage)
			}
		})
	}
	if _, err := Open(strings.NewReader("<Event/>"), 8); !errors.Is(err, ErrFormat) {
		t.Errorf("an XML file: %v", err)
	}
}

// TestStillWritten: records that the chunk's header does not know of yet are read, those of an earlier round of the log are not.
func TestStillWritten(t *testing.T) {
	old := evtxtest.Chunk(evtxtest.Records(1, 3, "x")...)
	grown := evtxtest.Chunk(evtxtest.Records(1, 5, "x")...)
	copy(grown[:chunkHead], old[:chunkHead])
	ids, _, damage := read(t, append(evtxtest.Header(1, true), grown...))
	if !slices.Equal(ids, []uint64{1, 2, 3, 4, 5}) || len(damage) > 0 {
		t.Errorf("read %d, damage %q", ids, damage)
	}
	rest := evtxtest.Chunk(evtxtest.Records(101, 5, "x")...)
	copy(rest, old[:binary.LittleEndian.Uint32(old[48:])])
	if ids, _, damage = read(t, append(evtxtest.Header(1, false), rest...)); !slices.Equal(ids, []uint64{1, 2, 3}) || len(damage) > 0 {
		t.Errorf("read %d, damage %q", ids, damage)
	}
}

// FuzzLog: whatever the records of a chunk hold, reading ends, and each line is a JSON object.
func FuzzLog(f *testing.F) {
	// Small inputs: the headers are added.
	for _, n := range []int{1, 3} {
		c := evtxtest.Chunk(evtxtest.Records(1, n, "C:\\a.exe")...)
		f.Add(c[chunkHead:binary.LittleEndian.Uint32(c[48:])])
	}
	f.Fuzz(func(t *testing.T, records []byte) {
		head := evtxtest.Chunk(evtxtest.Records(1, 1, "")...)[:chunkHead]
		binary.LittleEndian.PutUint32(head[48:], uint32(min(chunkHead+len(records), chunkSize)))
		data := slices.Concat(evtxtest.Header(1, false), head, records)
		l, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var b event.Batch
		for _, n := range l.Chunks() {
			c, err := l.Chunk(n)
			if err != nil {
				t.Fatal(err)
			}
			for rec, ok := c.Next(); ok; rec, ok = c.Next() {
				line, err := c.AppendJSON(nil, rec)
				if err != nil {
					continue
				}
				b.Reset()
				if err := b.Push(line).Parse(); err != nil {
					t.Fatalf("record %d: %v: %q", rec.ID, err, line)
				}
			}
		}
	})
}

func BenchmarkLog(b *testing.B) {
	data := evtxtest.Log(100, false, evtxtest.Records(1, 1000, "C:\\Windows\\System32\\svchost.exe")...)
	l, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	var line []byte
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range 10 {
			c, err := l.Chunk(i)
			if err != nil {
				b.Fatal(err)
			}
			for rec, ok := c.Next(); ok; rec, ok = c.Next() {
				if line, err = c.AppendJSON(line[:0], rec); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

func ExampleLog() {
	data := evtxtest.Log(10, false, evtxtest.Records(1, 2, `C:\a.exe`)...)
	log, _ := Open(bytes.NewReader(data), int64(len(data)))
	for _, n := range log.Chunks() {
		c, _ := log.Chunk(n)
		for rec, ok := c.Next(); ok; rec, ok = c.Next() {
			line, _ := c.AppendJSON(nil, rec)
			fmt.Println(rec.ID, strings.Contains(string(line), `"EventData":{"Image":"C:\\a.exe"}`))
		}
	}
	// Output:
	// 1 true
	// 2 true
}
