package enrich

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"leat/internal/durable"
	"leat/pkg/dimension"
	"leat/pkg/dimension/parquettable"
)

// historyEvery is the least time between two writings of a history: the snapshot beside it has all, but only for the
// configuration that it was made by.
const historyEvery = time.Hour

// historyFile is where the history of a dimension lies, as Parquet, for later configurations and for others to read.
func (k *keeper) historyFile() string { return filepath.Join(k.dir, k.cfg.name+".history.parquet") }

// past returns the table that what is fetched now is joined to: that of old, else the history on disk, else nil.
func (k *keeper) past(old *Snapshot) (*dimension.Table, error) {
	if old != nil {
		return old.dim.Table, nil
	}
	if k.dir == "" {
		return nil, nil
	}
	data, err := os.ReadFile(k.historyFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	t, err := parquettable.Load(bytes.NewReader(data), int64(len(data)), k.cfg.limits())
	if err != nil {
		return nil, fmt.Errorf("read the history %s: %w; where it is to begin anew, take the file away", k.historyFile(), err)
	}
	return t, nil
}

// saveHistory writes the history, where there is a folder for it.
func (k *keeper) saveHistory(s *Snapshot, now bool) error {
	if k.cfg.History == nil || !now && time.Since(k.written) < historyEvery {
		return nil
	}
	k.written = time.Now()
	var b bytes.Buffer
	if err := parquettable.Write(&b, s.dim.Table, validFrom, validTo); err != nil {
		return err
	}
	return durable.WriteFile(k.historyFile(), b.Bytes())
}
