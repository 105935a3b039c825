package normalize

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
)

const mailMapping = `
name: acme.mail
when: {keys: {mailId: '*'}}
parse: json
fields:
  email.attachments:
    - each: 'parts[]'
      file.name: it.name
      file.size: it.size
      file.hash.md5: [it.md5, it.hash]
      file.mime_type: '"text/plain"'
    - file.name: onlyName
  threat.enrichments: {indicator.first_seen: seen, indicator.sightings: count, indicator.provider: '{who} & co'}
  dns.answers: {each: answers, data: it}
  source.geo.location: {lat: at.lat, lon: at.lon}
  destination.domain: headers[name~HOST].value
  host.name: ['headers[name=Host].value', 'headers[9].value', 'headers[1].value']
  user.roles: 'groups[].names[].n'
`

func TestObjects(t *testing.T) {
	s := New(Config{Mappings: mapping(t, mailMapping)})
	for _, c := range []struct{ name, in, field, want string }{
		{"of a list", `"parts":[{"name":"a","size":"7","md5":"m"},{"name":"b","hash":"h"}]`, "email.attachments",
			`[{"file":{"hash":{"md5":"m"},"mime_type":"text/plain","name":"a","size":7}},{"file":{"hash":{"md5":"h"},"mime_type":"text/plain","name":"b"}}]`},
		{"of lists in a list", `"parts":[[{"name":"a"}],[{"name":"b"}]]`, "email.attachments",
			`[{"file":{"mime_type":"text/plain","name":"a"}},{"file":{"mime_type":"text/plain","name":"b"}}]`},
		{"the next where the list is empty", `"parts":[],"onlyName":"z"`, "email.attachments", `[{"file":{"name":"z"}}]`},
		{"none", `"other":1`, "email.attachments", `null`},
		{"a value of the wrong type is left out", `"parts":[{"name":"a","size":"big"}]`, "email.attachments", `[{"file":{"mime_type":"text/plain","name":"a"}}]`},
		{"of the record, with a time", `"seen":"2026-01-02T03:04:05.000Z","count":2,"who":"x"`, "threat.enrichments",
			`[{"indicator":{"first_seen":"2026-01-02T03:04:05Z","provider":"x \u0026 co","sightings":2}}]`},
		{"a fraction stays", `"seen":"2026-01-02T03:04:05.120Z"`, "threat.enrichments", `[{"indicator":{"first_seen":"2026-01-02T03:04:05.120Z"}}]`},
		{"elements that are texts", `"answers":["192.0.2.1","a.example"]`, "dns.answers", `[{"data":"192.0.2.1"},{"data":"a.example"}]`},
		{"a point", `"at":{"lat":"1.5","lon":-2}`, "source.geo.location", `{"lat":1.5,"lon":-2}`},
		{"half a point is none", `"at":{"lat":"1.5"}`, "source.geo.location", `null`},
		{"lists of lists as one", `"groups":[{"names":[{"n":["a","b"]},{"n":[ ]},{"n":"c"}]}]`, "user.roles", `["a","b","c"]`},
		{"by a member in any case", `"headers":[{"name":"x"},{"name":"hoSt","value":"v"}]`, "destination.domain", `"v"`},
		{"in that case only", `"headers":[{"name":"host","value":"v"},{"value":"w"}]`, "host.name", `"w"`},
		{"of a single object", `"headers":{"name":"Host","value":"v"}`, "host.name", `"v"`},
		{"through two lists", `"groups":[{"names":[{"n":"a"},{"n":"b"}]},{"names":[{"n":"c"}]}]`, "user.roles", `["a","b","c"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := process(t, s, `{"mailId":1,`+c.in+`}`)
			got, err := json.Marshal(get(t, out[0], c.field))
			if err != nil || string(got) != c.want {
				t.Errorf("%s\n got %s\nwant %s\n of %s", c.in, got, c.want, out[0])
			}
		})
	}
}

func TestObjectsAreBounded(t *testing.T) {
	s := New(Config{Mappings: mapping(t, mailMapping)})
	out := process(t, s, `{"mailId":1,"parts":[`+strings.Repeat(`{"name":"a"},`, 2*maxObjects)+`{"name":"z"}]}`)
	if n := len(get(t, out[0], "email.attachments").([]any)); n != maxObjects {
		t.Errorf("%d objects, want %d", n, maxObjects)
	}
}

func TestObjectFaults(t *testing.T) {
	for in, want := range map[string]string{
		"source.ip: {a: b}": "only nested, object and geo_point fields take a table",
		"email.attachments: {each: '', file.name: it.a}": "empty source",
		"email.attachments: {file.name: it.a | nope}":    `unknown function "nope"`,
		"email.attachments: {file: a, file.name: b}":     "below a member that has a value",
		"email.attachments: {file.name: a, file: b}":     "there are members below it",
		"email.attachments: [{file.name: a}, [x]]":       "expected a text",
	} {
		_, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nparse: json\nfields:\n  " + in + "\n")})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.yaml:4:") {
			t.Errorf("%s: %v; want %q with its place", in, err, want)
		}
	}
}

// FuzzObjects builds objects of whatever JSON: the line that comes out is one JSON object.
func FuzzObjects(f *testing.F) {
	f.Add(`[{"name":"a","size":1}]`)
	f.Add(`[[1,{"name":{}}],"x",null]`)
	f.Add(`{"name":"\ud800"}`)
	s := New(Config{Mappings: mapping(f, mailMapping)})
	f.Fuzz(func(t *testing.T, list string) {
		if !json.Valid([]byte(list)) {
			t.Skip()
		}
		in := fmt.Sprintf(`{"mailId":1,"parts":%s,"answers":%s,"headers":%s,"groups":%s}`, list, list, list, list)
		for _, out := range process(t, s, wrapped(in)) {
			if !json.Valid([]byte(out)) || strings.ContainsAny(out, "\n\r") {
				t.Fatalf("%s\ngave %s", in, out)
			}
		}
	})
}

// wrapped is a record as ingest wraps it: with line feeds too.
func wrapped(record string) string {
	line, _ := event.AppendRecord([]byte(`{"event":{"id":"r1",`), []byte(record))
	return string(append(line, `}}`...))
}

// A line may hold carriage returns between its tokens; what comes out is one line wherever one reads it.
func TestCarriageReturnsBetweenTokens(t *testing.T) {
	s := New(Config{Mappings: mapping(t, mailMapping)})
	out := process(t, s, "{\"mailId\":1,\r\"x\":[1,\r2],\r\"y\":{\"a\":\r1},\"onlyName\":\r\"n\"}")
	if len(out) != 1 || strings.Contains(out[0], "\r") || !json.Valid([]byte(out[0])) {
		t.Errorf("got %q", out)
	}
}
