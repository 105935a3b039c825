package lake

import (
	"maps"
	"slices"
	"time"
)

// State is what the log says after entry N. It is immutable: share it freely, and change none of its maps.
type State struct {
	// N is the number of the newest log entry; 0 = none.
	N int64 `json:"n"`
	// Hash is that entry's SHA-256 in hex: the chain's end.
	Hash string `json:"hash"`
	// Time is when that entry was made.
	Time time.Time `json:"time"`
	// Pipelines are all that were ever opened, by name.
	Pipelines map[string]Pipeline `json:"pipelines"`
	// Files are committed and not removed, by path relative to the lake, with slashes.
	Files map[string]File `json:"files"`
	// Removals are removals by log number whose files may still be on the disk (in place or in trash/).
	Removals map[int64]Removal `json:"removals,omitempty"`
	// Holds are the legal holds in force, by case.
	Holds map[string]Hold `json:"holds,omitempty"`
	// Fenced are writers that were declared dead, with the log number; the newest maxFenced of them.
	Fenced map[string]int64 `json:"fenced,omitempty"`
	// Generations are, by living writer, the newest of its spills whose rows are committed. One that has ended is dropped by the next
	// commit of another.
	Generations map[string]int64 `json:"generations,omitempty"`
}

// maxFenced bounds the memory of dead writers. One that still lives after so many later deaths is stopped by its lock.
const maxFenced = 10_000

// Pipeline is what the lake knows of one marked pipeline.
type Pipeline struct {
	Name  string `json:"name"`
	Epoch int64  `json:"epoch"`
	Run   string `json:"run"`
	Mark  int64  `json:"mark"`
	// MarkRun is the run that committed Mark; "" = not known, an older leat wrote it.
	MarkRun string `json:"mark_run,omitempty"`
	// Positions is the whole map: source -> opaque position.
	Positions map[string]string `json:"positions"`
	// Open: opened and not ended by a mark with End.
	Open   bool      `json:"open"`
	Opened time.Time `json:"opened"`
	Host   string    `json:"host"`
	PID    int       `json:"pid"`
}

// File is one committed Parquet file.
type File struct {
	Path    string `json:"path"`
	Dataset string `json:"dataset"`
	Date    string `json:"date"` // 2006-01-02
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	// MinTime and MaxTime bound @timestamp, in ns since 1970; 0, 0 = no row has one.
	MinTime int64  `json:"min_time"`
	MaxTime int64  `json:"max_time"`
	SHA256  string `json:"sha256"`
	// Columns is the version of the set of columns that it has (row.Version); 0 = 1.
	Columns int              `json:"columns,omitempty"`
	Kinds   map[string]int64 `json:"kinds,omitempty"` // rows by event.kind
	// Added is the log entry that added it, AddedAt that entry's time in ns since 1970. An entry that rewrites files
	// (replace) may carry on the time of what it replaces.
	Added    int64  `json:"added,omitempty"`
	AddedAt  int64  `json:"added_at,omitempty"`
	Pipeline string `json:"pipeline,omitempty"`
	Mark     int64  `json:"mark,omitempty"`
}

// Removal is a set of files that one entry took out of the lake.
type Removal struct {
	N    int64     `json:"n"`
	Time time.Time `json:"time"`
	// Purge: delete as soon as no reader needs them, without the time in trash/.
	Purge bool `json:"purge,omitempty"`
	// Files has only the path where the lake never knew the file (an orphan).
	Files []File `json:"files"`
}

// Bytes is the sum over the removal's files.
func (r Removal) Bytes() int64 {
	var n int64
	for _, f := range r.Files {
		n += f.Bytes
	}
	return n
}

// Hold keeps files from being removed, whatever a policy says.
type Hold struct {
	Case     string   `json:"case"`
	Datasets []string `json:"datasets"`       // globs
	From     string   `json:"from,omitempty"` // first date, 2006-01-02; "" = all before
	To       string   `json:"to,omitempty"`   // last date, inclusive; "" = all after
	Released bool     `json:"released,omitempty"`
}

// Sorted returns the files in the order of their paths.
func (s *State) Sorted() []File {
	return slices.SortedFunc(maps.Values(s.Files), func(a, b File) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
}

// Totals returns how many files, rows and bytes the lake holds.
func (s *State) Totals() (files int, rows, bytes int64) {
	for _, f := range s.Files {
		rows += f.Rows
		bytes += f.Bytes
	}
	return len(s.Files), rows, bytes
}
