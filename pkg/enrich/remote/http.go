package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"leat/pkg/dimension"
	"leat/pkg/dimension/webclient"
	"leat/pkg/event"
)

// keyMark and keysMark stand for a key in a URL, and for an array of keys in a body.
const (
	keyMark  = "{key}"
	keysMark = "{keys}"
)

// HTTPConfig asks a web service: GET with one key in the URL, or POST with many in the body.
type HTTPConfig struct {
	// URL has {key} in its path or query (GET). With POST, Body has {keys}: a JSON array of texts.
	webclient.Config `yaml:",inline"`
	Body             string `yaml:"body"`
	// Row is the path of the row in the answer to a GET; empty: the answer is the row. An array's first element is it.
	Row string `yaml:"row"`
	// Rows is the path of the rows in the answer to a POST: an array of objects whose member Key says which one it is, or
	// an object whose names are the keys.
	Rows string `yaml:"rows"`
	Key  string `yaml:"key"`
	// Fold compares the keys of an answer without regard to case.
	Fold bool `yaml:"fold"`
	// MaxBytes bounds an answer; 0 = 8 MiB.
	MaxBytes int64 `yaml:"max_bytes"`
}

func (c *HTTPConfig) batched() bool { return c.Method == http.MethodPost }

// Check fills in what was left out and returns what is wrong.
func (c *HTTPConfig) Check() []dimension.Complaint {
	if c.Retries == nil {
		c.Retries = new(int) // the breaker and the next event try again
	}
	bad := c.Config.Check()
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	n := strings.Count(c.URL, keyMark)
	switch {
	case c.batched() && n > 0:
		add("url", "%s in the URL of a POST; expected %s in body", keyMark, keysMark)
	case c.batched() && strings.Count(c.Body, keysMark) != 1:
		add("body", "expected %s once in the body: an array of keys", keysMark)
	case !c.batched() && n != 1:
		add("url", "expected %s once in the path or query of the URL", keyMark)
	case !c.batched() && c.Body != "":
		add("body", "a body with GET; expected method: POST")
	}
	if u, err := url.Parse(c.URL); err == nil && (strings.Contains(u.Host, "{") || strings.Contains(u.Fragment, "{")) {
		add("url", "expected %s in the path or query of the URL", keyMark)
	}
	for _, p := range []struct {
		name, value string
		batched     bool
	}{{"row", c.Row, false}, {"rows", c.Rows, true}, {"key", c.Key, true}} {
		if p.value == "" {
			continue
		}
		if p.batched != c.batched() {
			add(p.name, "row belongs to GET, rows and key to POST")
		}
		if _, err := event.ParsePath(p.value); err != nil {
			add(p.name, "%v", err)
		}
	}
	if c.MaxBytes < 0 {
		add("max_bytes", "max_bytes below 0; expected a number of bytes")
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 8 << 20
	}
	return bad
}

func (c *HTTPConfig) open(env dimension.Env) (Backend, error) {
	cl, err := c.Config.Open(env.Base, rand.Float64)
	if err != nil {
		return nil, err
	}
	b := &httpBackend{cfg: *c, client: cl}
	// The path, as errors may tell it: with the mark, not with a key.
	if u, err := url.Parse(c.URL); err == nil {
		b.show = u.Path
	}
	return b, nil
}

type httpBackend struct {
	cfg    HTTPConfig
	client *webclient.Client
	show   string
}

func (b *httpBackend) Close() error {
	b.client.Close()
	return nil
}

// Lookup asks for one key by GET, or for all by POST.
func (b *httpBackend) Lookup(ctx context.Context, keys []string) (map[string][]byte, error) {
	if b.cfg.batched() {
		return b.post(ctx, keys)
	}
	out := map[string][]byte{}
	for _, k := range keys {
		row, err := b.get(ctx, k)
		if err != nil {
			return nil, err
		}
		if row != nil {
			out[k] = row
		}
	}
	return out, nil
}

func (b *httpBackend) get(ctx context.Context, key string) ([]byte, error) {
	u, ok := fill(b.cfg.URL, key)
	if !ok {
		return nil, nil
	}
	a, err := b.client.Do(ctx, webclient.Request{URL: u, Max: b.cfg.MaxBytes, Prefix: answerPrefix, Show: b.show})
	if err != nil {
		var st *webclient.StatusError
		if errors.As(err, &st) {
			switch st.Code {
			case http.StatusNotFound, http.StatusGone:
				return nil, nil
			}
		}
		return nil, blame(err)
	}
	if a.Status == http.StatusNoContent {
		return nil, nil
	}
	var e event.Event
	v, err := parseAnswer(&e, a.Body, b.cfg.Row)
	if err != nil {
		return nil, err
	}
	if v.Kind == event.Array {
		first := event.Value{}
		for el := range v.Elements {
			first = el
			break
		}
		v = first
	}
	switch v.Kind {
	case event.Missing, event.Null:
		return nil, nil
	case event.Object:
		return v.Raw, nil
	}
	return nil, fmt.Errorf("row %q is %s; expected an object", b.cfg.Row, v.Kind)
}

// blame is err, or ErrKeys where the status says that the request was not understood: that is the key's doing.
func blame(err error) error {
	var st *webclient.StatusError
	if errors.As(err, &st) {
		switch st.Code {
		case http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusUnprocessableEntity, http.StatusRequestHeaderFieldsTooLarge:
			return fmt.Errorf("%w: %w", ErrKeys, err)
		}
	}
	return err
}

// fill puts a key into a URL: every byte that is not a letter, a digit, - or _ or, between others, a dot is escaped, so that
// it ends neither a segment nor the path. Keys that a path means something else by (. and ..) fit none.
func fill(template, key string) (*url.URL, bool) {
	if strings.Trim(key, ".") == "" {
		return nil, false
	}
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	u, err := url.Parse(strings.Replace(template, keyMark, b.String(), 1))
	return u, err == nil
}

func (b *httpBackend) post(ctx context.Context, keys []string) (map[string][]byte, error) {
	list := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			list = append(list, ',')
		}
		list = event.AppendString(list, k)
	}
	body := bytes.Replace([]byte(b.cfg.Body), []byte(keysMark), append(list, ']'), 1)
	req := webclient.Request{URL: b.client.URL(), Body: body, Max: b.cfg.MaxBytes, Prefix: answerPrefix, Header: map[string]string{"Accept": "application/json"}}
	typed := false
	for name := range b.cfg.Headers {
		typed = typed || strings.EqualFold(name, "Content-Type")
	}
	if !typed {
		req.Header["Content-Type"] = "application/json"
	}
	a, err := b.client.Do(ctx, req)
	if err != nil {
		return nil, blame(err)
	}
	var e event.Event
	v, err := parseAnswer(&e, a.Body, b.cfg.Rows)
	if err != nil {
		return nil, err
	}
	m := newMatcher(keys, b.cfg.Fold)
	switch {
	case v.Kind == event.Object && b.cfg.Key == "":
		for key, row := range v.Members {
			if row.Kind == event.Object {
				m.add(string(event.AppendUnquoted(nil, key)), row.Raw)
			}
		}
	case v.Kind == event.Array && b.cfg.Key != "":
		for row := range v.Elements {
			key := row
			for name := range strings.SplitSeq(b.cfg.Key, ".") {
				key = key.Member(name)
			}
			if row.Kind == event.Object && (key.Kind == event.String || key.Kind == event.Number) {
				m.add(key.String(), row.Raw)
			}
		}
	default:
		return nil, fmt.Errorf("rows %q is %s; expected an array of objects with key, or an object without", b.cfg.Rows, v.Kind)
	}
	return m.rows, nil
}
