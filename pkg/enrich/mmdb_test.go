package enrich

import (
	"bytes"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// writeDB writes a real database with records for networks of documentation and private use.
func writeDB(t testing.TB, path, kind string, version int, records map[string]mmdbtype.Map) {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IPVersion: version, IncludeReservedNetworks: true, RecordSize: 28})
	if err != nil {
		t.Fatal(err)
	}
	width := func(cidr string) int {
		_, bits, _ := strings.Cut(cidr, "/")
		n, _ := strconv.Atoi(bits)
		return n
	}
	// A wider block would write over a narrower one in it.
	for _, cidr := range slices.SortedFunc(maps.Keys(records), func(a, b string) int { return width(a) - width(b) }) {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(n, records[cidr]); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func city(country, iso, name string, lat, lon float64) mmdbtype.Map {
	return mmdbtype.Map{
		"country":  mmdbtype.Map{"iso_code": mmdbtype.String(iso), "names": mmdbtype.Map{"en": mmdbtype.String(country), "de": mmdbtype.String("x")}},
		"city":     mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}},
		"location": mmdbtype.Map{"latitude": mmdbtype.Float64(lat), "longitude": mmdbtype.Float64(lon), "time_zone": mmdbtype.String("Europe/Dublin")},
	}
}

func geoDir(t testing.TB) string {
	dir := t.TempDir()
	writeDB(t, filepath.Join(dir, "city.mmdb"), "GeoIP2-City", 6, map[string]mmdbtype.Map{
		"192.0.2.0/24":     city("Ireland", "IE", "Dublin", 53.35, -6.25),
		"192.0.2.128/25":   city("Hungary", "HU", "Budapest", 47.5, 19.04),
		"2001:db8::/32":    city("Austria", "AT", "Vienna", 48.2, 16.37),
		"198.51.100.64/26": {"country": mmdbtype.Map{"iso_code": mmdbtype.String("PT")}},
	})
	writeDB(t, filepath.Join(dir, "asn.mmdb"), "GeoLite2-ASN", 4, map[string]mmdbtype.Map{
		"192.0.2.0/24": {"autonomous_system_number": mmdbtype.Uint32(64496), "autonomous_system_organization": mmdbtype.String("Example \"Net\"")},
	})
	return put(t, dir, "enrich.yaml", `dimensions:
  city: {file: city.mmdb}
  asn: {file: asn.mmdb}
rules:
  - {field: source.ip, dimension: city, status: true}
  - {field: source.ip, dimension: asn}
  - {field: destination.ip, dimension: city, name: dst, status: true, set: {destination.geo.country_iso_code: country.iso_code, x.lat: location.latitude}}
`)
}

func TestGeo(t *testing.T) {
	s := open(t, geoDir(t), Options{})
	for _, c := range []struct{ name, in, want string }{
		{"city and network", `{"source":{"ip":"192.0.2.7"}}`,
			`{"source":{"ip":"192.0.2.7","geo":{"country_iso_code":"IE","country_name":"Ireland","city_name":"Dublin","timezone":"Europe/Dublin","location":{"lat":53.35,"lon":-6.25}},"as":{"number":64496,"organization":{"name":"Example \"Net\""}}},"leat":{"enrich":{"city":"hit"}}}`},
		{"the longer prefix", `{"source":{"ip":"192.0.2.200"}}`, `"city_name":"Budapest"`},
		{"mapped IPv4", `{"source":{"ip":"::ffff:192.0.2.7"}}`, `"city_name":"Dublin"`},
		{"IPv6, which the other database can't have", `{"source":{"ip":"2001:db8::7"}}`, `"city_name":"Vienna"`},
		{"part of a record", `{"source":{"ip":"198.51.100.65"}}`, `{"source":{"ip":"198.51.100.65","geo":{"country_iso_code":"PT"}},"leat":{"enrich":{"city":"hit"}}}`},
		{"columns of one's own", `{"destination":{"ip":["fe80::1","192.0.2.200"]}}`,
			`{"destination":{"ip":["fe80::1","192.0.2.200"],"geo":{"country_iso_code":"HU"}},"x":{"lat":47.5},"leat":{"enrich":{"dst":"hit"}}}`},
		{"unknown", `{"source":{"ip":"203.0.113.1"}}`, `{"source":{"ip":"203.0.113.1"},"leat":{"enrich":{"city":"miss"}}}`},
		{"no address", `{"source":{"ip":"host.example"}}`, `{"source":{"ip":"host.example"},"leat":{"enrich":{"city":"miss"}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := one(t, s, c.in); !strings.Contains(got, c.want) {
				t.Errorf("\n in   %s\n got  %s\n want %s", c.in, got, c.want)
			}
		})
	}
}

func TestGeoColumns(t *testing.T) {
	dir := geoDir(t)
	put(t, dir, "enrich.yaml", "dimensions:\n  city: {file: city.mmdb}\nrules:\n  - {field: source.ip, dimension: city, set: {a: country.iso, b: postal.code}}\n")
	cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// postal.code is in no record, but known of databases of this type.
	_, err = New(cfg, Options{})
	if err == nil || !strings.Contains(err.Error(), `no column "country.iso"`) || strings.Contains(err.Error(), `"postal.code"`) {
		t.Errorf("%v", err)
	}
	writeDB(t, filepath.Join(dir, "city.mmdb"), "Private", 4, map[string]mmdbtype.Map{"10.0.0.0/8": {"a": mmdbtype.Bool(true)}})
	put(t, dir, "enrich.yaml", "dimensions:\n  city: {file: city.mmdb}\nrules:\n  - {field: source.ip, dimension: city}\n")
	if cfg, err = Load(filepath.Join(dir, "enrich.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err = New(cfg, Options{}); err == nil || !strings.Contains(err.Error(), `no known fields for a database of type "Private"`) {
		t.Errorf("%v", err)
	}
}

// TestBrokenGeo: whatever byte of a database is wrong, loading or looking up says so, or answers; nothing ends the stage.
func TestBrokenGeo(t *testing.T) {
	dir := geoDir(t)
	good, err := os.ReadFile(filepath.Join(dir, "city.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	in := `{"source":{"ip":"192.0.2.7"}}` + "\n" + `{"source":{"ip":"2001:db8::7"}}` + "\n"
	refused := 0
	try := func(data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "city.mmdb"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(cfg, Options{Fixed: true})
		if err != nil {
			refused++
			return
		}
		if got := lines(t, s, in); len(got) != 2 {
			t.Errorf("%d lines", len(got))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for at := 0; at < len(good); at += 1 + len(good)/300 {
		bad := bytes.Clone(good)
		bad[at] ^= 0xff
		try(bad)
		try(good[:at])
	}
	if refused < 300 {
		t.Errorf("only %d broken databases were refused", refused)
	}
}

// TestGeoCacheIsBounded: the records kept are dropped when there are too many, and the answers stay right.
func TestGeoCacheIsBounded(t *testing.T) {
	s := open(t, geoDir(t), Options{})
	g := s.gen.rules[0].geo
	for i := range uintptr(maxCached) {
		g.cache[1<<40+i] = 0
	}
	if got := one(t, s, `{"source":{"ip":"192.0.2.200"}}`); !strings.Contains(got, "Budapest") {
		t.Error(got)
	}
	if len(s.gen.rules[0].geo.cache) != 1 {
		t.Errorf("%d records are kept", len(g.cache))
	}
}
