package intel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// The columns of the table that Fetch returns.
const (
	colIndicator   = "indicator"        // canonical value
	colKind        = "kind"             // a Kind's name
	colBlock       = "block"            // the value once more where it is a block: the key of a join by CIDR
	colType        = "type"             // ECS threat.indicator.type
	colConfidence  = "confidence"       // 0 to 100, as the feed says it
	colLevel       = "confidence_level" // None, Low, Medium, High
	colSeverity    = "severity"         // 0 to 100
	colValidFrom   = "valid_from"
	colValidTo     = "valid_to"
	colFirstSeen   = "first_seen"
	colLastSeen    = "last_seen"
	colAdded       = "added" // when this machine first had it
	colProvider    = "provider"
	colFeed        = "feed"
	colFeeds       = "feeds" // all that have it, where there are several
	colReference   = "reference"
	colDescription = "description"
	colName        = "name" // malware family or rule
	colTags        = "tags"
	colTLP         = "marking.tlp"
	colID          = "id" // of STIX, MISP ...
)

// The numbers of the columns, in the order of Columns.
const (
	numIndicator = iota
	numKind
	numBlock
	numType
	numConfidence
	numLevel
	numSeverity
	numValidFrom
	numValidTo
	numFirstSeen
	numLastSeen
	numAdded
	numProvider
	numFeed
	numFeeds
	numReference
	numDescription
	numName
	numTags
	numTLP
	numID
)

// Columns returns the names of the table's columns, in order.
func Columns() []string {
	return []string{colIndicator, colKind, colBlock, colType, colConfidence, colLevel, colSeverity, colValidFrom, colValidTo, colFirstSeen, colLastSeen,
		colAdded, colProvider, colFeed, colFeeds, colReference, colDescription, colName, colTags, colTLP, colID}
}

// Fields returns, as pairs of event field and column, what a rule without `set` writes on a hit.
func Fields() [][2]string {
	return [][2]string{
		{"threat.indicator.type", colType}, {"threat.indicator.name", colIndicator}, {"threat.indicator.confidence", colLevel},
		{"threat.indicator.first_seen", colFirstSeen}, {"threat.indicator.last_seen", colLastSeen},
		{"threat.indicator.provider", colProvider}, {"threat.indicator.reference", colReference},
		{"threat.indicator.description", colDescription}, {"threat.indicator.marking.tlp", colTLP}, {"threat.indicator.id", colID},
		{"threat.feed.name", colFeed}, {"threat.software.name", colName},
	}
}

// tableWriter writes entries as rows and hashes what it writes.
type tableWriter struct {
	b    *dimension.Builder
	json []byte
	hash hash.Hash
	sum  []byte // what was not hashed yet
	err  error  // the first
}

func newTableWriter(lim dimension.Limits) *tableWriter {
	return &tableWriter{b: dimension.NewBuilder(lim, Columns()...), hash: sha256.New()}
}

// write makes the table, in the order in which the values came first. added has for each when it was first here, in seconds since 1970.
func (w *tableWriter) write(c *collector, feeds []*Feed, added []uint32) (*dimension.Table, error) {
	for row := range c.entries {
		c.write(w, feeds, &c.entries[row], int64(added[row]))
		if w.err != nil {
			return nil, w.err
		}
		w.sum = append(w.sum, 0xff)
		if err := w.b.EndRow(); err != nil {
			return nil, err
		}
	}
	return w.b.Table(), nil
}

// version is the hash of all that was written, but for when it came.
func (w *tableWriter) version() string {
	w.hash.Write(w.sum)
	w.sum = nil
	return hex.EncodeToString(w.hash.Sum(nil)[:8])
}

func (w *tableWriter) raw(col int, raw []byte) {
	if w.err != nil || len(raw) == 0 {
		return
	}
	w.err = w.b.Set(col, raw)
	if col != numAdded {
		if w.sum = append(append(w.sum, byte(col)), raw...); len(w.sum) > 64<<10 {
			w.hash.Write(w.sum)
			w.sum = w.sum[:0]
		}
	}
}

func (w *tableWriter) text(col int, text []byte) {
	if len(text) > 0 {
		w.json = event.AppendString(w.json[:0], text)
		w.raw(col, w.json)
	}
}

func (w *tableWriter) word(col int, s string) {
	if s != "" {
		w.json = event.AppendString(w.json[:0], s)
		w.raw(col, w.json)
	}
}

func (w *tableWriter) number(col, n int) {
	w.json = strconv.AppendInt(w.json[:0], int64(n), 10)
	w.raw(col, w.json)
}

func (w *tableWriter) time(col int, secs int64) {
	if secs != 0 {
		w.json = append(event.AppendTime(append(w.json[:0], '"'), secs*1e9), '"')
		w.raw(col, w.json)
	}
}

func (w *tableWriter) words(col int, list [][]byte) {
	w.json = append(w.json[:0], '[')
	for i, s := range list {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		w.json = event.AppendString(w.json, s)
	}
	w.json = append(w.json, ']')
	w.raw(col, w.json)
}

var tlpWords = [...]string{"", "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"}

func (c *collector) write(w *tableWriter, feeds []*Feed, e *entry, added int64) {
	value, d, feed := c.values.get(e.value), &c.details[e.detail], feeds[e.feed]
	w.text(numIndicator, value)
	w.word(numKind, e.kind.String())
	if e.kind == CIDR {
		w.text(numBlock, value)
	}
	w.word(numType, ecsType(e.kind, value))
	w.number(numConfidence, int(e.confidence))
	w.word(numLevel, levelOf(int(e.confidence)))
	w.number(numSeverity, int(e.severity))
	w.time(numValidFrom, int64(e.validFrom))
	w.time(numValidTo, int64(e.validTo))
	w.time(numFirstSeen, int64(e.firstSeen))
	w.time(numLastSeen, int64(e.lastSeen))
	w.time(numAdded, added)
	c.writeOrigin(w, feeds, e, d)
	w.word(numFeed, feed.Name)
	w.text(numReference, c.texts.arena.get(d.reference))
	w.text(numDescription, c.texts.arena.get(d.description))
	w.text(numName, c.texts.arena.get(d.name))
	w.raw(numTags, c.texts.arena.get(d.tags))
	w.word(numTLP, tlpWords[e.tlp])
	w.text(numID, c.texts.arena.get(d.id))
}

// writeOrigin names who says it: the provider of the record that answers, or a list with the others behind it.
func (c *collector) writeOrigin(w *tableWriter, feeds []*Feed, e *entry, d *detail) {
	provider := c.texts.arena.get(d.provider)
	if len(provider) == 0 {
		provider = []byte(feeds[e.feed].Provider)
	}
	set := c.feeds.list[e.feeds]
	if len(set) == 1 {
		w.text(numProvider, provider)
		return
	}
	names, providers := [][]byte{[]byte(feeds[e.feed].Name)}, [][]byte{provider}
	for _, f := range set {
		if f == e.feed {
			continue
		}
		names = append(names, []byte(feeds[f].Name))
		if p := []byte(feeds[f].Provider); !containsText(providers, p) {
			providers = append(providers, p)
		}
	}
	w.words(numFeeds, names)
	if len(providers) == 1 {
		w.text(numProvider, provider)
	} else {
		w.words(numProvider, providers)
	}
}

func containsText(list [][]byte, s []byte) bool {
	for _, have := range list {
		if bytes.Equal(have, s) {
			return true
		}
	}
	return false
}
