package respond

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// The journal is a file of lines: eight hexadecimal digits of CRC-32C over the rest, a space, a JSON record.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The types of records.
const (
	recIntent  = "intent"  // an action is about to be run
	recOutcome = "outcome" // an action has ended
	recHalt    = "halt"    // a budget was used up
	recLift    = "lift"    // a person lifted the halts
	recHello   = "hello"   // a marked pipe began at a committed mark
	recMark    = "mark"    // everything up to these numbers was told before this mark
	recKey     = "key"     // what compaction left of an action that ended long ago
)

// record is one line of the journal. Seq numbers intents, outcomes and halts in the order in which they are told.
type record struct {
	Type string `json:"type"`
	Seq  uint64 `json:"seq,omitempty"`
	At   int64  `json:"at,omitempty"` // ns since 1970
	// Intent, halt.
	Job    *job            `json:"job,omitempty"`
	Notify bool            `json:"notify,omitempty"`
	Alert  json.RawMessage `json:"alert,omitempty"`
	// Outcome.
	Key    string `json:"key,omitempty"`
	Step   string `json:"step,omitempty"` // stepDone, stepFailed, stepWithheld
	Reason string `json:"reason,omitempty"`
	// Hello and mark.
	Lake     string `json:"lake,omitempty"`
	Pipeline string `json:"pipeline,omitempty"`
	Mark     int64  `json:"mark,omitempty"`
	Requests uint64 `json:"requests,omitempty"` // the last intent told
	Outcomes uint64 `json:"outcomes,omitempty"` // the last outcome told
	// Halt and key.
	Scope string `json:"scope,omitempty"`
}

func (r *record) time() time.Time { return time.Unix(0, r.At) }

// appendRecord appends r as a line.
func appendRecord(dst []byte, r *record) ([]byte, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return dst, fmt.Errorf("encode journal record: %w", err)
	}
	dst = fmt.Appendf(dst, "%08x ", crc32.Checksum(doc, castagnoli))
	return append(append(dst, doc...), '\n'), nil
}

// DamageError says that the journal has a damaged record with good ones behind it: more than a torn end.
type DamageError struct {
	Path   string
	Offset int64 // of the damaged line
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal %q is damaged at byte %d, and there are good records behind that; restore it from a copy, or move it away knowing that actions may be repeated", e.Path, e.Offset)
}

// readRecords calls yield for each record and returns the offset behind the last good one. A tail of damaged lines is
// torn: what was not yet fsynced when the machine died, so no action depends on it. Damage before a good record is a
// *DamageError without its Path.
func readRecords(r io.Reader, yield func(*record) error) (good int64, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	torn := int64(-1)
	for at := int64(0); ; {
		line, rerr := br.ReadBytes('\n')
		if rerr != nil && rerr != io.EOF {
			return good, fmt.Errorf("read journal: %w", rerr)
		}
		if len(line) == 0 {
			return good, nil
		}
		rec, derr := decodeRecord(bytes.TrimSuffix(line, []byte{'\n'}))
		switch {
		case derr != nil || rerr == io.EOF:
			if torn < 0 {
				torn = at
			}
		case torn >= 0:
			return good, &DamageError{Offset: torn}
		default:
			if err := yield(rec); err != nil {
				return good, err
			}
			good = at + int64(len(line))
		}
		at += int64(len(line))
	}
}

var errRecord = errors.New("not a journal record")

func decodeRecord(line []byte) (*record, error) {
	if len(line) < 10 || line[8] != ' ' {
		return nil, errRecord
	}
	if string(line[:8]) != fmt.Sprintf("%08x", crc32.Checksum(line[9:], castagnoli)) {
		return nil, errRecord
	}
	r := &record{}
	if err := json.Unmarshal(line[9:], r); err != nil {
		return nil, errRecord
	}
	switch {
	case r.Type == recIntent && r.Job != nil && r.Job.Key != "" && r.Seq > 0:
	case r.Type == recOutcome && r.Key != "" && r.Seq > 0:
	case r.Type == recHalt && r.Seq > 0:
	case r.Type == recLift, r.Type == recHello, r.Type == recMark, r.Type == recKey && r.Key != "":
	default:
		return nil, errRecord
	}
	return r, nil
}
