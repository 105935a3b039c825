package enrich

import (
	"leat/pkg/dimension"
)

// opener is a source's part of the configuration.
type opener interface {
	Check() []dimension.Complaint
	Open(env dimension.Env) (dimension.Source, error)
}

// sourceKeys names the keys of the sources that are no files, for messages.
const sourceKeys = "ldap, sql, http or intel"

// opener returns the key and the configuration of the source of a dimension that is no file; nil: it is one.
func (d *DimensionConfig) opener() (key string, o opener) {
	return "", nil
}

// sources counts the places that a dimension is said to live at.
func (d *DimensionConfig) sources() int {
	n := 0
	for _, there := range []bool{d.File.value != ""} {
		if there {
			n++
		}
	}
	return n
}
