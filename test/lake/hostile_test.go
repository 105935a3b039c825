package lake

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// hostile are events that a schema does not foresee, by name. Each has its name in the field k.
func hostile() map[string]string {
	wide := make([]string, 10_000)
	for i := range wide {
		wide[i] = fmt.Sprintf(`"field_%d":{"v":%d}`, i, i)
	}
	deep := strings.Repeat(`{"d":`, 200) + `1` + strings.Repeat(`}`, 200)
	cases := map[string]string{
		"a new field":                `"linux":{"auth":{"method":"publickey","brand_new":true}}`,
		"a field where an object is": `"source":"10.0.0.1"`,
		"an object where a field is": `"message":{"text":"x"},"source":{"ip":{"v4":"10.0.0.1"}}`,
		"text where a number is":     `"source":{"port":"https","bytes":"12"},"event":{"severity":"high"}`,
		"a number where text is":     `"user":{"name":42,"id":1.50},"message":true`,
		"an array where a value is":  `"source":{"ip":["10.0.0.1","10.0.0.2"],"port":[443]},"message":["a","b"],"event":{"kind":["event"]}`,
		"a value where an array is":  `"tags":"one","event":{"category":"network","type":null},"host":{"ip":"10.0.0.1"}`,
		"nested arrays":              `"tags":[["a"],["b",{"c":[]}]],"related":{"ip":[1,null,"x"]}`,
		"empty things":               `"source":{},"tags":[],"message":"","user":{"name":null},"process":{"parent":{}}`,
		"bad times":                  `"@timestamp":"yesterday","event":{"created":12,"start":"2026-13-01T00:00:00Z","end":["2026-11-24T08:00:00.000Z"]}`,
		"odd times":                  `"@timestamp":"2026-11-24T10:17:44.123456789+02:00","event":{"created":"2026-11-24T08:17:44Z","start":"1677-01-01T00:00:00.000Z"}`,
		"far times":                  `"@timestamp":"9999-12-31T23:59:59.000Z"`,
		"old times":                  `"@timestamp":"1969-12-31T23:59:59.999Z"`,
		"huge numbers":               `"source":{"port":123456789012345678901234567890,"bytes":1e400},"event":{"risk_score":1e-400,"severity":-0,"duration":9223372036854775807},"n":-1e999`,
		"fine numbers":               `"event":{"risk_score":0.1},"x":3.141592653589793238462643383279,"y":1.10,"z":1E+2`,
		"odd floats":                 `"event":{"risk_score":1e-7},"a":1e21,"b":100000000000000000000`,
		"ten thousand fields":        strings.Join(wide, ","),
		"deep nesting":               `"deep":` + deep,
		"dots in keys":               `"source.ip":"10.0.0.9","a.b":{"c.d":1},"source":{"geo.city_name":"x"}`,
		"quotes in keys":             `"a\"b":1,"a'b":2,"a\\b":3,"":4,"\u0000":5,"\ud800":6,"-- ; DROP TABLE x":7`,
		"keys like columns":          `"rest":{"x":1},"dataset":"x","date":"2020-01-01","leat_row":1,"c0":2`,
		"text that steers":           `"message":"\u001b[31mred\u0000\u001a\ud83d \u202e","user":{"name":"\u001an1e5"}`,
		"markup and SQL":             `"message":"'; DROP VIEW events; --","user":{"name":"\" OR 1=1"}`,
		"two of one name":            `"message":"first","message":"second","source":{"ip":"1.1.1.1"},"source":{"ip":"2.2.2.2"}`,
		"a megabyte":                 `"message":"` + strings.Repeat("x", 3<<20) + `"`,
		"event is text":              `"event":"text"`,
		"a control key":              `"@leat ":{"mark":1}`,
	}
	for i, name := range []string{
		"../../../etc/passwd", "..", ".", "", "/", "a/b", `a\\b`, "a'b", `a\"b`, `a\u0000b`, `a\nb`, "A B", "_alerts", "_errors", "_other", "con", "a=b", "dataset=x",
		strings.Repeat("x", 4096), strings.Repeat("y", 64), strings.Repeat("z", 65), "ключ", `\ud800`, "😀", "%2e%2e%2f", "a@b", "*", "[a]", "$(id)", "-rf", " ", "x.parquet",
	} {
		cases[fmt.Sprintf("dataset %d", i)] = `"event":{"dataset":"` + name + `","kind":"event"},"message":"m"`
	}
	return cases
}

// TestNothingIsLost: whatever an event holds, it comes out as it went in, by leat and by every other engine; no reader breaks, and no file
// lies where an event says.
func TestNothingIsLost(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "l", "lake")
	if err := os.MkdirAll(filepath.Dir(lake), 0o700); err != nil {
		t.Fatal(err)
	}
	var all, once []string
	for name, body := range hostile() {
		line := fmt.Sprintf(`{"k":%q,%s}`, name, body)
		all = append(all, line)
		if name != "two of one name" {
			once = append(once, line)
		}
	}
	// Twice into the lake, in two commits: a type that one file has must not be the other's.
	persist(t, lake, all[:len(all)/2]...)
	persist(t, lake, all[len(all)/2:]...)
	t.Run("leat", func(t *testing.T) { same(t, "k", all, byLeat(t, lake)) })
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			var got []string
			for _, line := range byPython(t, lake, engine) {
				if key(t, "k", line) != "two of one name" { // a dict of Python has one of them
					got = append(got, line)
				}
			}
			same(t, "k", once, got)
		})
	}
	t.Run("paths", func(t *testing.T) { noEscape(t, filepath.Dir(lake)) })
	t.Run("json", func(t *testing.T) {
		out := split(run(t, "", program(t, "leat"), "query", "--lake", lake, "--json", "SELECT rest::JSON->>'k' AS k, * FROM everything"))
		if len(out) != len(all) {
			t.Errorf("%d rows, want %d", len(out), len(all))
		}
		for _, line := range out {
			key(t, "k", line)
		}
	})
}

var dataPath = regexp.MustCompile(`^lake/data(/dataset=[a-z0-9_.-]{1,64}(/date=\d{4}-\d\d-\d\d(/[0-9A-Z]{26}-\d+-\d+-\d+\.parquet)?)?)?$`)

// noEscape fails if there is anything beside the lake, or in its data folder that is no file of the lake.
func noEscape(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		rel = filepath.ToSlash(rel)
		if rel != "." && rel != "lake" && !strings.HasPrefix(rel, "lake/") || strings.HasPrefix(rel, "lake/data") && !dataPath.MatchString(rel) {
			t.Errorf("%s was made", rel)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
