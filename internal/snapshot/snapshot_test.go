package snapshot

import (
	"encoding/binary"
	"errors"
	"testing"
)

func TestReader(t *testing.T) {
	short := errors.New("short")
	b := []byte{7}
	b = binary.AppendUvarint(b, 300)
	b = binary.AppendVarint(b, -5)
	b = append(binary.AppendUvarint(b, 2), "ab"...)
	b = append(b, "rest"...)
	r := New(b, short)
	if r.Byte() != 7 || r.Uvarint() != 300 || r.Varint() != -5 || string(r.Bytes()) != "ab" || string(r.Take(4)) != "rest" || r.Err != nil || len(r.B) != 0 {
		t.Fatal(r)
	}
	// However much is missing, it is an error and not a text that is too short.
	for n := range len(b) {
		r := New(b[:n], short)
		r.Byte()
		r.Uvarint()
		r.Varint()
		r.Bytes()
		r.Take(4)
		if !errors.Is(r.Err, short) {
			t.Errorf("%d bytes: %v", n, r.Err)
		}
	}
	for name, read := range map[string]func(r *Reader){
		"more things than bytes": func(r *Reader) { r.Count(2) },
		"less than nothing":      func(r *Reader) { r.Take(-1) },
		"after an error":         func(r *Reader) { r.Fail(); r.Byte() },
	} {
		r := New([]byte{2, 0, 0}, short)
		if read(&r); r.Err != short || r.Uvarint() != 0 || r.Byte() != 0 || r.Bytes() != nil {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
}
