package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// geoFile is a MaxMind database (MMDB 2.0): networks with records. A column is a path in the record with dots
// (country.iso_code, city.names.en).
type geoFile struct {
	db    *maxminddb.Reader
	paths map[string]bool // that were seen in a sample of the records
}

// sampleRecords is how many different records are looked at to learn which columns a database has.
const sampleRecords = 20_000

// loadGeo reads the database into memory, not by mmap: a file that is cut short under us would end the process.
func loadGeo(d *DimensionConfig) (*Snapshot, error) {
	data, stamp, err := fileSource{d}.read()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Name: d.name, Stamp: stamp}
	return s, s.openGeo(data)
}

func (s *Snapshot) openGeo(data []byte) error {
	db, err := maxminddb.OpenBytes(data)
	if err != nil {
		return fmt.Errorf("not a MaxMind database, or a broken one: %w", err)
	}
	s.geo = &geoFile{db: db, paths: map[string]bool{}}
	s.Rows = int(db.Metadata.NodeCount)
	seen := map[uintptr]bool{}
	for r := range db.Networks() {
		if err := r.Err(); err != nil {
			return fmt.Errorf("a broken MaxMind database: %w", err)
		}
		if seen[r.Offset()] {
			continue
		}
		seen[r.Offset()] = true
		var rec map[string]any
		if err := r.Decode(&rec); err != nil {
			return fmt.Errorf("a broken MaxMind database: %w", err)
		}
		flatten(rec, "", func(path string, _ any) { s.geo.paths[path] = true })
		if len(seen) == sampleRecords {
			break
		}
	}
	if s.Keys = len(seen); s.Keys == 0 {
		return errors.New("the MaxMind database has no records")
	}
	return nil
}

func (g *geoFile) has(column string) bool {
	if g.paths[column] {
		return true
	}
	// Known to be in GeoIP's records, though perhaps in none of the sample.
	known := defaultGeo(g.db.Metadata.DatabaseType)
	for _, p := range known {
		if p[1] == column {
			return true
		}
	}
	return false
}

// flatten calls leaf for each value of a record that is no map.
func flatten(rec map[string]any, prefix string, leaf func(path string, v any)) {
	for k, v := range rec {
		if m, ok := v.(map[string]any); ok {
			flatten(m, prefix+k+".", leaf)
		} else {
			leaf(prefix+k, v)
		}
	}
}

// geoReader looks addresses up for one goroutine and keeps the records that it decoded.
type geoReader struct {
	geo     *geoFile
	columns []string
	cache   map[uintptr]int
	cells   [][]byte // of the cached records, len(columns) each
}

// maxCached bounds a geoReader's memory; then it begins anew.
const maxCached = 1 << 16

// find returns the cached record of the address, or -1. The error says that the database is broken at that place.
func (g *geoReader) find(a netip.Addr) (int, error) {
	r := g.geo.db.Lookup(a)
	if !r.Found() {
		// Also an IPv6 address in an IPv4 database: its Err is no fault of the file.
		if err := r.Err(); err != nil && (a.Is4() || g.geo.db.Metadata.IPVersion == 6) {
			return -1, err
		}
		return -1, nil
	}
	if at, ok := g.cache[r.Offset()]; ok {
		return at, nil
	}
	var rec map[string]any
	if err := r.Decode(&rec); err != nil {
		return -1, err
	}
	if len(g.cache) >= maxCached {
		clear(g.cache)
		clear(g.cells)
		g.cells = g.cells[:0]
	}
	at := len(g.cells)
	g.cells = append(g.cells, make([][]byte, len(g.columns))...)
	flatten(rec, "", func(path string, v any) {
		for i, c := range g.columns {
			if c != path {
				continue
			}
			// Infinite numbers, which JSON can't say, are no value.
			if raw, err := json.Marshal(v); err == nil {
				g.cells[at+i] = raw
			}
		}
	})
	g.cache[r.Offset()] = at
	return at, nil
}

// defaultGeo returns the fields of ECS, below the key's parent, for the columns of a kind of database.
func defaultGeo(databaseType string) [][2]string {
	t := strings.ToLower(databaseType)
	var out [][2]string
	if strings.Contains(t, "city") || strings.Contains(t, "country") || strings.Contains(t, "enterprise") {
		out = append(out,
			[2]string{"geo.continent_code", "continent.code"}, [2]string{"geo.continent_name", "continent.names.en"},
			[2]string{"geo.country_iso_code", "country.iso_code"}, [2]string{"geo.country_name", "country.names.en"})
	}
	if strings.Contains(t, "city") || strings.Contains(t, "enterprise") {
		out = append(out,
			[2]string{"geo.city_name", "city.names.en"}, [2]string{"geo.postal_code", "postal.code"},
			[2]string{"geo.timezone", "location.time_zone"},
			[2]string{"geo.location.lat", "location.latitude"}, [2]string{"geo.location.lon", "location.longitude"})
	}
	if strings.Contains(t, "asn") || strings.Contains(t, "isp") || strings.Contains(t, "enterprise") {
		out = append(out,
			[2]string{"as.number", "autonomous_system_number"},
			[2]string{"as.organization.name", "autonomous_system_organization"})
	}
	return out
}
