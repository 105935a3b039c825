package intel

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// record is one line of a CSV file, by its columns' names.
type record struct {
	at     map[string]int
	fields []string
}

func (r *record) get(name string) string {
	if at, ok := r.at[name]; ok && at < len(r.fields) {
		return strings.TrimSpace(r.fields[at])
	}
	return ""
}

// list splits a cell of words with commas between; "None" and "null" are none.
func (r *record) list(dst []string, name string) []string {
	for w := range strings.SplitSeq(r.get(name), ",") {
		if w = strings.TrimSpace(w); w != "" && w != "None" && w != "null" {
			dst = append(dst, w)
		}
	}
	return dst
}

// word is get without the words for nothing.
func (r *record) word(name string) string {
	switch s := r.get(name); s {
	case "None", "none", "null", "n/a", "N/A", "-":
		return ""
	default:
		return s
	}
}

// eachRecord reads a CSV file whose comments begin with #. columns are its columns where its header is a comment, nil: the first line has
// them. A line that can't be read is counted and skipped.
func eachRecord(r io.Reader, columns []string, separator rune, t *intake, f func(rec *record)) error {
	rec := record{at: map[string]int{}}
	name := func(list []string) {
		clear(rec.at)
		for i, c := range list {
			rec.at[strings.TrimSpace(c)] = i
			rec.at[strconv.Itoa(i+1)] = i
		}
	}
	name(columns)
	return eachLine(r, func(line []byte) error {
		if len(line) == 0 || line[0] == '#' {
			return nil
		}
		fields, err := splitCSV(line, separator)
		if err != nil {
			t.counts.Records++
			t.counts.Malformed++
			return nil
		}
		if columns == nil {
			columns = fields
			name(columns)
			return nil
		}
		rec.fields = fields
		f(&rec)
		return nil
	})
}

// splitCSV splits a line. Quotes may be followed by space, as abuse.ch writes them.
func splitCSV(line []byte, separator rune) ([]string, error) {
	if len(line) >= maxLine {
		return nil, errors.New("line too long")
	}
	c := csv.NewReader(strings.NewReader(string(line)))
	c.Comma, c.TrimLeadingSpace, c.FieldsPerRecord = separator, separator != '\t', -1
	return c.Read()
}

// csvMeanings are the keys of Feed.Columns.
func csvMeanings() []string {
	return []string{"indicator", "kind", "confidence", "valid_from", "valid_to", "first_seen", "last_seen", "provider", "reference", "description",
		"tlp", "tags", "id", "name", "severity"}
}

// readCSV reads a CSV file by the columns that the configuration names.
func readCSV(r io.Reader, t *intake) error {
	separator := ','
	if s := t.feed.Separator; s == "tab" {
		separator = '\t'
	} else if s != "" {
		separator = rune(s[0])
	}
	var columns []string
	if isNumber(t.feed.Columns["indicator"]) {
		columns = []string{}
		for n := range 64 {
			columns = append(columns, strconv.Itoa(n+1))
		}
	}
	checked := columns != nil
	var missing error
	err := eachRecord(r, columns, separator, t, func(rec *record) {
		if missing != nil {
			return
		}
		if !checked {
			checked = true
			for meaning, column := range t.feed.Columns {
				if _, ok := rec.at[column]; !ok {
					missing = fmt.Errorf("no column %q (for %s)", column, meaning)
					return
				}
			}
		}
		t.fromCSV(rec)
	})
	return errors.Join(err, missing)
}

func (t *intake) fromCSV(rec *record) {
	i := t.record()
	get := func(meaning string) string {
		if c := t.feed.Columns[meaning]; c != "" {
			return rec.get(c)
		}
		return ""
	}
	i.value = append(i.value, get("indicator")...)
	if k := get("kind"); k != "" {
		if i.kind = kindOf(strings.ToLower(k)); i.kind == Unknown {
			i.kind = mispKind(strings.ToLower(k))
		}
	}
	if n, err := strconv.Atoi(get("confidence")); err == nil && n >= 0 {
		i.confidence = n
	}
	if n, err := strconv.Atoi(get("severity")); err == nil && n >= 0 {
		i.severity = n
	}
	i.validFrom, i.validTo = parseTime(get("valid_from")), parseTime(get("valid_to"))
	i.firstSeen, i.lastSeen = parseTime(get("first_seen")), parseTime(get("last_seen"))
	i.provider, i.reference, i.description = get("provider"), get("reference"), get("description")
	i.id, i.name, i.tlp = get("id"), get("name"), tlpOf(get("tlp"))
	if c := t.feed.Columns["tags"]; c != "" {
		i.tags = rec.list(i.tags, c)
	}
	t.put(i)
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// parseTime reads the times that feeds write: RFC 3339, "2006-01-02 15:04:05" with or without UTC behind it, a date, seconds since 1970.
// 0: it is none.
func parseTime(s string) int64 {
	s = strings.TrimSuffix(strings.TrimSpace(s), " UTC")
	if len(s) == len("2006-01-02") && s[4] == '-' {
		s += "T00:00:00"
	}
	if ns, ok := event.ParseTime([]byte(s)); ok {
		return ns
	}
	if len(s) >= len("2006-01-02T15:04:05") {
		if ns, ok := event.ParseTime(append([]byte(s), 'Z')); ok {
			return ns
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<33 {
		return n * 1e9
	}
	return 0
}
