package intel

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{`feeds: [{name: a, file: a.txt}]`, ""},
		{`{feeds: [{name: a, taxii: "https://t.example/taxii2/", username: u, password_env: P, decay: {half_life: 30d, floor: 20}, ttl: 90d}], kinds: [url, domain-name]}`, ""},
		{`feeds: []`, "feeds: expected one feed"},
		{`feeds: [~]`, "feeds.0: expected a table"},
		{`feeds: [{file: a.txt}]`, "feeds.0.name: expected a name"},
		{`feeds: [{name: a, file: a.txt}, {name: a, file: b.txt}]`, `feeds.1.name: feed "a" is there twice`},
		{`feeds: [{name: a}]`, "feeds.0: expected one of file, url, taxii and misp"},
		{`feeds: [{name: a, file: a.txt, url: "https://x.example/a.txt"}]`, "feeds.0.url: expected one of"},
		{`feeds: [{name: a, url: "ftp://x.example/a.txt"}]`, "feeds.0.url: expected an URL"},
		{`feeds: [{name: a, url: "https://u:p@x.example/a.txt"}]`, "feeds.0.url: a name and password"},
		{`feeds: [{name: a, file: a.json}]`, "feeds.0.format: expected one of list"},
		{`feeds: [{name: a, file: a.json, format: stx}]`, `feeds.0.format: unknown format "stx"`},
		{`feeds: [{name: a, file: a.json, format: taxii}]`, "feeds.0.format: taxii needs"},
		{`feeds: [{name: a, misp: x, format: stix}]`, "feeds.0.format: expected misp"},
		{`feeds: [{name: a, file: a.csv, format: csv}]`, "feeds.0.columns: expected which"},
		{`feeds: [{name: a, file: a.csv, format: csv, columns: {indicator: x, y: z}}]`, `feeds.0.columns.y: unknown meaning`},
		{`feeds: [{name: a, file: a.txt, columns: {indicator: x}}]`, "feeds.0.columns: only the format csv"},
		{`feeds: [{name: a, file: a.txt, separator: ";"}]`, "feeds.0.separator: expected"},
		{`feeds: [{name: a, file: a.txt, collections: [x]}]`, "feeds.0.collections: only a TAXII"},
		{`feeds: [{name: a, file: a.txt, confidence: 101}]`, "feeds.0.confidence: expected 0 to 100"},
		{`feeds: [{name: a, file: a.txt, tlp: blue}]`, "feeds.0.tlp: unknown marking"},
		{`feeds: [{name: a, file: a.txt, decay: {floor: 101}}]`, "feeds.0.decay.half_life: expected"},
		{`feeds: [{name: a, file: a.txt, username: x}]`, "feeds.0.username: expected username together"},
		{`feeds: [{name: a, file: a.txt, username: x, password_env: y, password_file: z}]`, "feeds.0.password_env: expected one"},
		{`feeds: [{name: a, file: a.txt, headers: {authorization: x}}]`, "feeds.0.headers.authorization: a secret"},
		{`feeds: [{name: a, file: a.txt, headers: {"a b": x}}]`, "feeds.0.headers.a b: not a header"},
		{`feeds: [{name: a, file: a.txt, headers: {a: ""}}]`, "feeds.0.headers.a: no value"},
		{`feeds: [{name: a, url: "http://x.example/a.txt"}]`, "feeds.0.url: http:// to another machine"},
		{`feeds: [{name: a, url: "http://x.example/a.txt", insecure: true, headers: {Auth-Key: {env: K}}}]`, ""},
		{`{feeds: [{name: a, file: a.txt}], kinds: [ip]}`, `kinds.0: unknown kind "ip"`},
	} {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatalf("%s: %v", tt.yaml, err)
		}
		var got []string
		for _, x := range c.Check() {
			got = append(got, x.Key+": "+x.Message)
		}
		if all := strings.Join(got, "\n"); (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.yaml, all, tt.want)
		}
	}
}
