package enrich

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"leat/pkg/event"
)

// Dataset is the event.dataset of the stage's own events: that a dimension is stale, was refused, or is well again.
const Dataset = "leat.enrich"

// notice is one of them before it is an event.
type notice struct {
	at     time.Time
	action string // dimension-stale, dimension-failed or dimension-recovered
	cfg    *DimensionConfig
	snap   *Snapshot // in use; nil: none
	reason string
}

// news holds notices until a batch can take them.
type news struct {
	mu   sync.Mutex
	all  []notice
	some atomic.Bool
}

// maxNews bounds what waits while no batch comes; then the oldest goes.
const maxNews = 256

func (n *news) add(x notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all) == maxNews {
		n.all = append(n.all[:0], n.all[1:]...)
	}
	n.all = append(n.all, x)
	n.some.Store(true)
}

func (n *news) take() []notice {
	if !n.some.Load() {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.all
	n.all = nil
	n.some.Store(false)
	return out
}

// tell queues a notice.
func (sh *shared) tell(x notice) {
	x.at = sh.opt.Now()
	sh.news.add(x)
}

// push adds the notices that wait to b.
func (sh *shared) push(b *event.Batch) {
	for _, x := range sh.news.take() {
		b.Push(b.End(x.line(b.Begin(512))))
	}
}

func (x *notice) line(dst []byte) []byte {
	version, asOf := "", ""
	if x.snap != nil {
		version = x.snap.Version
		asOf = string(event.AppendTime(nil, x.snap.seen().UnixNano()))
	}
	kind, outcome := "error", "failure"
	if x.action == "dimension-recovered" {
		kind, outcome = "info", "success"
	}
	dst = append(event.AppendTime(append(dst, `{"@timestamp":"`...), x.at.UnixNano()), `","event":{"id":"`...)
	dst = append(dst, event.DeriveID(Dataset, x.cfg.name, x.action, version, asOf, x.reason, x.at.Format(time.RFC3339Nano))...)
	dst = append(dst, `","kind":"event","dataset":"`+Dataset+`","category":["configuration"],"type":["`+kind+`"],"action":"`+x.action+`","outcome":"`+outcome+`"`...)
	if x.reason != "" {
		dst = event.AppendString(append(dst, `,"reason":`...), x.reason)
	}
	dst = event.AppendString(append(dst, `},"message":`...), x.message())
	dst = event.AppendString(append(dst, `,"leat":{"dimension":{"name":`...), x.cfg.name)
	if x.snap != nil {
		dst = event.AppendString(append(dst, `,"version":`...), version)
		dst = event.AppendString(append(dst, `,"as_of":`...), asOf)
		dst = strconv.AppendInt(append(dst, `,"rows":`...), int64(x.snap.Rows), 10)
	}
	return append(dst, `}}}`...)
}

func (x *notice) message() string {
	switch {
	case x.action == "dimension-stale":
		return "dimension " + x.cfg.name + " is older than max_age (" + x.cfg.MaxAge.String() + "); its answers are stale"
	case x.action == "dimension-recovered":
		return "dimension " + x.cfg.name + " is up to date again"
	case x.snap == nil:
		return "dimension " + x.cfg.name + " can't be loaded; it has no answers"
	}
	return "dimension " + x.cfg.name + " can't be loaded; the old snapshot stays in use"
}

// ages tells, once, of each dimension that became stale, and of each that is no longer.
type ages struct {
	mu    sync.Mutex
	next  time.Time
	stale map[string]bool
}

func (sh *shared) checkAges(g *generation, now time.Time) {
	a := &sh.ages
	if !a.mu.TryLock() {
		return
	}
	defer a.mu.Unlock()
	if now.Before(a.next) {
		return
	}
	a.next = now.Add(time.Second)
	for name, d := range sh.cfg.Load().Dimensions {
		s := g.dims[name]
		if s == nil {
			continue
		}
		sh.metrics.aged(s, now)
		if d.MaxAge == 0 {
			continue
		}
		switch stale := now.Sub(s.seen()) > d.MaxAge; {
		case stale && !a.stale[name]:
			sh.opt.Log.Warn("dimension is stale", "dimension", name, "as_of", s.seen(), "max_age", d.MaxAge)
			sh.tell(notice{action: "dimension-stale", cfg: d, snap: s})
			a.stale[name] = true
		case !stale && a.stale[name]:
			sh.tell(notice{action: "dimension-recovered", cfg: d, snap: s})
			delete(a.stale, name)
		}
	}
}
