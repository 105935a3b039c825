package intel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxObject bounds one JSON object of a feed.
const maxObject = 16 << 20

var errJSON = errors.New("not the JSON that was expected (a torn file?)")

// bounded ends a read where more than maxObject bytes belong to one object.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("an object of more than %d bytes", maxObject)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// eachObject calls f with each element of the list that the top level's object has under key, or of the list that is the top level. The
// element's bytes are f's until it returns. Only one element is in memory.
func eachObject(r io.Reader, key string, f func(raw []byte) error) error {
	b := &bounded{r, maxObject}
	d := json.NewDecoder(b)
	tok, err := d.Token()
	switch {
	case err != nil:
		return jsonError(err)
	case tok == json.Delim('['):
		return eachElement(d, b, f)
	case tok != json.Delim('{'):
		return errJSON
	}
	found := false
	var raw json.RawMessage
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		b.left = maxObject
		if name == key {
			if tok, err := d.Token(); err != nil {
				return jsonError(err)
			} else if tok != json.Delim('[') {
				return fmt.Errorf("%q is no list: %w", key, errJSON)
			}
			if err := eachElement(d, b, f); err != nil {
				return err
			}
			found = true
			continue
		}
		if err := d.Decode(&raw); err != nil {
			return jsonError(err)
		}
	}
	if _, err := d.Token(); err != nil {
		return jsonError(err)
	}
	if !found {
		return fmt.Errorf("no %q: %w", key, errJSON)
	}
	return nil
}

// eachElement reads the rest of a list.
func eachElement(d *json.Decoder, b *bounded, f func(raw []byte) error) error {
	var raw json.RawMessage
	for d.More() {
		b.left = maxObject
		raw = raw[:0]
		if err := d.Decode(&raw); err != nil {
			return jsonError(err)
		}
		if err := f(raw); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return jsonError(err)
}

// jsonError keeps the feed's bytes out of messages: of what can't be decoded it tells the place.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %w", syntax.Offset, errJSON)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errJSON
	}
	return err
}
