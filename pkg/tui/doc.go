// Package tui is the live alert monitor: a table of alerts in a terminal, with filter, search, pause, groups and a pane
// that says of an alert who, what, where and why.
//
// It reads NDJSON from the end of a pipe, from a followed file or from a tap's socket, and keeps the last alerts in bounded
// memory. It changes nothing: with Config.Tee every byte that it reads goes on unchanged, also what it can't show.
//
// Delivery: what is shown is best effort. When alerts come faster than a screen can be drawn the oldest waiting ones are
// left out of the view and counted on the screen; the stream itself is never held back by the screen and loses nothing.
// It is not a store (persist) and not a way to act on alerts (respond).
//
// The state is one struct; keys and arrivals change it, View draws it, and neither does any I/O. All that knows the
// terminal library is in term.go. Text from events is made harmless before it is drawn: see clean.
package tui
