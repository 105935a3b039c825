package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// noticeDataset is the event.dataset of what ingest itself has to tell.
const noticeDataset = "leat.ingest"

// told notes on stderr and in the metrics what a notice tells.
func (c *Config) told(n notice) {
	log := c.Log.With("source", n.source)
	if n.path != "" {
		log = log.With("path", n.path)
	}
	log.Warn(n.message, "reason", n.reason)
	c.count("notices", n.source, 1)
	if n.isError {
		c.Counters.Failed(1)
	}
}

// count adds n to leat_ingest_<metric>_total of a source. A file is counted under its family: the metrics must not grow with
// every file that was ever read.
func (c *Config) count(metric, source string, n int) {
	if c.Counters == nil {
		return
	}
	if i := strings.LastIndexByte(source, '#'); i >= 0 {
		source = source[:i]
	}
	c.Counters.Set().GetOrCreateCounter(fmt.Sprintf("leat_ingest_%s_total{source=%q}", metric, source)).Add(n)
}

// notice is an event of ingest's own: event.kind event and event.action, or a pipeline_error with error.type.
//
//	source_gap   records of a source are missing: leat.gap.{source,reason} and, as far as they are known, from and to
//	             (positions) or dropped (a number of messages)
type notice struct {
	action  string
	isError bool
	message string
	path    string // log.file.path
	source  string // leat.gap.source
	reason  string
	from    int64 // -1 = unknown, as the others
	to      int64
	dropped int64
}

// line appends the notice as an event. Its id tells it from every other, and is the same when it is told again.
func (n notice) line(dst []byte, now int64) []byte {
	from, to, dropped := strconv.FormatInt(n.from, 10), strconv.FormatInt(n.to, 10), strconv.FormatInt(n.dropped, 10)
	id := event.DeriveID("notice", n.action, n.source, n.path, from, to, dropped, n.reason)
	if n.dropped >= 0 {
		// A counter may read the same twice.
		id = event.DeriveID(id, strconv.FormatInt(now, 10))
	}
	kind := "event"
	if n.isError {
		kind = event.KindError
	}
	dst = append(dst, `{"@timestamp":"`...)
	dst = event.AppendTime(dst, now)
	dst = append(dst, `","event":{"id":"`+id+`","kind":"`+kind+`","dataset":"`+noticeDataset+`","action":`...)
	dst = event.AppendString(dst, n.action)
	dst = append(dst, `},"message":`...)
	dst = event.AppendString(dst, printable(n.message))
	if n.isError {
		dst = append(dst, `,"error":{"type":`...)
		dst = event.AppendString(dst, n.action)
		dst = append(dst, `,"message":`...)
		dst = event.AppendString(dst, printable(n.message))
		dst = append(dst, '}')
	}
	if n.path != "" {
		dst = append(dst, `,"log":{"file":{"path":`...)
		dst = event.AppendString(dst, printable(n.path))
		dst = append(dst, `}}`...)
	}
	dst = append(dst, `,"leat":{"stage":"`+stageName+`","gap":{"source":`...)
	dst = event.AppendString(dst, n.source)
	dst = append(dst, `,"reason":`...)
	dst = event.AppendString(dst, n.reason)
	for _, m := range []struct {
		key, text string
		value     int64
	}{{"from", from, n.from}, {"to", to, n.to}, {"dropped", dropped, n.dropped}} {
		if m.value >= 0 {
			dst = append(dst, `,"`+m.key+`":`+m.text...)
		}
	}
	return append(dst, `}}}`...)
}

// tell hands on a notice and, in the same step, moves o to next.
func (e *emitter) tell(n notice, o *origin, next cursor) error {
	var b event.Batch
	b.Push(n.line(nil, e.cfg.Now().UnixNano()))
	e.cfg.told(n)
	return e.emit(&b, 0, o, next)
}
