package database

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"leat/pkg/event"
)

// maxArray is how deep arrays may be nested (PostgreSQL's own limit).
const maxArray = 6

// appendCell appends a value of PostgreSQL, given as its text, as a JSON value; nothing where it stands for no value.
func (p *postgres) appendCell(dst []byte, oid uint32, text []byte) ([]byte, error) {
	elem := p.arrays[oid]
	if t, ok := p.conn.TypeMap().TypeForOID(oid); ok {
		if a, ok := t.Codec.(*pgtype.ArrayCodec); ok {
			elem = a.ElementType.OID
		}
	}
	if elem == 0 {
		return appendScalar(dst, oid, text)
	}
	a := arrayText{text: text, elem: elem}
	return a.append(dst)
}

func appendScalar(dst []byte, oid uint32, text []byte) ([]byte, error) {
	switch oid {
	case pgtype.BoolOID:
		return strconv.AppendBool(dst, string(text) == "t"), nil
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		if json.Valid(text) {
			return append(dst, text...), nil
		}
		return event.AppendString(dst, text), nil // NaN, Infinity
	case pgtype.JSONOID, pgtype.JSONBOID:
		return appendJSON(dst, text)
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		return appendTimestamp(dst, text), nil
	case pgtype.DateOID:
		if bytes.HasSuffix(text, []byte("infinity")) {
			return dst, nil
		}
	case pgtype.ByteaOID:
		text = bytes.TrimPrefix(text, []byte(`\x`))
	}
	if len(text) == 0 {
		return dst, nil
	}
	return event.AppendString(dst, text), nil
}

// appendJSON appends JSON in one line; null is no value.
func appendJSON(dst, text []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return dst, errors.New("a value that is not JSON")
	}
	if b.String() == "null" {
		return dst, nil
	}
	return append(dst, b.Bytes()...), nil
}

// appendTimestamp appends PostgreSQL's 2026-11-24 08:17:44.5+00 as RFC 3339. Without a zone it is UTC. infinity, the end of
// what has none, is no value.
func appendTimestamp(dst, text []byte) []byte {
	s := string(text)
	for _, layout := range []string{"2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999"} {
		t, err := time.Parse(layout, s)
		if err == nil {
			return appendTime(dst, t)
		}
	}
	if s == "infinity" || s == "-infinity" {
		return dst
	}
	return event.AppendString(dst, text) // before Christ, after 9999
}

// appendTime appends a time as RFC 3339 in UTC.
func appendTime(dst []byte, t time.Time) []byte {
	if y := t.Year(); y < 1678 || y > 2261 { // nanoseconds in an int64 end there
		return append(t.UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
	}
	return append(event.AppendTime(append(dst, '"'), t.UnixNano()), '"')
}

// appendFloat appends a number that keeps being one with a fraction: 3.0, not 3.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return event.AppendString(dst, strconv.FormatFloat(f, 'g', -1, 64))
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if !bytes.ContainsAny(dst[n:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendArray appends keys as the text of a text[] (PostgreSQL manual, 8.15.6). No key can end its own quotes.
func appendArray(dst []byte, keys []string) []byte {
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		for j := range len(k) {
			if k[j] == '"' || k[j] == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, k[j])
		}
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// arrayText reads the text of an array: {a,"b c",NULL,{d}} (PostgreSQL manual, 8.15.6).
type arrayText struct {
	text  []byte
	elem  uint32
	at    int
	depth int
	word  []byte
}

var errArray = errors.New("a value that is no array")

func (a *arrayText) append(dst []byte) ([]byte, error) {
	// Bounds that don't begin with one stand before the array: [0:1]={...}.
	if len(a.text) > 0 && a.text[0] == '[' {
		a.at = bytes.IndexByte(a.text, '=') + 1
	}
	dst, err := a.list(dst)
	if err == nil && a.at != len(a.text) {
		err = errArray
	}
	return dst, err
}

func (a *arrayText) list(dst []byte) ([]byte, error) {
	if a.depth++; a.depth > maxArray || a.at >= len(a.text) || a.text[a.at] != '{' {
		return dst, errArray
	}
	a.at++
	dst = append(dst, '[')
	if a.at < len(a.text) && a.text[a.at] == '}' {
		a.at++
		a.depth--
		return append(dst, ']'), nil
	}
	for {
		var err error
		if a.at < len(a.text) && a.text[a.at] == '{' {
			dst, err = a.list(dst)
		} else {
			dst, err = a.element(dst)
		}
		if err != nil {
			return dst, err
		}
		if a.at >= len(a.text) {
			return dst, errArray
		}
		end := a.text[a.at]
		a.at++
		switch end {
		case '}':
			a.depth--
			return append(dst, ']'), nil
		case ',', ';': // ; is box's
			dst = append(dst, ',')
		default:
			return dst, errArray
		}
	}
}

func (a *arrayText) element(dst []byte) ([]byte, error) {
	a.word = a.word[:0]
	quoted := a.at < len(a.text) && a.text[a.at] == '"'
	if quoted {
		a.at++
	}
	for ; a.at < len(a.text); a.at++ {
		c := a.text[a.at]
		if c == '\\' {
			if a.at++; a.at == len(a.text) {
				return dst, errArray
			}
			a.word = append(a.word, a.text[a.at])
			continue
		}
		if quoted && c == '"' {
			break
		}
		if !quoted && (c == ',' || c == '}' || c == ';') {
			break
		}
		a.word = append(a.word, c)
	}
	if quoted {
		if a.at == len(a.text) {
			return dst, errArray
		}
		a.at++
	} else if string(a.word) == "NULL" {
		return append(dst, "null"...), nil
	}
	n := len(dst)
	dst, err := appendScalar(dst, a.elem, a.word)
	if len(dst) == n && err == nil {
		if quoted && a.elem != pgtype.TimestamptzOID && a.elem != pgtype.TimestampOID {
			return append(dst, `""`...), nil
		}
		return append(dst, "null"...), nil
	}
	return dst, err
}
