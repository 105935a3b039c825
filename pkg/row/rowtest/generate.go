package rowtest

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// Event returns a random event as JSON: fields that have columns and others, with values of every kind, right and wrong
// for their field.
func Event(r *rand.Rand) []byte {
	g := generator{r: r}
	g.object(0)
	return []byte(g.b.String())
}

type generator struct {
	r *rand.Rand
	b strings.Builder
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// keys are names of columns, of objects around columns, of nothing, and ones that are hard to quote.
var keys = []string{
	"@timestamp", "message", "tags", "event", "user", "source", "destination", "host", "process", "geo", "as", "office", "os",
	"id", "kind", "dataset", "category", "type", "severity", "duration", "risk_score", "created", "name", "ip", "port", "number",
	"escaped", "leat", "rest", "date", "parent", "pid", "hash", "related", "threat", "technique", "city", "roles", "bytes",
	"", "a.b", "source.ip", `\u0000`, `\ud800`, `\u0075ser`, `\"`, `\\`, "ключ", "日本", `\u001a`, "c0", " ",
}

var strs = []string{
	`""`, `"a"`, `"10.0.0.1"`, `"\u0000"`, `"x\u0000y"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"\uD83D\uDE00 \ud83d"`, `"😀"`, `"\u001a"`,
	`"\u001an1"`, `"\u001A0000"`, `"\\u0000"`, `"\\\u0000"`, `"\\ud800"`, `"\\u001\ud800"`, `"\\\u001a"`, `"\"\\\/\b\f\n\r\t"`, `"null"`, `"true"`, `"false"`, `"12"`, `"-7"`, `"1.5"`, `"+1"`, `"Inf"`,
	`"NaN"`, `"0x1p-2"`, `"1_000"`, `"2026-11-24T08:17:44.123Z"`, `"2026-11-24T08:17:44.123456Z"`, `"2026-11-24T08:17:44.123456789Z"`,
	`"2026-11-24T08:17:44Z"`, `"2026-11-24T08:17:44.100000Z"`, `"2026-11-24T08:17:44.1Z"`, `"2026-11-24T10:17:44.123+02:00"`, `"2026-11-24 08:17:44.123Z"`,
	`"2016-12-31T23:59:60.000Z"`, `"1678-01-01T00:00:00.000Z"`, `"1969-12-31T23:59:59.999999999Z"`, `"9999-12-31T23:59:59.000Z"`, `"2026-13-01T00:00:00.000Z"`, `"2026-11-24T08:17:44.123z"`,
	`"alert"`, `"pipeline_error"`, `"event"`, `"../../etc"`, `"A B"`, `"lone \udfff end"`, `"\uffff"`, `"\ufffd"`, `"\u2028"`, `"'; DROP TABLE x; --"`,
}

var numbers = []string{
	"0", "-0", "1", "-1", "1.0", "1e3", "1E+3", "1e-3", "0.1", "-0.0", "0e0", "443", "65536", "9007199254740993", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e400", "-1e400", "1e-400", "5e-324", "1.7976931348623157e308", "1.7976931348623159e308", "21.5", "73.50",
	"100000000000000000000000000000", "3.141592653589793238462643383279", "1e21", "1e20", "123456789012345680000", "0.000001", "0.0000001", "1e-7", "2e2", "0.10", "1e0000000001",
}

func (g *generator) object(depth int) {
	g.b.WriteByte('{')
	n := g.r.IntN(6)
	if depth == 0 {
		n = g.r.IntN(14)
	}
	for i := range n {
		if i > 0 {
			g.b.WriteByte(',')
		}
		g.space()
		g.b.WriteString(`"` + pick(g.r, keys) + `"`)
		g.space()
		g.b.WriteByte(':')
		g.space()
		g.value(depth + 1)
	}
	g.b.WriteByte('}')
}

func (g *generator) space() {
	if g.r.IntN(20) == 0 {
		g.b.WriteString(pick(g.r, []string{" ", "\t", "  "}))
	}
}

func (g *generator) value(depth int) {
	switch k := g.r.IntN(20); {
	case k < 6:
		g.b.WriteString(pick(g.r, strs))
	case k < 10:
		g.number()
	case k < 14 && depth < 6:
		g.object(depth)
	case k < 17 && depth < 6:
		g.b.WriteByte('[')
		for i := range g.r.IntN(4) {
			if i > 0 {
				g.b.WriteByte(',')
			}
			if g.r.IntN(3) > 0 {
				g.b.WriteString(pick(g.r, strs))
			} else {
				g.value(depth + 1)
			}
		}
		g.b.WriteByte(']')
	case k == 17:
		g.b.WriteString("null")
	case k == 18:
		g.b.WriteString("true")
	default:
		g.b.WriteString("false")
	}
}

func (g *generator) number() {
	switch g.r.IntN(4) {
	case 0:
		g.b.WriteString(strconv.FormatInt(int64(g.r.Uint64()), 10))
	case 1:
		g.b.WriteString(strconv.FormatFloat(g.r.NormFloat64()*1e3, 'g', g.r.IntN(18)+1, 64))
	default:
		g.b.WriteString(pick(g.r, numbers))
	}
}
