package ingest

import (
	"bytes"

	"leat/pkg/event"
)

// readSize is what one read of a file or pipe takes at most.
const readSize = 256 << 10

// cutter makes records of whole lines: a line is a record, without its line feed and a carriage return before that;
// blank ones are none.
type cutter struct {
	*wrapper
	maxLine int
	multi   *Multiline // nil: a line is a record
	// long handles a line that is longer than maxLine.
	long func(b *event.Batch, offset int64, line []byte) error
}

// cut adds up to limit records from block, which ends with a line feed and stands at offset, to b. It returns how many
// bytes of block they took, and whether it was limit that ended it. final: what follows block is no part of its last record.
func (c *cutter) cut(b *event.Batch, offset int64, block []byte, limit int, final bool) (taken int, full bool, err error) {
	if c.multi != nil {
		return c.cutMultiline(b, offset, block, limit, final)
	}
	for taken < len(block) {
		if limit == 0 {
			return taken, true, nil
		}
		end := bytes.IndexByte(block[taken:], '\n')
		line := block[taken : taken+end]
		at := offset + int64(taken)
		taken += end + 1
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) == 0 {
			continue
		}
		limit--
		if len(line) > c.maxLine {
			if err := c.long(b, at, line); err != nil {
				return taken, false, err
			}
			continue
		}
		c.push(b, at, line)
	}
	return taken, false, nil
}
