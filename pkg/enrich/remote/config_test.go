package remote

import (
	"strings"
	"testing"

	"leat/pkg/yamlfile"
)

func TestCheck(t *testing.T) {
	const get = "http: {url: 'https://h/{key}'}\n"
	for doc, want := range map[string]string{
		``:                                           "(whole)",
		get + `dns: {}`:                              "(whole)",
		get:                                          "",
		`dns: {}`:                                    "",
		`dns: {only: some}`:                          "dns.only",
		`dns: {server: 192.0.2.53}`:                  "",
		`dns: {server: '192.0.2.53:5353'}`:           "",
		`dns: {server: '2001:db8::53'}`:              "",
		`dns: {server: ns.example.test}`:             "dns.server",
		get + `timeout: -1s`:                         "timeout",
		get + `wait: -1s`:                            "wait",
		get + `ttl: -1s`:                             "ttl",
		get + `negative_ttl: -1s`:                    "negative_ttl",
		get + `max_stale: -1s`:                       "max_stale",
		get + `max_stale: 0s`:                        "",
		get + `jitter: 1`:                            "jitter",
		get + `jitter: .nan`:                         "jitter",
		get + `jitter: 0`:                            "",
		get + `batch: -1`:                            "batch",
		get + `concurrency: 1001`:                    "concurrency",
		get + `size: -1`:                             "size",
		get + `max_bytes: -1`:                        "max_bytes",
		get + `rate: -1`:                             "rate",
		get + `breaker: {failures: -1}`:              "breaker.failures",
		get + `breaker: {pause: -1s}`:                "breaker.pause",
		`http: {url: 'https://h/'}`:                  "http.url",
		`http: {url: 'https://h/{key}/{key}'}`:       "http.url",
		`http: {url: 'https://{key}.h/'}`:            "http.url",
		`http: {url: 'https://h/#{key}'}`:            "http.url",
		`http: {url: 'http://h.example.test/{key}'}`: "http.url",
		`http: {url: 'https://h/{key}', body: x}`:    "http.body",
		`http: {url: 'https://h/', method: POST, body: 'x'}`:                                                        "http.body",
		`http: {url: 'https://h/{key}', method: POST, body: '{keys}'}`:                                              "http.url",
		`http: {url: 'https://h/', method: POST, body: '{keys}', rows: a, key: b.c}`:                                "",
		`http: {url: 'https://h/', method: POST, body: '{keys}', row: a}`:                                           "http.row",
		`http: {url: 'https://h/{key}', row: 'a..b'}`:                                                               "http.row",
		`http: {url: 'https://h/{key}', max_bytes: -1}`:                                                             "http.max_bytes",
		`sql: {driver: sqlite, file: x, query: q, key: k}`:                                                          "",
		`sql: {driver: sqlite, file: x}`:                                                                            "sql.query,sql.key",
		`sql: {driver: nosql, query: q, key: k}`:                                                                    "sql.driver",
		`ldap: {url: 'ldaps://h', base: 'dc=x', filter: '(uid={key})', key: uid}`:                                   "",
		`ldap: {url: 'ldap://h.example.test', base: 'dc=x', filter: '(uid={key})', key: uid}`:                       "ldap.url",
		`ldap: {url: 'ldap://h.example.test', start_tls: true, base: 'dc=x', filter: '(uid={key})', key: uid}`:      "",
		`ldap: {url: 'ldaps://h', start_tls: true, base: 'dc=x', filter: '(uid={key})', key: uid}`:                  "ldap.start_tls",
		`ldap: {url: 'http://h', base: 'dc=x', filter: '(uid={key})', key: uid}`:                                    "ldap.url",
		`ldap: {url: 'ldaps://h', base: 'dc=x', filter: '(uid={key}', key: uid}`:                                    "ldap.filter",
		`ldap: {url: 'ldaps://h', base: 'dc=x', filter: '(uid=x)', key: uid}`:                                       "ldap.filter",
		`ldap: {url: 'ldaps://h', base: 'x', filter: '(uid={key})', key: uid}`:                                      "ldap.base",
		`ldap: {url: 'ldaps://h', base: 'dc=x', filter: '(uid={key})'}`:                                             "ldap.key",
		`ldap: {url: 'ldaps://h', bind: 'cn=x', base: 'dc=x', filter: '(uid={key})', key: uid}`:                     "ldap.bind",
		`ldap: {url: 'ldaps://h', bind: 'cn=x', password: plain, base: 'dc=x', filter: '(uid={key})', key: uid}`:    "ldap.password",
		`ldap: {url: 'ldaps://h', bind: 'cn=x', password: {env: X}, base: 'dc=x', filter: '(uid={key})', key: uid}`: "",
	} {
		var c Config
		if _, err := yamlfile.Decode("enrich.yaml", []byte(doc), &c); err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		var got []string
		for _, b := range c.Check() {
			if b.Key == "" {
				b.Key = "(whole)"
			}
			got = append(got, b.Key)
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %q; want %q", doc, got, want)
		}
	}
}

func TestOneKeyACall(t *testing.T) {
	for doc, want := range map[string]int{"http: {url: 'https://h/{key}'}": 1, "dns: {}": 1, "sql: {file: x, query: q, key: k}": 100,
		"http: {url: 'https://h/', method: POST, body: '{keys}'}\nbatch: 7": 7} {
		var c Config
		if _, err := yamlfile.Decode("enrich.yaml", []byte(doc), &c); err != nil {
			t.Fatal(err)
		}
		if bad := c.Check(); len(bad) > 0 || c.Batch != want {
			t.Errorf("%s: batch %d, %v; want %d", doc, c.Batch, bad, want)
		}
	}
}
