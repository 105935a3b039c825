package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The kinds of log entries.
const (
	KindOpen    = "open"    // a process has taken over a pipeline
	KindCommit  = "commit"  // files and, in a marked pipeline, a mark
	KindFence   = "fence"   // a writer was found dead
	KindReplace = "replace" // files rewritten: some added, some removed, no row changed or only as said in Why
	KindRemove  = "remove"  // files taken out
	KindPurge   = "purge"   // the files of earlier removals are gone from the disk
	KindHold    = "hold"    // a legal hold began or ended
	KindNote    = "note"    // words only
)

// Entry is one log entry: what changes. Commit fills N, Prev, Time, Host and PID.
type Entry struct {
	N      int64     `json:"n"`
	Prev   string    `json:"prev"` // SHA-256 of the entry before; of the lake's id for the first
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who,omitempty"`
	Why    string    `json:"why,omitempty"`
	Host   string    `json:"host,omitempty"`
	PID    int       `json:"pid,omitempty"`
	Writer string    `json:"writer,omitempty"`
	// Generation is the newest of the writer's spills whose rows are in the lake with this entry; 0 = it keeps none.
	Generation int64 `json:"generation,omitempty"`
	// Ended are writers that had a generation and have closed since.
	Ended []string `json:"ended,omitempty"`

	Pipeline string `json:"pipeline,omitempty"`
	Epoch    int64  `json:"epoch,omitempty"`
	Run      string `json:"run,omitempty"`
	Mark     int64  `json:"mark,omitempty"`
	End      bool   `json:"end,omitempty"`
	// Positions that changed. An empty position forgets the source.
	Positions map[string]string `json:"positions,omitempty"`

	Added   []File   `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	// Purge: the removed files skip the trash.
	Purge bool `json:"purge,omitempty"`
	// Purged are numbers of removals whose files are gone.
	Purged []int64           `json:"purged,omitempty"`
	Hold   *Hold             `json:"hold,omitempty"`
	Meta   map[string]string `json:"meta,omitempty"`
}

// seal is the second line of a log entry or checkpoint: the SHA-256 of the first with its line feed. It shows damage
// to the newest entry, which no later one vouches for yet.
type seal struct {
	SHA256 string `json:"sha256"`
}

var (
	errTorn    = errors.New("not whole")
	errDamaged = errors.New("not whole: its SHA-256 is another than its seal says")
)

func sealed(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	line, err := json.Marshal(seal{hash(body)})
	if err != nil {
		return nil, err
	}
	return append(append(body, line...), '\n'), nil
}

func unseal(data []byte, v any) error {
	if isTorn(data) {
		return errTorn
	}
	body, line, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return errDamaged
	}
	body = data[:len(body)+1]
	want, err := json.Marshal(seal{hash(body)})
	if err != nil {
		return err
	}
	if !bytes.Equal(line, append(want, '\n')) {
		return errDamaged
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
