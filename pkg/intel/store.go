package intel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"leat/internal/durable"
	"leat/pkg/event"
)

// compactFrom is the size below which the store of a TAXII feed is left as it is.
const compactFrom = 16 << 20

// compact rewrites the store of a TAXII feed where it has doubled since the last time: superseded versions, what was taken back and what is over
// go. The new file takes the old one's place whole.
func (f *feedState) compact(ctx context.Context, now time.Time, from int64) error {
	path := filepath.Join(f.dir, storeName)
	info, err := os.Stat(path)
	if err != nil || info.Size() < max(from, 2*f.state.Compacted) {
		return nil // a store that can't be read is told of where it is read
	}
	newest := map[string]int64{}
	var o event.Event
	pass := func(line func(id string, at int64, n int64, raw []byte) error) error {
		r, err := openPlain(ctx, path, info.Size()+1)
		if err != nil {
			return err
		}
		defer r.Close()
		n := int64(0)
		return eachLine(r, func(raw []byte) error {
			n++
			o.Reset(raw)
			if len(raw) == 0 || o.Parse() != nil {
				return nil
			}
			v := event.ValueOf(raw)
			return line(text(v.Member("id")), max(parseTime(text(v.Member("modified"))), 1), n, raw)
		})
	}
	at := map[string]int64{} // the newest version's line
	if err := pass(func(id string, when, n int64, _ []byte) error {
		if when > newest[id] {
			newest[id], at[id] = when, n
		}
		return nil
	}); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	err = durable.Create(path, func(tmp *os.File) error {
		w := bufio.NewWriterSize(tmp, 256<<10)
		err := pass(func(id string, _, n int64, raw []byte) error {
			if id != "" && at[id] != n || isOver(event.ValueOf(raw), now) {
				return nil
			}
			_, err := w.Write(append(raw, '\n'))
			return err
		})
		return errors.Join(err, w.Flush())
	})
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if info, err = os.Stat(path); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	f.state.Compacted = info.Size()
	return nil
}

// isOver tells whether an indicator will never count again, unless a later version of it comes.
func isOver(o event.Value, now time.Time) bool {
	if text(o.Member("type")) != "indicator" {
		return false
	}
	until := parseTime(text(o.Member("valid_until")))
	return o.Member("revoked").Kind == event.True || until != 0 && until <= now.UnixNano()
}
