package event

// Borrow makes b a part of from: its events i up to j, with memory of its own for lines and added events, so that parts
// can be worked on side by side. Join must follow before from is used again.
func (b *Batch) Borrow(from *Batch, i, j int) {
	b.Reset()
	b.Reread = from.Reread
	b.Events = append(b.Events, from.Events[i:j]...)
}

// Join takes back what Borrow lent to parts, with what they added. The parts' memory stays in use until b is reset.
func (b *Batch) Join(parts []Batch) {
	for i := range parts {
		b.added = b.added || parts[i].added
	}
}
