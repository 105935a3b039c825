package dimension

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"
)

// Source reads a dimension's rows from where they live: a directory, a database, a feed. Fetch is called by one goroutine
// at a time, never from the path of events.
type Source interface {
	// Fetch returns the whole table as it is now, also where only changes were asked for on the wire. had is what the
	// newest accepted Fetch returned without its table (zero the first time; after a restart that of the snapshot on
	// disk). ErrUnchanged says that it still holds. Other errors leave what is in use in use, and are retried; they tell
	// where and what, never a row's values or a secret. ctx bounds the call.
	Fetch(ctx context.Context, had Stamp) (*Fetched, error)
	// Close frees connections.
	Close() error
}

// ErrUnchanged is returned by Fetch where nothing changed since the stamp that it was given.
var ErrUnchanged = errors.New("unchanged")

// Stamp says which state of its source a table is.
type Stamp struct {
	// Version identifies the content: 16 hexadecimal digits of a hash, or what the source itself calls it.
	Version string `json:"version"`
	// AsOf is the time at which the source said so: answers' age counts from it.
	AsOf time.Time `json:"as_of"`
	// Cursor is the source's own note of where to go on (a cookie, an ETag); nobody else reads it.
	Cursor string `json:"cursor,omitempty"`
}

// Fetched is a table with its stamp.
type Fetched struct {
	Stamp
	Table *Table
}

// Env is what a source gets from its surroundings.
type Env struct {
	// Name of the dimension, for messages.
	Name string
	// Base is the folder that relative paths of the configuration are relative to.
	Base string
	// Dir is a folder of the source's own that survives restarts; empty: there is none.
	Dir string
	// Log is never nil.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Limits of the table.
	Limits Limits
}

// Below returns a path of a configuration file as seen from its folder, base.
func Below(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// Complaint is one thing wrong with a source's part of a configuration file. Every source's configuration has a method
// Check() []Complaint that also fills in what was left out.
type Complaint struct {
	// Key is the path of the offending key below the source's own (bind.password_file); empty: the whole.
	Key string
	// Message says what was found and what was expected.
	Message string
}
