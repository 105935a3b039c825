package evtx

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// The types of values (MS-EVEN6 section 2.2.12, ValueType).
const (
	typeNull     = 0x00
	typeString   = 0x01
	typeAnsi     = 0x02
	typeInt8     = 0x03
	typeUint8    = 0x04
	typeInt16    = 0x05
	typeUint16   = 0x06
	typeInt32    = 0x07
	typeUint32   = 0x08
	typeInt64    = 0x09
	typeUint64   = 0x0a
	typeReal32   = 0x0b
	typeReal64   = 0x0c
	typeBool     = 0x0d
	typeBinary   = 0x0e
	typeGUID     = 0x0f
	typeSizeT    = 0x10
	typeFileTime = 0x11
	typeSysTime  = 0x12
	typeSID      = 0x13
	typeHex32    = 0x14
	typeHex64    = 0x15
	typeBinXML   = 0x21
	typeXML      = 0x23
	arrayFlag    = 0x80
)

// since returns what was appended to text from an offset on.
func (d *document) since(from int) span { return span{int32(from), int32(len(d.text))} }

func (d *document) put(json string) span {
	from := len(d.text)
	d.text = append(d.text, json...)
	return d.since(from)
}

// addText adds UTF-16 text to the element n.
func (d *document) addText(n int32, text []byte) {
	from := len(d.text)
	d.text = appendUTF16(d.text, text)
	d.addValue(n, d.since(from), isString)
}

// addEntity adds the character that XML's entity name stands for; of others their name.
func (d *document) addEntity(n int32, name span) {
	text := map[string]string{"amp": `"&"`, "lt": `"<"`, "gt": `">"`, "quot": `"\""`, "apos": `"'"`}[string(d.bytes(name))]
	if text == "" {
		from := len(d.text)
		d.text = append(d.text, '"', '&')
		d.text = append(appendQuoted(d.text, bytes.Clone(d.bytes(name))), ';', '"')
		d.addValue(n, d.since(from), isString)
		return
	}
	d.addValue(n, d.put(text), isString)
}

// addTyped adds a value of some type to the element n.
func (d *document) addTyped(n int32, typ byte, b []byte) {
	from := len(d.text)
	k := isOther
	if typ&arrayFlag == 0 {
		d.text, k = appendScalar(d.text, typ, b)
	} else {
		d.text = appendArray(d.text, typ&^arrayFlag, b)
	}
	if k != isNull {
		d.addValue(n, d.since(from), k)
	}
}

// sizeOf is the size of a type whose values all have the same; 0: they have not.
func sizeOf(typ byte) int {
	switch typ {
	case typeInt8, typeUint8:
		return 1
	case typeInt16, typeUint16:
		return 2
	case typeInt32, typeUint32, typeReal32, typeBool, typeHex32:
		return 4
	case typeInt64, typeUint64, typeReal64, typeFileTime, typeHex64, typeSizeT:
		return 8
	case typeGUID, typeSysTime:
		return 16
	}
	return 0
}

// appendArray writes an array: strings end with NUL each, others are of their type's size. SIDs tell their own.
func appendArray(dst []byte, typ byte, b []byte) []byte {
	dst = append(dst, '[')
	for i := 0; len(b) > 0; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		n, skip := sizeOf(typ), 0
		switch {
		case typ == typeString:
			for n = 0; n+1 < len(b) && (b[n] != 0 || b[n+1] != 0); n += 2 {
			}
			skip = 2
		case typ == typeAnsi:
			if n = bytes.IndexByte(b, 0); n < 0 {
				n = len(b)
			}
			skip = 1
		case typ == typeSID && len(b) >= 8:
			n = 8 + 4*int(b[1])
		case n == 0:
			n = len(b)
		}
		n = min(n, len(b))
		var k kind
		if dst, k = appendScalar(dst, typ, b[:n]); k == isNull {
			dst = append(dst, `""`...)
		}
		b = b[min(n+skip, len(b)):]
	}
	return append(dst, ']')
}

// appendScalar writes one value as JSON. A value of no bytes is null, but for text.
func appendScalar(dst []byte, typ byte, b []byte) ([]byte, kind) {
	switch typ {
	case typeString, typeXML:
		return appendUTF16(dst, trimNUL(b)), isString
	case typeAnsi:
		return appendAnsi(dst, bytes.TrimRight(b, "\x00")), isString
	}
	if len(b) == 0 {
		return dst, isNull
	}
	switch typ {
	case typeInt8, typeInt16, typeInt32, typeInt64:
		u, bits := number(b)
		return strconv.AppendInt(dst, int64(u<<(64-bits))>>(64-bits), 10), isOther
	case typeUint8, typeUint16, typeUint32, typeUint64:
		u, _ := number(b)
		return strconv.AppendUint(dst, u, 10), isOther
	case typeReal32, typeReal64:
		return appendReal(dst, b)
	case typeBool:
		return strconv.AppendBool(dst, len(bytes.Trim(b, "\x00")) > 0), isOther
	}
	dst = append(dst, '"')
	switch {
	case typ == typeHex32 || typ == typeHex64 || typ == typeSizeT:
		u, _ := number(b)
		dst = strconv.AppendUint(append(dst, "0x"...), u, 16)
	case typ == typeGUID && len(b) == 16:
		dst = appendGUID(dst, b)
	case typ == typeSID && len(b) >= 8 && len(b) >= 8+4*int(b[1]):
		dst = appendSID(dst, b)
	case typ == typeFileTime && len(b) == 8:
		dst = appendFileTime(dst, binary.LittleEndian.Uint64(b))
	case typ == typeSysTime && len(b) == 16:
		dst = appendSystemTime(dst, b)
	default:
		// Binary, a type that nobody has described, or one with a size that it can't have: its bytes, as Windows shows them.
		n := len(dst)
		dst = hex.AppendEncode(dst, b)
		copy(dst[n:], bytes.ToUpper(dst[n:]))
	}
	return append(dst, '"'), isString
}

// number reads up to eight bytes, little endian.
func number(b []byte) (u uint64, bits int) {
	b = b[:min(len(b), 8)]
	for i, c := range b {
		u |= uint64(c) << (8 * i)
	}
	return u, 8 * len(b)
}

func appendReal(dst, b []byte) ([]byte, kind) {
	u, bits := number(b)
	f := math.Float64frombits(u)
	if bits == 32 {
		f = float64(math.Float32frombits(uint32(u)))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendQuote(dst, strconv.FormatFloat(f, 'g', -1, 64)), isString
	}
	return strconv.AppendFloat(dst, f, 'g', -1, max(32, min(bits, 64))), isOther
}

func appendGUID(dst, b []byte) []byte {
	le := binary.LittleEndian
	return fmt.Appendf(dst, "%08X-%04X-%04X-%X-%X", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// appendSID writes a SID in the form of MS-DTYP section 2.4.2.1.
func appendSID(dst, b []byte) []byte {
	dst = strconv.AppendUint(append(dst, "S-"...), uint64(b[0]), 10)
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	if dst = append(dst, '-'); authority < 1<<32 {
		dst = strconv.AppendUint(dst, authority, 10)
	} else {
		dst = fmt.Appendf(dst, "0x%012X", authority)
	}
	for i := range int(b[1]) {
		dst = strconv.AppendUint(append(dst, '-'), uint64(binary.LittleEndian.Uint32(b[8+4*i:])), 10)
	}
	return dst
}

// appendFileTime writes a count of 100 ns since 1601, with all its digits.
func appendFileTime(dst []byte, ft uint64) []byte {
	sec, rest := int64(ft/1e7), int64(ft%1e7)
	t := time.Unix(sec-fileTimeEpoch/1e7, rest*100).UTC()
	if t.Year() > 9999 {
		return strconv.AppendUint(dst, ft, 10) // no time that RFC 3339 can write
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.0000000Z")
}

// appendSystemTime writes a SYSTEMTIME: year, month, day of the week, day, hour, minute, second and milliseconds.
func appendSystemTime(dst, b []byte) []byte {
	at := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	return fmt.Appendf(dst, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", at(0), at(1), at(3), at(4), at(5), at(6), at(7))
}

// trimNUL takes the NULs from the end of UTF-16 text.
func trimNUL(b []byte) []byte {
	for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	return b
}

// appendUTF16 writes UTF-16 text, little endian, as a JSON string. A surrogate without its other half is escaped.
func appendUTF16(dst, b []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i+1 < len(b); i += 2 {
		u := rune(binary.LittleEndian.Uint16(b[i:]))
		switch {
		case u >= 0x20 && u < 0x80 && u != '"' && u != '\\':
			dst = append(dst, byte(u))
		case u == '"' || u == '\\':
			dst = append(dst, '\\', byte(u))
		case u == '\n':
			dst = append(dst, '\\', 'n')
		case u == '\r':
			dst = append(dst, '\\', 'r')
		case u == '\t':
			dst = append(dst, '\\', 't')
		case u < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, u)
		case !utf16.IsSurrogate(u):
			dst = utf8.AppendRune(dst, u)
		default:
			if i+3 < len(b) {
				if r := utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[i+2:]))); r != utf8.RuneError {
					dst, i = utf8.AppendRune(dst, r), i+2
					continue
				}
			}
			dst = fmt.Appendf(dst, `\u%04x`, u)
		}
	}
	return append(dst, '"')
}

// appendUTF8 writes UTF-16 text as UTF-8.
func appendUTF8(dst, b []byte) []byte {
	for i := 0; i+1 < len(b); i += 2 {
		u := rune(binary.LittleEndian.Uint16(b[i:]))
		if utf16.IsSurrogate(u) && i+3 < len(b) {
			if r := utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[i+2:]))); r != utf8.RuneError {
				u, i = r, i+2
			}
		}
		dst = utf8.AppendRune(dst, u)
	}
	return dst
}

// ansi are the characters of the code page 1252 where it is not ISO 8859-1.
const ansi = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

// appendAnsi writes text of the code page 1252, the one that most logs with such text were written under.
func appendAnsi(dst, b []byte) []byte {
	var buf [64]byte
	text := buf[:0]
	table := []rune(ansi)
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 && c < 0xa0 {
			r = table[c-0x80]
		}
		text = append(text, byte(r), byte(r>>8))
	}
	return appendUTF16(dst, text)
}
