package normalize

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
	"leat/pkg/stage"
)

// Original says what becomes of event.original.
type Original string

// The choices of Config.Original.
const (
	KeepOriginal   Original = "keep"   // on every event
	DropOriginal   Original = "drop"   // on none that a mapping took
	ErrorsOriginal Original = "errors" // likewise; a pipeline_error keeps it in any case
)

// Config says how a Stage works.
type Config struct {
	Mappings *Mappings
	// Dataset is the mapping, or dataset, of every record that does not bear one.
	Dataset  string
	Original Original
	// Zone is that of times without an offset; nil = UTC.
	Zone *time.Location
	// Now is the clock for times without a year; nil = time.Now.
	Now func() time.Time
	// Counters takes leat_unrecognised_total, leat_header_lines_total and leat_rows_without_header_total; may be nil.
	Counters *metrics.Set
}

// Stage is the stage normalize. It is a [stage.Ordered] cloner.
type Stage struct {
	cfg         Config
	run         runner
	hint        string // of the record that Explain was given
	text        []byte // decoded original
	raw         []byte // the same with its escapes undone
	quoted      []byte
	out         event.Builder
	unknown     *metrics.Counter
	headerLines *metrics.Counter
	headerless  *metrics.Counter
}

// New makes the stage.
func New(cfg Config) *Stage {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Stage{cfg: cfg}
	s.run.headers = &logHeaders{}
	if cfg.Counters != nil {
		s.unknown = cfg.Counters.GetOrCreateCounter("leat_unrecognised_total")
		s.run.times.counters = newTimeCounters(cfg.Counters)
		s.headerLines = cfg.Counters.GetOrCreateCounter("leat_header_lines_total")
		s.headerless = cfg.Counters.GetOrCreateCounter("leat_rows_without_header_total")
	}
	return s
}

var (
	pathOriginal  = event.MustPath("event.original")
	pathID        = event.MustPath("event.id")
	pathDataset   = event.MustPath("event.dataset")
	pathKind      = event.MustPath("event.kind")
	pathTimestamp = event.MustPath("@timestamp")
	pathEscaped   = event.MustPath("leat.escaped")
	pathFile      = event.MustPath("log.file.path")
	pathSource    = event.MustPath("log.source.address")

	pathMapping = event.MustPath("leat.mapping")
	pathField   = event.MustPath("leat.field")
	pathWant    = event.MustPath("leat.want")
	pathValue   = event.MustPath("leat.value")
)

// Process normalises each event of b. See the package comment for what happens to one that no mapping takes.
func (s *Stage) Process(b *event.Batch) error {
	s.run.clock = parse.Clock{Zone: s.cfg.Zone, Now: s.cfg.Now()}
	for _, e := range b.Events {
		if !e.Failed() {
			s.one(b, e)
		}
	}
	s.run.times.count()
	if s.headerless != nil && s.run.ownColumns > 0 {
		s.headerless.Add(s.run.ownColumns)
	}
	s.run.ownColumns = 0
	return nil
}

// Clone returns a stage that shares the mappings and what was seen of header lines. Clones may not share out a batch in which one may be: see InOrder.
func (s *Stage) Clone() stage.Stage {
	c := New(s.cfg)
	c.run.headers = s.run.headers
	return c
}

// one normalises one event.
func (s *Stage) one(b *event.Batch, e *event.Event) {
	env := record{dataset: s.cfg.Dataset}
	if raw, ok := e.Record(); ok {
		s.unwrap(e, &env)
		s.record(b, e, raw, nil, &env)
		return
	}
	line := e.Line()
	text := line
	var obj *event.Event // e, where it is the record itself
	s.run.outer = nil
	if len(line) > 0 && line[0] == '{' {
		inner, wrapped, err := e.Unwrap(s.text[:0])
		s.text = inner
		if err == nil {
			obj = e
		}
		if err == nil && e.Find(e.Root(), "event") != event.None { // else it is neither normal nor wrapped
			if s.passes(e) {
				return
			}
			if wrapped {
				s.unwrap(e, &env)
				env.original = e.Get(pathOriginal).Raw
				text, obj = s.bytes(e, inner), nil
			}
		}
	}
	s.record(b, e, text, obj, &env)
}

// record normalises the record text, of which env tells what is known. obj is e where the record is the event itself.
func (s *Stage) record(b *event.Batch, e *event.Event, text []byte, obj *event.Event, env *record) {
	env.text = text
	if s.run.headers.note(s.cfg.Mappings.index, env.stream, text) {
		if s.headerLines != nil {
			s.headerLines.Inc()
		}
		e.Drop()
		return
	}
	s.run.columns = s.run.headers.of(env.stream)
	s.run.stream = env.stream
	if obj == nil && s.array(b, e, env) {
		return
	}
	s.run.look(text, obj)
	p := s.run.choose(s.cfg.Mappings.index, env.dataset)
	if p == nil {
		s.unrecognised(b, e, env)
		return
	}
	s.mapped(b, e, p, text, env)
}

// passes tells whether e is normal already, or none of our business.
func (s *Stage) passes(e *event.Event) bool {
	kind := e.Get(pathKind)
	if kind.Is(event.KindError) {
		return true
	}
	return kind.Exists() && (e.Get(pathTimestamp).Exists() || e.Get(pathDataset).Exists())
}

// unwrap notes what ingest put around a record.
func (s *Stage) unwrap(e *event.Event, env *record) {
	env.wrapped = true
	s.run.outer = e
	if ds := e.Get(pathDataset); ds.Kind == event.String {
		env.dataset = view(ds)
	}
	if f := e.Get(pathFile); f.Exists() {
		env.stream = view(f)
	} else if f := e.Get(pathSource); f.Exists() {
		env.stream = view(f)
	}
}

// view is v's text as long as the event's line stays.
func view(v event.Value) string {
	t := v.Text(nil)
	return unsafe.String(unsafe.SliceData(t), len(t))
}

// bytes returns those of a wrapped record, whose text that is.
func (s *Stage) bytes(e *event.Event, text []byte) []byte {
	if e.Get(pathEscaped).Kind == event.True {
		s.raw = event.UnescapeText(s.raw[:0], text)
		return s.raw
	}
	return text
}

// original returns the record's text as a JSON string. Few events need it where it is not kept.
func (s *Stage) original(env *record) []byte {
	if env.original == nil {
		if env.escaped = event.NeedsEscape(env.text); env.escaped {
			s.quoted = event.AppendString(s.quoted[:0], event.EscapeText(nil, env.text))
		} else {
			s.quoted = event.AppendString(s.quoted[:0], env.text)
		}
		env.original = s.quoted
	}
	return env.original
}

// unrecognised lets a record pass as it is, as an event.
func (s *Stage) unrecognised(b *event.Batch, e *event.Event, env *record) {
	if s.unknown != nil {
		s.unknown.Inc()
	}
	e.Whole()
	if env.wrapped && (e.Get(pathKind).Exists() || e.SetString(pathKind, "event") == nil) {
		return
	}
	original := s.original(env)
	dst := b.Begin(len(original) + 64)
	dst = append(dst, `{"event":{"kind":"event","original":`...)
	dst = append(append(dst, original...), '}')
	if env.escaped {
		dst = append(dst, `,"leat":{"escaped":true}`...)
	}
	e.Replace(b.End(append(dst, '}')))
}

// mapped runs the plan over the record.
func (s *Stage) mapped(b *event.Batch, e *event.Event, p *plan, text []byte, env *record) {
	r := &s.run
	if err := r.parse(p); err != nil {
		s.fail(b, e, env, "parse", fmt.Errorf("mapping %s: %w", p.name, err))
		return
	}
	if p.inside != nil {
		s.open(b, e, p, env)
		return
	}
	if len(p.each) > 0 {
		s.many(b, e, p, env)
		return
	}
	if err := r.apply(); err != nil {
		s.fail(b, e, env, "wrong_type", err)
		return
	}
	s.render(b, e, env)
}

// render makes e the normal event of what the runner applied.
func (s *Stage) render(b *event.Batch, e *event.Event, env *record) {
	r := &s.run
	r.noOriginal = s.cfg.Original == DropOriginal || s.cfg.Original == ErrorsOriginal
	a := &r.plan.auto
	size := 1024
	if r.noOriginal {
		r.leaves[a.original] = r.leaves[a.original][:0]
	} else {
		original := s.original(env)
		size += 3 * len(original)
		r.put(a.original, value{b: original, kind: event.String, json: true})
	}
	if env.id != nil {
		r.put(a.id, value{b: env.id, kind: event.String, json: true})
	}
	if env.escaped && (!env.wrapped || env.depth > 0) {
		r.put(a.escaped, value{b: trueText, kind: event.True, json: true})
	}
	if r.outer == nil && !b.Reread {
		e.Replace(b.End(append(r.plain(b.Begin(size)), '}')))
	} else {
		s.out.Begin(b.Begin(size), b.Reread)
		r.write(&s.out)
		s.out.End(e, b)
	}
	s.surround(e, env)
}

// fail makes e a pipeline_error with its original; what ingest put around the record stays.
func (s *Stage) fail(b *event.Batch, e *event.Event, env *record, reason string, err error) {
	if !env.wrapped || env.id != nil {
		original := s.original(env)
		dst := b.Begin(len(original) + 128)
		dst = append(dst, `{"event":{`...)
		if env.id != nil {
			dst = append(append(append(dst, `"id":`...), env.id...), ',')
		}
		dst = append(append(append(dst, `"original":`...), original...), '}')
		if env.escaped {
			dst = append(dst, `,"leat":{"escaped":true}`...)
		}
		e.Replace(b.End(append(dst, '}')))
	}
	b.Fail(e, "normalize", reason, err.Error())
	s.surround(e, env)
	var te *TypeError
	if errors.As(err, &te) && e.Parse() == nil {
		_ = e.SetString(pathMapping, te.Mapping)
		_ = e.SetString(pathField, te.Field)
		_ = e.SetString(pathWant, te.Want)
		_ = e.SetString(pathValue, te.Value)
	}
}
