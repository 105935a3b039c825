package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"leat/pkg/event"
)

const journaldPrefix = "journald:"

// journald is the inlet of what journalctl prints. The system's journal can be read again, so it needs none of ours: the
// position is the cursor of the last entry. journalctl is asked to begin with that very entry, which shows whether it is there
// still; where it is not, journalctl begins at the nearest one in time, and that is told as a gap.
type journald struct {
	em    *emitter
	wrap  *wrapper
	org   *origin
	batch event.Batch
	size  int
	next  cursor
	first bool // the next entry is the one that was read last
}

// journaldOrigin takes the position of a journald source from the lake's.
func journaldOrigin(sp spec, positions map[string]string) (*origin, error) {
	o := &origin{name: journaldPrefix + printable(sp.path)}
	if pos, ok := positions[o.name]; ok && pos != "" {
		c, err := parseCursor(pos)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", o.name, err)
		}
		o.cursor = c
	}
	return o, nil
}

// journalctl is the command that goes on at o's position.
func journalctl(sp spec, follow bool, o *origin) []string {
	argv := []string{"journalctl", "--output=json", "--no-pager", "--quiet", "--all"}
	if sp.path != "" {
		argv = append(argv, "--directory="+sp.path)
	}
	if follow {
		argv = append(argv, "--follow", "--no-tail")
	}
	if o.cursor.text != "" {
		argv = append(argv, "--cursor="+o.cursor.text)
	}
	return slices.Clip(argv)
}

// newJournald returns the inlet of one start of journalctl.
func newJournald(em *emitter, o *origin, dataset string) *journald {
	return &journald{em: em, wrap: newWrapper(o.name, 0, dataset), org: o, next: o.cursor, first: o.cursor.text != ""}
}

func (j *journald) add(_ int64, rec, _ []byte) error {
	again, err := j.move(rec)
	if err != nil || again {
		return err
	}
	j.size += len(rec) + 1
	j.wrap.pushFrom(&j.batch, 0, rec, nil)
	return nil
}

func (j *journald) addLong(_ int64, l long, _ []byte) error {
	again, err := j.move(l.head)
	if err != nil || again {
		return err
	}
	j.size += int(l.Size)
	j.wrap.pushFrom(&j.batch, 0, l.head, nil)
	j.em.cfg.Counters.Failed(1)
	return l.fail(&j.batch, j.batch.Events[len(j.batch.Events)-1])
}

// move takes the position of an entry, and tells whether it is the one that was read last.
func (j *journald) move(rec []byte) (again bool, err error) {
	text := gjson.GetBytes(rec, "__CURSOR").String()
	if j.first {
		j.first = false
		if text == j.next.text {
			return true, nil
		}
		if err := j.em.tell(j.gap(), nil, cursor{}); err != nil {
			return false, err
		}
	}
	j.next.offset++
	// journalctl prints the fields of an entry in another order each time; its cursor is the same, and no other entry's.
	j.wrap.known = nil
	if text != "" && !strings.ContainsAny(text, " \t\r\n") {
		j.next.text, j.wrap.known = text, []byte(text)
	}
	return false, nil
}

func (j *journald) gap() notice {
	return notice{
		action: "source_gap", source: j.org.name, reason: "the entry that was read last is not in the journal any more",
		message: fmt.Sprintf("%s: the entry that was read last (number %d, %s) is not there any more; what stood behind it, if anything, may be missing",
			j.org.name, j.next.offset, j.next.text),
		from: j.next.offset, to: -1, dropped: -1,
	}
}

func (j *journald) flush() error {
	size := j.size
	j.size = 0
	return j.em.emit(&j.batch, size, j.org, j.next)
}

// ended is called when journalctl has ended without a fault. Where it gave nothing, not even the last entry is there.
func (j *journald) ended() error {
	if !j.first {
		return nil
	}
	j.first = false
	gap := j.gap()
	j.next.state = stateGone
	return j.em.tell(gap, j.org, j.next)
}
