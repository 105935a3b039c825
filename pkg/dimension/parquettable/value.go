package parquettable

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"leat/pkg/event"
)

// cellValue is a value of a leaf.
type cellValue = parquet.Value

// converter returns what appends the values of a leaf as JSON. The logical type says what a value means; files of old have
// the converted type in its place (parquet-format, LogicalTypes.md).
func converter(e *format.SchemaElement) func(dst []byte, v cellValue) []byte {
	scale := int(e.Scale.V)
	switch t := e.LogicalType.Value.(type) {
	case *format.TimestampType:
		return timestamps(unit(t.Unit))
	case *format.TimeType:
		return timesOfDay(unit(t.Unit))
	case *format.DateType:
		return appendDate
	case *format.DecimalType:
		return decimals(int(t.Scale))
	case *format.IntType:
		if !t.IsSigned {
			return appendUnsigned
		}
	case *format.JsonType:
		return appendJSON
	case *format.BsonType:
		return appendHex
	case *format.UUIDType:
		return appendUUID
	case *format.Float16Type:
		return appendHalf
	}
	if e.ConvertedType.Valid && e.LogicalType.Value == nil {
		switch e.ConvertedType.V {
		case deprecated.TimestampMillis:
			return timestamps(time.Millisecond)
		case deprecated.TimestampMicros:
			return timestamps(time.Microsecond)
		case deprecated.TimeMillis:
			return timesOfDay(time.Millisecond)
		case deprecated.TimeMicros:
			return timesOfDay(time.Microsecond)
		case deprecated.Date:
			return appendDate
		case deprecated.Decimal:
			return decimals(scale)
		case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
			return appendUnsigned
		case deprecated.Json:
			return appendJSON
		case deprecated.Bson, deprecated.Interval:
			return appendHex
		}
	}
	return appendPlain
}

func unit(u format.TimeUnit) time.Duration {
	if u.Value == nil {
		return time.Nanosecond
	}
	return u.Value.Duration()
}

// integer is the value of a leaf of one of the two integer types; 0 of others, which a broken schema has.
func integer(v cellValue) int64 {
	switch v.Kind() {
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		return v.Int64()
	}
	return 0
}

func appendPlain(dst []byte, v cellValue) []byte {
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32, parquet.Int64:
		return strconv.AppendInt(dst, integer(v), 10)
	case parquet.Float:
		return appendFloat(dst, float64(v.Float()), 32)
	case parquet.Double:
		return appendFloat(dst, v.Double(), 64)
	case parquet.Int96:
		// A time of old: nanoseconds of the day, and the Julian day, whose number 2440588 is 1970-01-01.
		i := v.Int96()
		ns := int64(i[0]) | int64(i[1])<<32
		return appendTime(dst, time.Unix((int64(i[2])-2440588)*86400, 0).Add(time.Duration(ns)))
	}
	b := v.ByteArray()
	if utf8.Valid(b) {
		return event.AppendString(dst, b)
	}
	return appendHex(dst, v)
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return event.AppendString(dst, strconv.FormatFloat(f, 'g', -1, 64))
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, bits)
	if !bytes.ContainsAny(dst[n:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendHalf appends an IEEE 754 half-precision number.
func appendHalf(dst []byte, v cellValue) []byte {
	b := v.ByteArray()
	if len(b) != 2 {
		return appendHex(dst, v)
	}
	h := binary.LittleEndian.Uint16(b)
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return appendFloat(dst, sign*math.Ldexp(frac, -24), 64)
	case 31:
		if frac != 0 {
			return appendFloat(dst, math.NaN(), 64)
		}
		return appendFloat(dst, math.Inf(int(sign)), 64)
	}
	return appendFloat(dst, sign*math.Ldexp(1024+frac, exp-25), 64)
}

func appendHex(dst []byte, v cellValue) []byte {
	return fmt.Appendf(dst, `"%x"`, v.ByteArray())
}

func appendUUID(dst []byte, v cellValue) []byte {
	b := v.ByteArray()
	if len(b) != 16 {
		return appendHex(dst, v)
	}
	return fmt.Appendf(dst, `"%x-%x-%x-%x-%x"`, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// appendJSON appends JSON in one line. What says to be JSON and is not, is text.
func appendJSON(dst []byte, v cellValue) []byte {
	raw := v.ByteArray()
	if !json.Valid(raw) {
		return event.AppendString(dst, raw)
	}
	if !bytes.ContainsAny(raw, "\r\n\t ") {
		return append(dst, raw...)
	}
	b := bytes.NewBuffer(dst)
	_ = json.Compact(b, raw) // it is valid
	return b.Bytes()
}

func appendUnsigned(dst []byte, v cellValue) []byte {
	switch v.Kind() {
	case parquet.Int32:
		return strconv.AppendUint(dst, uint64(uint32(v.Int32())), 10)
	case parquet.Int64:
		return strconv.AppendUint(dst, uint64(v.Int64()), 10)
	}
	return appendPlain(dst, v)
}

// appendDate appends days since 1970 as a date.
func appendDate(dst []byte, v cellValue) []byte {
	t := time.Unix(integer(v)*86400, 0).UTC()
	return append(t.AppendFormat(append(dst, '"'), time.DateOnly), '"')
}

func timestamps(u time.Duration) func([]byte, cellValue) []byte {
	per := int64(time.Second / u)
	return func(dst []byte, v cellValue) []byte {
		n := integer(v)
		sec, rest := n/per, n%per
		if rest < 0 {
			sec, rest = sec-1, rest+per
		}
		return appendTime(dst, time.Unix(sec, rest*int64(u)))
	}
}

// appendTime appends a time as RFC 3339 in UTC, as far as that has years.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1678 && y <= 2261 { // what an int64 has nanoseconds for
		return append(event.AppendTime(append(dst, '"'), t.UnixNano()), '"')
	}
	return append(t.AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
}

func timesOfDay(u time.Duration) func([]byte, cellValue) []byte {
	return func(dst []byte, v cellValue) []byte {
		t := time.Unix(0, 0).UTC().Add(time.Duration(integer(v)) * u)
		return append(t.AppendFormat(append(dst, '"'), "15:04:05.999999999"), '"')
	}
}

// maxScale bounds the zeros that a decimal is written with.
const maxScale = 1000

// decimals appends unscaled integers (big-endian two's complement where they are bytes) as numbers with all of their digits.
func decimals(scale int) func([]byte, cellValue) []byte {
	scale = min(max(scale, 0), maxScale)
	return func(dst []byte, v cellValue) []byte {
		var n big.Int
		switch v.Kind() {
		case parquet.Int32, parquet.Int64:
			n.SetInt64(integer(v))
		case parquet.ByteArray, parquet.FixedLenByteArray:
			b := v.ByteArray()
			if len(b) > 64 { // more than 150 digits is none of a decimal's
				return appendHex(dst, v)
			}
			if n.SetBytes(b); len(b) > 0 && b[0] >= 0x80 {
				n.Sub(&n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
		default:
			return appendPlain(dst, v)
		}
		digits := n.String()
		if n.Sign() < 0 {
			dst, digits = append(dst, '-'), digits[1:]
		}
		if scale == 0 {
			return append(dst, digits...)
		}
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		at := len(digits) - scale
		return append(append(append(dst, digits[:at]...), '.'), digits[at:]...)
	}
}
