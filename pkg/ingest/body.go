package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/tidwall/gjson"
)

// badBody is a fault of the sender: the same body will never be taken.
type badBody struct {
	status int
	text   string
}

func (e *badBody) Error() string { return e.text }

// body reads and decompresses a request's body, of max_body bytes at most. Of all senders together no more than some of the
// largest bodies are in memory. release gives that memory back.
func (l *httpListener) body(r *http.Request) (body []byte, release func(), status int, err error) {
	var held int64
	release = func() { l.memory.Add(-held) }
	most := int64(l.spec.opts.maxBody)
	in := io.Reader(http.MaxBytesReader(nil, r.Body, most))
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, release, http.StatusBadRequest, fmt.Errorf("gzip: %w", err)
		}
		defer z.Close()
		in = z
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, release, http.StatusBadRequest, fmt.Errorf("zstd: %w", err)
		}
		defer z.Close()
		in = z
	default:
		return nil, release, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q is none of gzip, zstd, identity", enc)
	}
	var large *http.MaxBytesError
	for {
		if len(body) == cap(body) {
			more := int64(max(16<<10, cap(body)))
			if l.memory.Add(more) > bodiesInMemory*most {
				l.memory.Add(-more)
				return nil, release, http.StatusTooManyRequests, errors.New("too many large requests at once; come again")
			}
			held += more
			body = append(make([]byte, 0, cap(body)+int(more)), body...)
		}
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most || errors.As(err, &large):
			return nil, release, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is longer than %d bytes (option max_body)", most)
		case errors.Is(err, io.EOF):
			return body, release, 0, nil
		case err != nil:
			return nil, release, http.StatusBadRequest, fmt.Errorf("read the body: %w", err)
		}
	}
}

// splitLines takes each line as a record. A body that says it is JSON is taken as such, where it is: the elements of an
// array, or one value over any number of lines.
func splitLines(body []byte, contentType string, add func(rec []byte) error) error {
	if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/json" && gjson.ValidBytes(body) {
		if v := gjson.ParseBytes(body); v.IsArray() {
			var err error
			v.ForEach(func(_, e gjson.Result) bool {
				err = add([]byte(e.Raw))
				return err == nil
			})
			return err
		}
		return add(bytes.TrimSpace(body))
	}
	for line := range bytes.Lines(body) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			if err := add(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// splitObjects takes each of the JSON objects that follow one another as a record, whole: what stands around a collector's
// event (time, host, sourcetype, fields) is part of it.
func splitObjects(body []byte, _ string, add func(rec []byte) error) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	for n := 0; ; n++ {
		var rec json.RawMessage
		err := dec.Decode(&rec)
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return &badBody{http.StatusBadRequest, "No data"}
		case err != nil || rec[0] != '{':
			return &badBody{http.StatusBadRequest, fmt.Sprintf("Invalid data format: event number %d is no JSON object", n)}
		}
		if err := add(rec); err != nil {
			return err
		}
	}
}

// splitBulk takes the documents of a bulk request as records. An action's line, which says where a document is to be indexed
// and under which id, is no part of it.
func splitBulk(body []byte, _ string, add func(rec []byte) error) error {
	number, document := 0, false
	for line := range bytes.Lines(body) {
		number++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case document:
			document = false
			if err := add(line); err != nil {
				return err
			}
		default:
			action, _, _ := strings.Cut(strings.TrimLeft(string(line), `{ "`), `"`)
			if !gjson.ValidBytes(line) || action != "index" && action != "create" {
				return &badBody{http.StatusBadRequest, fmt.Sprintf("line %d: expected an action index or create", number)}
			}
			document = true
		}
	}
	if document {
		return &badBody{http.StatusBadRequest, "the last action has no document"}
	}
	return nil
}

func answerPlain(status, records int, message string) (contentType, body string) {
	if status >= 300 {
		return "application/json", string(appendJSON([]byte(`{"error":`), message)) + "}\n"
	}
	return "application/json", fmt.Sprintf("{\"accepted\":%d}\n", records)
}

// answerHEC speaks as Splunk's HTTP event collector does, whose senders look at the code.
func answerHEC(status, _ int, message string) (contentType, body string) {
	code := map[int]int{http.StatusOK: 0, http.StatusUnauthorized: 4, http.StatusTooManyRequests: 9, http.StatusServiceUnavailable: 9}
	n, ok := code[status]
	switch {
	case message == "No data":
		n = 5
	case !ok:
		n = 6
	case status == http.StatusOK:
		message = "Success"
	}
	return "application/json", fmt.Sprintf(`{"text":%s,"code":%d}`, appendJSON(nil, message), n)
}

// answerBulk speaks as Elastic's bulk API does, whose senders look at the status of every document.
func answerBulk(status, records int, message string) (contentType, body string) {
	if status >= 300 {
		return "application/json", fmt.Sprintf(`{"error":{"type":"refused","reason":%s},"status":%d}`, appendJSON(nil, message), status)
	}
	const item = `{"create":{"status":201}}`
	items := strings.Repeat(item+",", records)
	return "application/json", `{"took":0,"errors":false,"items":[` + strings.TrimSuffix(items, ",") + `]}`
}

func appendJSON(dst []byte, s string) []byte {
	b, _ := json.Marshal(s) // of a string it can't fail
	return append(dst, b...)
}
