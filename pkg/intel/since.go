package intel

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/event"
)

// versionsName is the file that says when each version of the table was made, a JSON object a line.
const versionsName = "versions.ndjson"

// madeVersion is a line of it.
type madeVersion struct {
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
}

// noteVersion appends a version. Without it a search of the lake for what is newer than a version has to be told a time.
func (s *Source) noteVersion(version string, now time.Time) error {
	line, err := json.Marshal(madeVersion{version, now.UTC()})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, versionsName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// NewSince returns the time from which on indicators count as new: since is a time (RFC 3339, or a date), or a version of the table that was
// made by a source whose folder (dimension.Env.Dir) is dir. What was in that version is not new.
func NewSince(dir, since string) (time.Time, error) {
	if ns := parseTime(since); ns != 0 && len(since) != 16 {
		return time.Unix(0, ns).UTC(), nil
	}
	f, err := os.Open(filepath.Join(dir, versionsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, fmt.Errorf("versions: %w", err)
	}
	if err == nil {
		defer f.Close()
		var last time.Time
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var v madeVersion
			if json.Unmarshal(lines.Bytes(), &v) == nil && v.Version == since {
				last = v.Time
			}
		}
		if !last.IsZero() {
			return last.Truncate(time.Second).Add(time.Second), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-11-24T08:00:00Z nor a version that is known here", since)
}

// AddedSince tells whether the indicator of a row came at t or later.
func (s *Set) AddedSince(row int, t time.Time) bool {
	ns, ok := event.ParseTime(unquote(s.table.Cell(row, numAdded)))
	return ok && ns >= t.UnixNano()
}
