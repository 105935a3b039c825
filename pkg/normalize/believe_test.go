package normalize

import (
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// TestTimesThatAreNotBelieved holds the clock at 2026-11-24 08:00 UTC.
func TestTimesThatAreNotBelieved(t *testing.T) {
	m := mapping(t, "name: a.b\nwhen: {keys: {kind: '*'}}\nparse: json\ntime: [t, u]\n")
	builtin, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	const now = "2026-11-24T08:00:00.000Z"
	for name, c := range map[string]struct {
		in       string
		time     string
		told     any
		counter  string
		mappings *Mappings
	}{
		"as it says":            {`{"kind":1,"t":"2026-11-23T01:02:03Z"}`, "2026-11-23T01:02:03.000Z", nil, "", m},
		"an old one":            {`{"kind":1,"t":"1986-04-26T01:23:45Z"}`, "1986-04-26T01:23:45.000Z", nil, "", m},
		"ahead, but not far":    {`{"kind":1,"t":"2026-11-25T20:00:00Z"}`, "2026-11-25T20:00:00.000Z", nil, "", m},
		"too far ahead":         {`{"kind":1,"t":"2026-11-25T20:00:01Z"}`, now, "2026-11-25T20:00:01.000Z", "future", m},
		"a wrong year":          {`{"kind":1,"t":"2036-11-24T07:59:59Z"}`, now, "2036-11-24T07:59:59.000Z", "future", m},
		"a clock never set":     {`{"kind":1,"t":"1970-01-01T00:00:17Z"}`, now, "1970-01-01T00:00:17.000Z", "unset", m},
		"zero":                  {`{"kind":1,"t":"00000000"}`, now, "1970-01-01T00:00:00.000Z", "unset", m},
		"below zero":            {`{"kind":1,"t":-62135596800}`, now, nil, "missing", m}, // the year 1: out of what nanoseconds reach
		"the epoch of FAT":      {`{"kind":1,"t":"1980-01-01T00:00:00Z"}`, now, "1980-01-01T00:00:00.000Z", "unset", m},
		"the next source":       {`{"kind":1,"t":"1970-01-01T00:00:17Z","u":"2026-11-24T07:00:00Z"}`, "2026-11-24T07:00:00.000Z", "1970-01-01T00:00:17.000Z", "unset", m},
		"the header behind it":  {`<13>Nov 24 07:30:00 h p: {"kind":1,"t":"2036-01-01T00:00:00Z"}`, "2026-11-24T07:30:00.000Z", "2036-01-01T00:00:00.000Z", "future", m},
		"none":                  {`{"kind":1}`, now, nil, "missing", m},
		"none that can be read": {`{"kind":1,"t":"yesterday"}`, now, nil, "missing", m},
		"a header's, 1970":      {`<13>1970-01-01T00:00:05Z h p: x`, now, "1970-01-01T00:00:05.000Z", "unset", builtin},
		"a header's, ahead":     {`<13>1 2030-01-01T00:00:05Z h p 7 - - x`, now, "2030-01-01T00:00:05.000Z", "future", builtin},
		"no year":               {`<13>Nov 24 07:59:59 h p: x`, "2026-11-24T07:59:59.000Z", nil, "yearless", builtin},
		"no year, in December":  {`<13>Dec 31 23:59:59 h p: x`, "2025-12-31T23:59:59.000Z", nil, "yearless", builtin},
		"no year, leap day":     {`<13>Feb 29 01:00:00 h p: x`, "2024-02-29T01:00:00.000Z", nil, "yearless", builtin},
		"when ingest took it":   {`{"event":{"original":"{\"kind\":1,\"t\":\"1970-01-01T00:00:17Z\"}","ingested":"2026-11-24T06:00:00Z"}}`, "2026-11-24T06:00:00.000Z", "1970-01-01T00:00:17.000Z", "unset", m},
	} {
		counters := metrics.NewSet()
		s := New(Config{Mappings: c.mappings, Counters: counters, Now: func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) }})
		out := process(t, s, c.in)[0]
		if got := get(t, out, "@timestamp"); got != c.time {
			t.Errorf("%s: @timestamp %v, want %s", name, got, c.time)
		}
		if got := get(t, out, "leat.time"); got != c.told {
			t.Errorf("%s: leat.time %v, want %v", name, got, c.told)
		}
		for _, what := range []string{"yearless", "unset", "future", "missing"} {
			n := counters.GetOrCreateCounter(`leat_times_total{what="` + what + `"}`).Get()
			if want := what == c.counter; n > 0 != want && !(what == "yearless" && name == "the header behind it") {
				t.Errorf("%s: %d %s", name, n, what)
			}
		}
	}
}

func TestDoubtEndsWithTheRecord(t *testing.T) {
	m := mapping(t, "name: a.b\nwhen: {keys: {kind: '*'}}\nparse: json\ntime: t\n")
	out := process(t, New(Config{Mappings: m}), `{"kind":1,"t":"1970-01-01T00:00:17Z"}`, `{"kind":1,"t":"2020-01-01T00:00:17Z"}`)
	if get(t, out[0], "leat.time") == nil || get(t, out[1], "leat.time") != nil {
		t.Errorf("%s", out)
	}
}
