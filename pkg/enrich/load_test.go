package enrich

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configured is a checked configuration of one dimension.
func configured(t testing.TB, name, text string, change func(d *DimensionConfig)) *DimensionConfig {
	t.Helper()
	dir := put(t, "", name, text, "enrich.yaml", "dimensions:\n  d: {file: "+name+", key: k}\nrules:\n  - {field: f, dimension: d, set: {a: b}}\n")
	cfg, err := Load(filepath.Join(dir, "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d := cfg.Dimensions["d"]
	if change != nil {
		change(d)
	}
	return d
}

// rowsOf writes a table as text: columns, then rows, | between cells.
func rowsOf(s *Snapshot) string {
	out := []string{strings.Join(s.dim.Columns(), "|")}
	for row := range s.Rows {
		var cells []string
		for col := range s.dim.Columns() {
			cells = append(cells, string(s.dim.Cell(row, col)))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return strings.Join(out, "\n")
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		change           func(d *DimensionConfig)
		want             string
	}{
		{"csv", "a.csv", "k,v\n1,x\n2,\n", nil, "k|v\n\"1\"|\"x\"\n\"2\"|"},
		{"csv with a byte-order mark, CRLF and no last line feed", "a.csv", "\ufeffk,v\r\n1,x\r\n2,y", nil, "k|v\n\"1\"|\"x\"\n\"2\"|\"y\""},
		{"csv with quotes", "a.csv", "k,v\n1,\"a, \"\"b\"\"\nc\"\n", nil, "k|v\n\"1\"|\"a, \\\"b\\\"\\nc\""},
		{"semicolons", "a.csv", "k;v\n1;a,b\n", func(d *DimensionConfig) { d.Separator = ";" }, "k|v\n\"1\"|\"a,b\""},
		{"tabs", "a.tsv", "k\tv\n1\ta b\n", func(d *DimensionConfig) { d.Separator = "\t" }, "k|v\n\"1\"|\"a b\""},
		{"types", "a.csv", "k,n,b,j,s\n1,-0.50,true,\"[1,{\"\"a\"\":2}]\",7\n2,,,null,\n",
			func(d *DimensionConfig) {
				d.Types = map[string]string{"n": "number", "b": "bool", "j": "json", "s": "string"}
			},
			"k|n|b|j|s\n\"1\"|-0.50|true|[1,{\"a\":2}]|\"7\"\n\"2\"||||"},
		{"bytes that are not UTF-8", "a.csv", "k,v\n1,\xff\n", nil, "k|v\n\"1\"|\"\ufffd\""},
		{"ndjson, each with other members", "a.ndjson", "{\"k\":1,\"v\":[true]}\n\n{\"w\":{\"x\":1.50},\"k\":\"b\"}\n", nil,
			"k|v|w.x\n1|[true]|\n\"b\"||1.50"},
		{"json array", "a.json", " [ {\"k\":1,\"v\":null} , {\"k\":2,\"v\":\"é\"} ]\n", nil, "k|v\n1|\n2|\"é\""},
		{"of two members of one name the first", "a.json", `{"k":1,"k":2}`, nil, "k\n1"},
		{"list", "a.txt", "# bad\n198.51.100.7\n\n  evil.example \n", func(d *DimensionConfig) { d.Key = names{{value: "value"}} },
			"value\n\"198.51.100.7\"\n\"evil.example\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := loadDimension(configured(t, c.file, c.text, c.change))
			if err != nil {
				t.Fatal(err)
			}
			if got := rowsOf(s); got != c.want {
				t.Errorf("\n got  %q\n want %q", got, c.want)
			}
		})
	}
}

func TestLoadFaults(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		change           func(d *DimensionConfig)
		want             []string
	}{
		{"empty file", "a.csv", "", nil, []string{"empty"}},
		{"only a header line", "a.csv", "k,v\n", nil, []string{"no rows"}},
		{"only a byte-order mark", "a.csv", "\ufeff", nil, []string{"no header"}},
		{"torn in a row", "a.csv", "k,v,w\n1,secret,c\n2,se", nil, []string{"line 3", "columns", "torn"}},
		{"torn in quotes", "a.csv", "k,v\n1,\"secret", nil, []string{"line 2", "torn"}},
		{"bare quote", "a.csv", "k,v\n1,a\"secret\n", nil, []string{"line 2", "quoted"}},
		{"a column twice", "a.csv", "k,v,k\n1,a,2\n", nil, []string{"line 1", "column 3"}},
		{"a column without name", "a.csv", "k,,w\n1,a,2\n", nil, []string{"column 2"}},
		{"a wrong separator", "a.csv", "k;v\n1;secret\n", nil, []string{`no key column "k"`, `"k;v"`}},
		{"no number", "a.csv", "k,v\n1,secret\n", func(d *DimensionConfig) { d.Types = map[string]string{"v": "number"} }, []string{"line 2", `"v"`, "no number"}},
		{"no bool", "a.csv", "k,v\n1,1\n", func(d *DimensionConfig) { d.Types = map[string]string{"v": "bool"} }, []string{"no bool"}},
		{"two values", "a.csv", "k,v\n1,\"1,\"\"v\"\":2\"\n", func(d *DimensionConfig) { d.Types = map[string]string{"v": "json"} }, []string{"no json"}},
		{"duplicate keys", "a.csv", "k,v\n1,a\n2,b\n1,c\n", func(d *DimensionConfig) { d.Duplicates = "error" }, []string{"rows 1 and 3", "same key"}},
		{"no key anywhere", "a.csv", "k,v\n,a\n ,b\n", nil, []string{"no row has a key"}},
		{"too many rows", "a.csv", "k\n1\n2\n3\n", func(d *DimensionConfig) { d.MaxRows = 2 }, []string{"max_rows (2)"}},
		{"too many objects", "a.json", "{\"k\":1}\n{\"k\":2}\n", func(d *DimensionConfig) { d.MaxRows = 1 }, []string{"max_rows (1)"}},
		{"too long a list", "a.txt", "a\nb\n", func(d *DimensionConfig) { d.MaxRows = 1 }, []string{"max_rows (1)"}},
		{"too many bytes", "a.csv", "k\n1234567890\n", func(d *DimensionConfig) { d.MaxBytes = 5 }, []string{"13 bytes", "max_bytes is 5"}},
		{"torn json line", "a.ndjson", "{\"k\":1}\n{\"k\":\"sec", nil, []string{"line 2", "torn"}},
		{"torn json array", "a.json", "[{\"k\":1},{\"k\":\"sec", nil, []string{"torn"}},
		{"an array of numbers", "a.json", "[1,2]", nil, []string{"row 1", "not a JSON object"}},
		{"an empty array", "a.json", "[]", nil, []string{"no rows"}},
		{"no block", "a.csv", "k\n10.0.0.0/8\nsecret\n", func(d *DimensionConfig) { d.Join = "cidr" }, []string{"row 2", "no CIDR block"}},
		{"equal blocks", "a.csv", "k\n10.0.0.0/8\n10.1.0.0/8\n", func(d *DimensionConfig) { d.Join, d.Duplicates = "cidr", "error" }, []string{"1 ranges are there twice"}},
		{"a mapped block that is too wide", "a.csv", "k\n::ffff:0:0/90\n", func(d *DimensionConfig) { d.Join = "cidr" }, []string{"/96"}},
		{"UTF-16", "a.csv", "\xff\xfek\x00,\x00v\x00\n\x00", nil, []string{"UTF-16"}},
		{"gzip", "a.csv", "\x1f\x8b\x08\x00", nil, []string{"compressed (gzip)"}},
		{"a workbook", "a.csv", "PK\x03\x04", nil, []string{"Excel workbook"}},
		{"Parquet by another name", "a.csv", "PAR1", nil, []string{"format: parquet"}},
		{"no database", "a.mmdb", "", func(d *DimensionConfig) { d.Key = nil }, []string{"empty"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasSuffix(c.file, ".mmdb") {
				d := configured(t, "a.csv", c.text, nil)
				d.Format = "mmdb"
				checkFault(t, d, c.want)
				return
			}
			checkFault(t, configured(t, c.file, c.text, c.change), c.want)
		})
	}
}

// checkFault loads d, which must fail with a message that has all of want, the file's name, and no value of the file.
func checkFault(t *testing.T, d *DimensionConfig, want []string) {
	t.Helper()
	s, err := loadDimension(d)
	if err == nil {
		t.Fatalf("no fault found: %d rows", s.Rows)
	}
	for _, w := range append(want, d.name, d.path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("private data in a message: %v", err)
	}
}

func TestFileFaults(t *testing.T) {
	d := configured(t, "a.csv", "k\n1\n", nil)
	d.path = filepath.Dir(d.path)
	checkFault(t, d, []string{"not a regular file"})
	d.path = filepath.Join(d.path, "none.csv")
	checkFault(t, d, []string{"no such file"})
	// Two GiB that take no space: refused by their size, unread.
	f, err := os.Create(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(2 << 30); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	checkFault(t, d, []string{"2147483648 bytes", "max_bytes"})
}

// TestColumnsAreBounded: a file whose every row brings new members is a mistake, not a table.
func TestColumnsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 4097 {
		b.WriteString(`{"k` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + `":1}` + "\n")
	}
	checkFault(t, configured(t, "a.json", b.String(), nil), []string{"columns"})
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{people, "k;v\n\"1\";\"a\n\"\n", "[{\"k\":1,\"v\":{\"w\":[]}}]", "{\"k\":\"\\ud800\"}\n{\"k\":[1,2]}", "10.0.0.0/8\n::/0\n# x\n", "k,l\n1.2.3.4,1.2.3.9\n5,9\n"} {
		for i := range 12 {
			f.Add([]byte(s), uint8(i))
		}
	}
	path := filepath.Join(f.TempDir(), "f")
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		d := &DimensionConfig{name: "d", path: path, MaxRows: 1000, MaxBytes: 1 << 20, Duplicates: "first", Separator: ",", Fold: kind&1 != 0}
		d.Format = []string{"csv", "json", "list", "mmdb"}[kind>>1&3]
		d.Join = []string{"exact", "cidr", "range"}[int(kind>>3)%3]
		d.Key = names{{value: "k"}, {value: "l"}}
		if d.Format == "list" {
			d.Key = names{{value: listColumn}, {value: listColumn}}
		}
		s, err := loadDimension(d)
		if err != nil {
			return
		}
		if s.Rows == 0 || s.Keys == 0 {
			t.Fatalf("%d rows and %d keys were taken", s.Rows, s.Keys)
		}
		if s.dim == nil {
			return
		}
		for row := range s.Rows {
			for col := range s.dim.Columns() {
				if cell := s.dim.Cell(row, col); len(cell) > 0 {
					if _, err := parseValue(cell); err != nil {
						t.Fatalf("cell %q is no JSON", cell)
					}
				}
			}
		}
	})
}
