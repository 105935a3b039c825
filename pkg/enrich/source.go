package enrich

import (
	"time"

	"leat/pkg/dimension"
)

// opener is a source's part of the configuration.
type opener interface {
	Check() []dimension.Complaint
	Open(env dimension.Env) (dimension.Source, error)
}

// sourceKeys names the keys of the sources that are no files, for messages.
const sourceKeys = "ldap, sql, http, intel, learn or remote"

// opener returns the key and the configuration of the source of a dimension that is no file; nil: it is one.
func (d *DimensionConfig) opener() (key string, o opener) {
	switch {
	case d.LDAP != nil:
		return "ldap", d.LDAP
	case d.SQL != nil:
		return "sql", d.SQL
	case d.HTTP != nil:
		return "http", d.HTTP
	case d.Intel != nil:
		return "intel", d.Intel
	}
	return "", nil
}

// sources counts the places that a dimension is said to live at.
func (d *DimensionConfig) sources() int {
	n := 0
	for _, there := range []bool{d.File.value != "", d.LDAP != nil, d.SQL != nil, d.HTTP != nil, d.Intel != nil, d.Learn != nil, d.Remote != nil} {
		if there {
			n++
		}
	}
	return n
}

// defaults gives what a source says of its own table where the dimension says nothing.
func (d *DimensionConfig) defaults() {
	if d.Intel != nil && d.Interval == 0 {
		// A feed is asked at its own interval; but indicators fade and end meanwhile.
		d.Interval = time.Minute
	}
	if d.LDAP == nil {
		return
	}
	if len(d.Key) == 0 {
		for _, k := range d.LDAP.Keys() {
			d.Key = append(d.Key, text{value: k})
		}
	}
	if d.Interval == 0 {
		d.Interval = d.LDAP.Interval
	}
	// Names in a directory are compared without regard to case (RFC 4517, caseIgnoreMatch).
	d.Fold = true
}

// defaultSet returns what a rule without set writes for a key field: pairs of field and column.
func (d *DimensionConfig) defaultSet(field string) [][2]string {
	if d.LDAP != nil {
		return d.LDAP.DefaultSet(field)
	}
	return nil
}

// key names what a rule looks up, for messages.
func (r *RuleConfig) key() string {
	if len(r.Field) == 0 {
		return "indicators"
	}
	return r.Field[0].value
}

// live tells whether the dimension is no snapshot: it is learned from the stream, or asked key by key.
func (d *DimensionConfig) live() bool { return d.Learn != nil || d.Remote != nil }
