package normalize

import (
	"bytes"
	"encoding/base64"

	"leat/pkg/event"
)

// base64Call decodes a text, or each text of a list (RFC 4648, either alphabet, with or without padding). What is none gives nothing.
func base64Call(r *runner, _ *call, v value) value {
	if v.kind != event.Array {
		start := len(r.mem)
		var ok bool
		if r.mem, ok = appendDecoded(r.mem, r.textOf(v)); !ok {
			return value{}
		}
		return text(r.mem[start:len(r.mem):len(r.mem)])
	}
	start := len(r.mem)
	r.mem = append(r.mem, '[')
	elementsOf(v, func(el value) bool {
		mark := len(r.mem)
		decoded, ok := appendDecoded(nil, r.textOf(el))
		if !ok {
			return true
		}
		if mark > start+1 {
			r.mem = append(r.mem, ',')
		}
		r.mem = event.AppendString(r.mem, decoded)
		return true
	})
	r.mem = append(r.mem, ']')
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.Array, json: true}
}

// appendDecoded appends what t decodes to; ok is false, and dst as it was, where t is no base64.
func appendDecoded(dst, t []byte) (out []byte, ok bool) {
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(t, "-_") {
		enc = base64.RawURLEncoding
	}
	out, err := enc.AppendDecode(dst, bytes.TrimRight(t, "="))
	if err != nil {
		return dst, false
	}
	return out, true
}
