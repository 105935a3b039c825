// Package state keeps what a stage remembers between events, under the marks of its pipe (DESIGN.md section 2): after a crash
// it gives back exactly the state of the mark from which the stream goes on.
//
//	st, err := state.Open(dir, "detect", "default")
//	snap, err := st.Resume(state.Point{Lake: h.Lake, Mark: h.Resume, Run: h.ResumeRun}, false)
//	restore(snap.Base, snap.Changes)
//	...
//	err = st.Save(state.Mark{N: m.N, Run: m.Run, Since: m.Since}, changes, base)      // at each mark, before it is handed on
//
// A store is a folder: files of changes, one record a mark, and bases, each the whole state at one mark, written beside the
// stream when the changes have outgrown the last one. What is older than the lake's committed mark is deleted.
//
// It is not for the journal of actions (respond), nor for positions (those are the lake's), and it does not know what the bytes mean.
//
// Delivery: what Save returned nil for is on the disk (fsync) and is found by Resume until the lake has committed a later
// mark. A torn end, from a kill or a power loss, is cut; damage before it is told and never passed over.
package state
