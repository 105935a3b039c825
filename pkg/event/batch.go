package event

// Batch is a run of events in the order of the stream, with the memory that holds them. A stage edits its events in
// place, drops some with [Event.Drop] and adds others with After; only Compact changes Events.
// Everything in it is valid until Reset. It is not safe for concurrent use.
type Batch struct {
	// Events in order. A stage must not reorder them.
	Events []*Event
	// Reread says that a stage of this process comes behind this one, which will read what this one writes anew (Builder).
	Reread bool

	pool  []*Event
	used  int
	arena []byte
	added bool
}

// Reset empties the batch and reuses its memory.
func (b *Batch) Reset() {
	b.Events = b.Events[:0]
	b.used = 0
	b.arena = b.arena[:0]
	b.added = false
}

func (b *Batch) fresh(line []byte) *Event {
	if b.used == len(b.pool) {
		b.pool = append(b.pool, &Event{})
	}
	e := b.pool[b.used]
	b.used++
	e.Reset(line)
	return e
}

// Push appends an event on line, which is not copied and must stay unchanged until Reset.
func (b *Batch) Push(line []byte) *Event {
	e := b.fresh(line)
	b.Events = append(b.Events, e)
	return e
}

// After adds an event on line right behind e (behind those added there before). It joins Events at the next Compact.
// line is not copied: take it from Build, or leave it unchanged until Reset.
func (b *Batch) After(e *Event, line []byte) *Event {
	n := b.fresh(line)
	e.after = append(e.after, n)
	b.added = true
	return n
}

// Begin returns an empty slice with room for about n bytes of the batch's own memory, to append a line to; hand the
// result to End before the next Begin.
func (b *Batch) Begin(n int) []byte {
	if cap(b.arena)-len(b.arena) < n {
		// The old block stays alive as long as its lines do.
		b.arena = make([]byte, 0, max(n, 64<<10, 2*cap(b.arena)))
	}
	return b.arena[len(b.arena):len(b.arena)]
}

// End takes a line that was appended to Begin's slice and returns it; it stays valid until Reset.
func (b *Batch) End(line []byte) []byte {
	if free := cap(b.arena) - len(b.arena); cap(line) == free && len(line) <= free {
		b.arena = b.arena[:len(b.arena)+len(line)]
	}
	return line[:len(line):len(line)]
}

// Compact removes the dropped events and puts the added ones in their places. Chains call it between stages.
func (b *Batch) Compact() {
	if !b.added {
		kept := b.Events[:0]
		for _, e := range b.Events {
			if !e.dropped {
				kept = append(kept, e)
			}
		}
		b.Events = kept
		return
	}
	old := append([]*Event(nil), b.Events...)
	b.Events = b.Events[:0]
	for _, e := range old {
		b.keep(e)
	}
	b.added = false
}

func (b *Batch) keep(e *Event) {
	if !e.dropped {
		b.Events = append(b.Events, e)
	}
	for _, a := range e.after {
		b.keep(a)
	}
	e.after = e.after[:0]
}

// AppendLines appends every event as a line with its line feed.
func (b *Batch) AppendLines(dst []byte) []byte {
	for _, e := range b.Events {
		dst = append(e.Append(dst), '\n')
	}
	return dst
}
