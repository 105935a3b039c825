package detect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leat/pkg/event"
)

func parsedEvent(t testing.TB, line string) *event.Event {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSample(t *testing.T) {
	large := strings.Repeat("x", 3000)
	id, line := readSample(appendSample(nil, "the-rule", parsedEvent(t, `{"a":1}`)))
	if id != "the-rule" || string(line) != `{"a":1}` {
		t.Errorf("%s %s", id, line)
	}
	_, line = readSample(appendSample(nil, "r", parsedEvent(t,
		`{"z":"`+large+`","y":{"k":"v","l":"`+large+`"},"list":["`+large+`"],"e\"sc":{},"user":{"name":"anna"},"event":{"original":"`+large+`","id":"i"}}`)))
	if string(line) != `{"user":{"name":"anna"},"event":{"id":"i"},"y":{"k":"v"},"e\"sc":{}}` {
		t.Errorf("%s", line)
	}
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf(`"f%d":"%s"`, i, large[:200]))
	}
	_, line = readSample(appendSample(nil, "r", parsedEvent(t, `{`+strings.Join(many, ",")+`,"host":{"name":"h"}}`)))
	if len(line) > maxSampleLine+2*maxSampleText || !json.Valid(line) || !strings.HasPrefix(string(line), `{"host":{"name":"h"}`) {
		t.Errorf("%d bytes: %.100s", len(line), line)
	}
}

func TestExtract(t *testing.T) {
	e := parsedEvent(t, `{"user":{"Full Name":"Anna"},"list":[{"a":1},{"a":"Two"}],"n":null,"o":{"x":{"y":true}},"long":"`+strings.Repeat("Q", 300)+`","ip":["a","b"]}`)
	one := func(places ...string) fieldPlaces {
		f := fieldPlaces{name: places[0]}
		for _, p := range places {
			f.places = append(f.places, strings.Split(p, "."))
		}
		return f
	}
	for _, c := range []struct {
		fields []fieldPlaces
		want   string
	}{
		{[]fieldPlaces{one("user.FullName")}, "anna"},
		{[]fieldPlaces{one("list.a")}, "1 two"},
		{[]fieldPlaces{one("n", "o.x.y")}, "true"},
		{[]fieldPlaces{one("o.*.y")}, "true"},
		{[]fieldPlaces{one("none")}, "missing"},
		{[]fieldPlaces{one("n")}, "missing"},
		{[]fieldPlaces{one("ip"), one("list.a")}, "a/1 a/two b/1 b/two"},
		{nil, ""},
	} {
		var x extractor
		var got []string
		ok := x.each(e, c.fields, func(key []byte) { got = append(got, strings.Join(keyTexts(string(key), len(c.fields)), "/")) })
		if !ok {
			got = []string{"missing"}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %q, want %q", c.fields, got, c.want)
		}
	}
	var x extractor
	var keys []string
	for _, line := range []string{`{"a":"` + strings.Repeat("q", 300) + `"}`, `{"a":"` + strings.Repeat("Q", 300) + `"}`, `{"a":"` + strings.Repeat("q", 301) + `"}`, `{"a":"\u212a"}`, `{"a":"K"}`} {
		x.each(parsedEvent(t, line), []fieldPlaces{one("a")}, func(key []byte) { keys = append(keys, string(key)) })
	}
	if keys[0] != keys[1] || keys[0] == keys[2] || len(keys[0]) != 18 || keys[3] != keys[4] {
		t.Errorf("%q", keys)
	}
	// A field of many values is in so many groups at most.
	n := 0
	x.each(parsedEvent(t, `{"a":[`+strings.Join(slices.Repeat([]string{"1"}, 100), ",")+`]}`), []fieldPlaces{one("a"), one("a")}, func([]byte) { n++ })
	if n > maxCombos {
		t.Errorf("%d groups", n)
	}
}
