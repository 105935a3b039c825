package retain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/lake"
)

// LedgerLine is one removed file in ledger/removed.ndjson.
type LedgerLine struct {
	Time   time.Time `json:"time"` // when the log entry was made
	Who    string    `json:"who"`
	Entry  int64     `json:"log_entry"`
	Why    string    `json:"why"`
	Path   string    `json:"path"`
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Reason string    `json:"reason,omitempty"`
}

// tell writes what the log has removed into the ledger, durably, before any of it leaves the disk. A run that was killed
// in between is made up for: the ledger follows from the log.
func (k *Keeper) tell(s *lake.State) error {
	path := filepath.Join(k.lake.Dir(), "ledger", "removed.ndjson")
	told, torn, err := toldEntries(path)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	var out []byte
	if torn {
		out = append(out, '\n')
	}
	for _, n := range numbers(s.Removals) {
		lines, err := k.lines(s.Removals[n], told[n])
		if err != nil {
			return err
		}
		out = append(out, lines...)
	}
	if len(out) <= 1 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, werr := f.Write(out)
	// The folder too: the file may have been made just now.
	if err := errors.Join(werr, f.Sync(), f.Close(), syncNearest(filepath.Dir(path))); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// lines returns the ledger's lines for those files of a removal that are not in it yet.
func (k *Keeper) lines(r lake.Removal, told map[string]bool) ([]byte, error) {
	if len(told) >= len(r.Files) {
		return nil, nil
	}
	e, err := k.lake.Entry(r.N)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var out []byte
	for _, f := range r.Files {
		if told[f.Path] {
			continue
		}
		line, err := json.Marshal(LedgerLine{e.Time, e.Who, e.N, e.Why, f.Path, f.Rows, f.Bytes, f.SHA256, e.Meta[f.Path]})
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

// toldEntries reads which files of which log entries the ledger has. torn: its last line was cut off by a crash.
func toldEntries(path string) (told map[int64]map[string]bool, torn bool, err error) {
	told = map[int64]map[string]bool{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return told, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for line := range bytes.Lines(data) {
		var l LedgerLine
		if json.Unmarshal(line, &l) != nil {
			continue
		}
		if told[l.Entry] == nil {
			told[l.Entry] = map[string]bool{}
		}
		told[l.Entry][l.Path] = true
	}
	return told, len(data) > 0 && data[len(data)-1] != '\n', nil
}
