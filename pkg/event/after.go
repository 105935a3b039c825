package event

// TakeAfter moves what was added behind from ([Batch.After]) to the end of what was added behind e, in the same order. Both are
// events of one batch, or from stands in e's place for a while.
func (e *Event) TakeAfter(from *Event) {
	e.after = append(e.after, from.after...)
	from.after = from.after[:0]
}
