// Package drift watches which fields the events of each dataset have, and tells when a source changes: a field that was never there
// before, one that is gone, one whose values are of another JSON type. It tells with an event of its own (event.dataset leat.drift)
// behind the event that showed it.
//
//	s := drift.New(drift.Config{})
//	err := s.Process(batch)
//
// A dataset's first events are learned from in silence. It is not for judging values, and no schema registry: what it knows is what
// it saw. Memory is bounded: fields are kept by hash, so many a dataset, so many datasets; so are the events of one window.
//
// Delivery: the events themselves pass untouched, at their places. What was learned is kept under the marks where there is a folder
// for it (pkg/state); without one, every start learns anew. The same stream gives the same drift events, with the same ids.
package drift
