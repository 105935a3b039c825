package persist

// TakeRow puts a row into the spill that was opened first, as it is: the encoder makes none that is damaged.
func (s *Sink) TakeRow(row []byte) error { return s.gen.order[0].add(row, s.enc) }
