package event

// PushRecord appends an event that carries a raw record as the last member of its object event: the line is
//
//	envelope[:at] + `,"original":"…"` + envelope[at:]
//
// The record is only quoted when somebody asks for the line: a stage in the same process that wants the record itself
// (Record) takes it as it is. The envelope must be a JSON object by itself, and raw must not need escaping (NeedsEscape).
// Both are the batch's own memory after that: envelope from Begin, without an End; raw is copied.
func (b *Batch) PushRecord(envelope []byte, at int, raw []byte) *Event {
	// One piece, so that End sees that it lies in the arena.
	n := len(envelope)
	all := b.End(append(envelope, raw...))
	e := b.fresh(all[:n:n])
	e.record, e.hole = all[n:], at
	b.Events = append(b.Events, e)
	return e
}

// Record returns the raw record that e carries and makes e its envelope: the event but for event.original. What is read then is
// good until e's line is asked for, or e is parsed anew: call Whole before e is left as it is. ok is false where e carries none.
func (e *Event) Record() (raw []byte, ok bool) {
	if e.record == nil {
		return nil, false
	}
	if !e.parsed && e.scan() != nil {
		return nil, false
	}
	return e.record, true
}

// Whole puts the record that e carries into its line; what was edited before is lost. It does nothing to an event without a record.
func (e *Event) Whole() {
	if e.record == nil {
		return
	}
	e.whole = e.appendWhole(e.whole[:0])
	e.Replace(e.whole)
}

func (e *Event) appendWhole(dst []byte) []byte {
	dst = append(dst, e.line[:e.hole]...)
	dst = append(dst, `,"original":`...)
	dst = AppendString(dst, e.record)
	return append(dst, e.line[e.hole:]...)
}
