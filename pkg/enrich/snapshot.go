package enrich

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/intel"
)

// Snapshot is one immutable generation of a dimension.
type Snapshot struct {
	// Name of the dimension.
	Name string
	dimension.Stamp
	// Rows of the table; for a MaxMind database the number of its networks' tree nodes.
	Rows int
	// Keys that were indexed, and Duplicates of them that were left out because an earlier row has the key.
	Keys, Duplicates int

	dim *dimension.Dimension
	geo *geoFile   // instead of dim
	set *intel.Set // the index of dim, where its rows are indicators
	// confirmed is when the source last said that this is how things are, in nanoseconds since 1970; nil: a file, whose
	// own time counts.
	confirmed *atomic.Int64
}

// seen is the time from which the age of the answers counts.
func (s *Snapshot) seen() time.Time {
	if s.confirmed != nil {
		if t := time.Unix(0, s.confirmed.Load()); t.After(s.AsOf) {
			return t
		}
	}
	return s.AsOf
}

// newSnapshot indexes a table.
func newSnapshot(d *DimensionConfig, got *dimension.Fetched) (*Snapshot, error) {
	dim, err := dimension.Build(got.Table, d.shape())
	if err != nil {
		return nil, err
	}
	return snapshotOf(d, got.Stamp, dim)
}

func snapshotOf(d *DimensionConfig, stamp dimension.Stamp, dim *dimension.Dimension) (s *Snapshot, err error) {
	s = &Snapshot{Name: d.name, Stamp: stamp, Rows: dim.Rows(), Keys: dim.Keys, Duplicates: dim.Duplicates, dim: dim}
	if d.Intel != nil {
		s.set, err = intel.NewSet(dim.Table)
	}
	return s, err
}

// Column tells whether the dimension has the named column; of a MaxMind database, whether any of its records has that path.
func (s *Snapshot) Column(name string) bool {
	if s.geo != nil {
		return s.geo.has(name)
	}
	return s.dim.Column(name) >= 0
}

// columnList names the columns for a message: at most 60 of them.
func (s *Snapshot) columnList() string {
	var all []string
	if s.geo != nil {
		for p := range s.geo.paths {
			all = append(all, p)
		}
		slices.Sort(all)
	} else {
		all = s.dim.Columns()
	}
	if len(all) > 60 {
		return strings.Join(all[:60], ", ") + ", ..."
	}
	return strings.Join(all, ", ")
}
