package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/enrich/learn"
	"leat/pkg/enrich/remote"
	"leat/pkg/event"
	"leat/pkg/intel"
)

// generation is one state of everything that events are enriched from. It never changes, but for the caches of its
// geoReaders: each goroutine works on a generation of its own (fork).
type generation struct {
	dims  map[string]*Snapshot // nil: an optional one that is not there
	rules []*rule
	timed bool // some dimension's rows hold for a time
	asks  bool // some dimension is asked key by key
}

// rule is a RuleConfig bound to a snapshot.
type rule struct {
	name     string
	keys     []keyFields
	snap     *Snapshot
	geo      *geoReader
	learned  *learn.Table  // instead of snap
	remote   *remote.Cache // instead of snap
	asked    *asked
	fold     bool // of the keys of remote
	number   int
	matcher  *intel.Matcher // of snap, where its rows are indicators
	maxAge   time.Duration
	set      []assignment
	defaults []assignment
	unless   *event.Path
	policy   *RuleConfig
	spent    *atomic.Bool // the stream has waited for this generation; all clones know
	status   *event.Path
	version  *event.Path
}

// keyFields is a key of the event: one field, or several joined with text.
type keyFields struct {
	dimension.Template
	paths []event.Path
}

// assignment writes a column (or a constant) to a field.
type assignment struct {
	path event.Path
	col  int
	from event.Path // the column, of a row that was asked for
	raw  []byte     // the constant
}

// bind compiles c's rules against the snapshots, and against what sh learns and asks. Its errors are faults of enrich.yaml.
func (c *Config) bind(dims map[string]*Snapshot, sh *shared) (*generation, error) {
	g := &generation{dims: dims, timed: !sh.learned.none()}
	var faults []error
	for _, rc := range c.Rules {
		r, err := c.bindRule(rc, dims[rc.Dimension.value], sh)
		r.number = len(g.rules)
		g.asks = g.asks || r.remote != nil
		faults = append(faults, err)
		g.rules = append(g.rules, r)
		g.timed = g.timed || c.Dimensions[rc.Dimension.value].shape().Timed()
	}
	return g, errors.Join(faults...)
}

func (c *Config) bindRule(rc *RuleConfig, s *Snapshot, sh *shared) (*rule, error) {
	d := c.Dimensions[rc.Dimension.value]
	r := &rule{name: rc.Name, snap: s, policy: rc, maxAge: d.MaxAge, spent: new(atomic.Bool)}
	r.learned, r.remote, r.asked, r.fold = sh.learned.tables[d.name], sh.asked.caches[d.name], sh.asked, d.Fold
	if s != nil && s.set != nil {
		r.matcher = r.newMatcher()
	}
	var faults []error
	for _, k := range rc.Field {
		t, err := dimension.ParseTemplate(k.value)
		kf := keyFields{Template: t}
		for _, name := range t.Names {
			p, perr := event.ParsePath(name)
			err = errors.Join(err, perr)
			kf.paths = append(kf.paths, p)
		}
		if err != nil {
			faults = append(faults, c.file.At(k.at, "field %q: %v", k.value, err))
		}
		r.keys = append(r.keys, kf)
	}
	faults = append(faults, r.bindSet(c, rc), r.bindDefaults(c, rc))
	if rc.Unless.value != "" {
		p, err := event.ParsePath(rc.Unless.value)
		if err != nil {
			faults = append(faults, c.file.At(rc.Unless.at, "unless: %v", err))
		}
		r.unless = &p
	}
	if rc.Status {
		p := event.KeyPath("leat", "enrich", rc.Name)
		r.status = &p
	}
	if rc.Version {
		p := event.KeyPath("leat", "enrich_version", rc.Name)
		r.version = &p
	}
	return r, errors.Join(faults...)
}

func (r *rule) newMatcher() *intel.Matcher {
	return intel.NewMatcher(r.snap.set, intel.MatchOptions{Exact: r.policy.Exact, Related: r.policy.Related})
}

func (r *rule) bindSet(c *Config, rc *RuleConfig) error {
	var columns []string
	var faults []error
	put := func(field, column string) error {
		p, err := event.ParsePath(field)
		if err != nil {
			return err
		}
		if r.learned != nil {
			col := r.learned.Column(column)
			if col < 0 {
				return fmt.Errorf("dimension %q has no column %q; expected one of %s", rc.Dimension.value, column, strings.Join(r.learned.Columns(), ", "))
			}
			r.set = append(r.set, assignment{path: p, col: col})
			return nil
		}
		if r.remote != nil {
			col, err := event.ParsePath(column)
			r.set = append(r.set, assignment{path: p, from: col})
			return err
		}
		if r.snap == nil {
			return nil
		}
		if !r.snap.Column(column) {
			return fmt.Errorf("dimension %q has no column %q; expected one of %s", r.snap.Name, column, r.snap.columnList())
		}
		a := assignment{path: p, col: len(columns)}
		if r.snap.dim != nil {
			a.col = r.snap.dim.Column(column)
		}
		columns = append(columns, column)
		r.set = append(r.set, a)
		return nil
	}
	for _, p := range rc.Set {
		if err := put(p.key.value, target(p.value).Value); err != nil {
			faults = append(faults, c.file.At(p.value, "%v", err))
		}
	}
	if r.snap != nil && r.snap.dim != nil && r.snap.set == nil && len(rc.Set) == 0 {
		for _, p := range c.Dimensions[rc.Dimension.value].defaultSet(rc.Field[0].value) {
			if err := put(p[0], p[1]); err != nil {
				faults = append(faults, c.file.At(rc.Field[0].at, "%v", err))
			}
		}
	}
	if r.snap != nil && r.snap.geo != nil {
		if len(rc.Set) == 0 {
			faults = append(faults, r.bindGeo(c, rc, put))
		}
		r.geo = &geoReader{geo: r.snap.geo, columns: columns, cache: map[uintptr]int{}}
	}
	return errors.Join(faults...)
}

// bindGeo sets the fields of ECS below the key's parent: source.ip gives source.geo.* and source.as.*.
func (r *rule) bindGeo(c *Config, rc *RuleConfig, put func(field, column string) error) error {
	known := defaultGeo(r.snap.geo.db.Metadata.DatabaseType)
	if len(known) == 0 {
		return c.file.At(rc.Dimension.at, "no set, and no known fields for a database of type %q; expected set: {field: column}", r.snap.geo.db.Metadata.DatabaseType)
	}
	parent := ""
	if i := strings.LastIndexByte(rc.Field[0].value, '.'); i >= 0 {
		parent = rc.Field[0].value[:i+1]
	}
	for _, k := range known {
		if err := put(parent+k[0], k[1]); err != nil {
			return c.file.At(rc.Field[0].at, "%v", err)
		}
	}
	return nil
}

func (r *rule) bindDefaults(c *Config, rc *RuleConfig) error {
	var faults []error
	for _, d := range rc.Default {
		p, err := event.ParsePath(d.key.value)
		var v any
		if err == nil {
			err = d.value.Decode(&v)
		}
		raw, jerr := json.Marshal(v)
		if err = errors.Join(err, jerr); err != nil {
			faults = append(faults, c.file.At(d.value, "default of %q: %v", d.key.value, err))
			continue
		}
		r.defaults = append(r.defaults, assignment{path: p, raw: raw})
	}
	return errors.Join(faults...)
}

// fork returns a generation that another goroutine can work on at the same time.
func (g *generation) fork() *generation {
	out := &generation{dims: g.dims, timed: g.timed, asks: g.asks}
	for _, r := range g.rules {
		c := *r
		if c.geo != nil {
			c.geo = &geoReader{geo: r.geo.geo, columns: r.geo.columns, cache: map[uintptr]int{}}
		}
		if c.matcher != nil {
			c.matcher = r.newMatcher()
		}
		out.rules = append(out.rules, &c)
	}
	return out
}

// versions returns the version of each dimension; an absent one has none.
func (g *generation) versions() map[string]string {
	out := map[string]string{}
	for name, s := range g.dims {
		if s != nil {
			out[name] = s.Version
		}
	}
	return out
}
