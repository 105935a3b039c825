package remote

import (
	"errors"
	"strings"

	"leat/pkg/event"
)

// matcher files the rows of an answer under the keys that were asked for.
type matcher struct {
	fold bool
	keys map[string][]string // as they are compared
	rows map[string][]byte
}

func newMatcher(keys []string, fold bool) *matcher {
	m := &matcher{fold: fold, keys: map[string][]string{}, rows: map[string][]byte{}}
	for _, k := range keys {
		m.keys[m.form(k)] = append(m.keys[m.form(k)], k)
	}
	return m
}

func (m *matcher) form(key string) string {
	if m.fold {
		return strings.ToLower(key)
	}
	return key
}

// add takes a row that answers for key; the first one wins. A row that nobody asked for is left out.
func (m *matcher) add(key string, row []byte) {
	for _, k := range m.keys[m.form(key)] {
		if _, had := m.rows[k]; !had {
			m.rows[k] = row
		}
	}
}

var errJSON = errors.New("the answer is not JSON (torn, or a page for people?)")

// answerPrefix stands before an answer of JSON, to make it, whatever it is, a member of an object.
const answerPrefix = `{"v":`

// parseAnswer reads JSON behind answerPrefix, and finds the value at path (empty: the whole).
func parseAnswer(e *event.Event, body []byte, path string) (event.Value, error) {
	e.Reset(append(body, '}'))
	if e.Parse() != nil {
		return event.Value{}, errJSON
	}
	if e.Next(e.First(e.Root())) != event.None {
		return event.Value{}, errJSON
	}
	at := "v"
	if path != "" {
		at += "." + path
	}
	p, err := event.ParsePath(at)
	if err != nil {
		return event.Value{}, err
	}
	return e.Get(p), nil
}
