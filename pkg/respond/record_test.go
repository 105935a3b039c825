package respond

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func journalOf(t testing.TB, records ...record) []byte {
	t.Helper()
	var buf []byte
	var err error
	for i := range records {
		if buf, err = appendRecord(buf, &records[i]); err != nil {
			t.Fatal(err)
		}
	}
	return buf
}

func sample() []record {
	j := job{Play: "p", Action: "a", Kind: "exec", Field: "user.name", Target: "x\ny\x1b[31m\u202e", Alert: "a1", Key: actionKey("p", "a", "user.name", "x", "a1")}
	return []record{
		{Type: recHello, Lake: "l", Pipeline: "default", Mark: 3},
		{Type: recIntent, Seq: 1, At: 5, Job: &j, Alert: json.RawMessage(`{"a":1.0,"b":"<&>"}`)},
		{Type: recOutcome, Seq: 1, At: 6, Key: j.Key, Step: stepDone, Reason: "fine"},
		{Type: recMark, Mark: 4, Requests: 1, Outcomes: 1},
	}
}

func TestRecords(t *testing.T) {
	data := journalOf(t, sample()...)
	var got []record
	good, err := readRecords(bytes.NewReader(data), func(r *record) error { got = append(got, *r); return nil })
	if err != nil || good != int64(len(data)) || len(got) != 4 {
		t.Fatalf("%d of %d bytes, %d records: %v", good, len(data), len(got), err)
	}
	if got[1].Job.Target != sample()[1].Job.Target || !strings.Contains(string(got[1].Alert), "1.0") {
		t.Errorf("%+v %s", got[1].Job, got[1].Alert)
	}
	if bytes.Count(data, []byte{'\n'}) != 4 || bytes.IndexByte(data, 0x1b) >= 0 {
		t.Errorf("a hostile target broke the lines: %q", data)
	}
}

// TestRecordsTorn cuts the journal at every byte: what is read is always a run of whole records from the start.
func TestRecordsTorn(t *testing.T) {
	data := journalOf(t, sample()...)
	for n := range len(data) {
		count := 0
		good, err := readRecords(bytes.NewReader(data[:n]), func(*record) error { count++; return nil })
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if want := int64(bytes.LastIndexByte(data[:n], '\n') + 1); good != want || count != bytes.Count(data[:good], []byte{'\n'}) {
			t.Fatalf("cut at %d: good to %d, want %d; %d records", n, good, want, count)
		}
	}
}

// TestRecordsDamaged flips a byte of each record: in the last it is a torn tail, in an earlier one damage.
func TestRecordsDamaged(t *testing.T) {
	data := journalOf(t, sample()...)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	for i := range data {
		if i == last-1 {
			continue // the line feed before the last: both lines together look like one torn tail
		}
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		_, err := readRecords(bytes.NewReader(bad), func(*record) error { return nil })
		var damage *DamageError
		if inLast := i >= last; inLast && err != nil {
			t.Fatalf("byte %d of the last record: %v", i, err)
		} else if !inLast && !errors.As(err, &damage) {
			t.Fatalf("byte %d was changed: %v", i, err)
		}
	}
	// Zeros behind the end, as a power loss leaves them.
	good, err := readRecords(bytes.NewReader(append(bytes.Clone(data), make([]byte, 4096)...)), func(*record) error { return nil })
	if err != nil || good != int64(len(data)) {
		t.Errorf("zeros: %d, %v", good, err)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add(journalOf(f, sample()...))
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf []byte
		good, err := readRecords(bytes.NewReader(data), func(r *record) error {
			var aerr error
			buf, aerr = appendRecord(buf, r)
			return aerr
		})
		if good < 0 || good > int64(len(data)) {
			t.Fatalf("good to %d of %d", good, len(data))
		}
		if err != nil {
			return
		}
		n := 0
		again, err := readRecords(bytes.NewReader(buf), func(*record) error { n++; return nil })
		if err != nil || again != int64(len(buf)) {
			t.Fatalf("what was read can't be written and read again: %v", err)
		}
	})
}
