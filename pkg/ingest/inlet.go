package ingest

import (
	"fmt"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// stageName is ours in pipeline_errors.
const stageName = "ingest"

// inlet takes the records of what can't be read again. Without marks they go on at once, under --resume first into the
// journal. An inlet belongs to one goroutine; a record is copied.
type inlet interface {
	// add takes a record that began at offset of its stream and came from addr (ip:port; empty where it has none).
	add(offset int64, rec, addr []byte) error
	// addLong takes a record longer than what is allowed: its head, and what became of it.
	addLong(offset int64, l long, addr []byte) error
	// flush hands on what was added.
	flush() error
}

// long is a record that is too long for an event.
type long struct {
	head []byte
	stage.Spooled
}

// fail makes the pipeline_error of l from e, the event of its head.
func (l long) fail(b *event.Batch, e *event.Event) error {
	if l.Path != "" {
		b.Fail(e, stageName, "line_too_long", l.Message())
		return l.Note(e)
	}
	b.Fail(e, stageName, "message_too_long",
		fmt.Sprintf("a message of %d bytes is longer than the listener takes; its first %d bytes are kept", l.Size, len(l.head)))
	return nil
}

// direct is the inlet of an unmarked stream.
type direct struct {
	em    *emitter
	wrap  *wrapper
	batch event.Batch
	size  int
}

func (d *direct) add(offset int64, rec, addr []byte) error {
	d.size += len(rec) + 1
	d.wrap.pushFrom(&d.batch, offset, rec, addr)
	return nil
}

func (d *direct) addLong(offset int64, l long, addr []byte) error {
	if err := d.add(offset, l.head, addr); err != nil {
		return err
	}
	d.em.cfg.Counters.Failed(1)
	return l.fail(&d.batch, d.batch.Events[len(d.batch.Events)-1])
}

func (d *direct) flush() error {
	size := d.size
	d.size = 0
	return d.em.emit(&d.batch, size, nil, cursor{})
}
