package detectcmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// maxEvent is the most that explain reads of one event.
const maxEvent = 16 << 20

// explainFlags are those of explain beside the rules'.
func explainFlags() []cli.Flag {
	return append([]cli.Flag{
		routingFlag(),
		&cli.BoolFlag{Name: "stream", Usage: "take all objects of EVENT, one after the other, and say what correlations make of each"},
	}, limitFlags()...)
}

func explain(c *cli.Context) error {
	if c.NArg() != 1 {
		return frame.Usagef("explain takes one EVENT: a JSON object, @FILE or -")
	}
	return explainEvents(c, c.Args().First(), c.String("rule"), c.Bool("stream"))
}

// explainer explains events, one after the other.
type explainer struct {
	out     io.Writer
	routing bool
	wanted  string
	x       *detect.Explainer
	s       *detect.Stage   // nil: nothing correlates
	only    map[string]bool // rules and correlations, by their place; nil: all
	rules   int
	// correlation: one is named, so others are not told of.
	correlation bool
}

// explainEvents says why rules match the events that arg names, or why the wanted one does not.
func explainEvents(c *cli.Context, arg, wanted string, stream bool) error {
	in, done, err := openEvents(arg)
	if err != nil {
		return frame.Usage(err)
	}
	defer done()
	x, err := newExplainer(c, wanted)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(in)
	for n := 1; ; n++ {
		line, err := nextEvent(dec)
		if errors.Is(err, io.EOF) && n > 1 {
			break
		}
		if err != nil {
			return frame.Usage(fmt.Errorf("read the event (number %d): %w", n, err))
		}
		if err := x.event(n, line, stream); err != nil {
			return err
		}
		if !stream {
			return nil
		}
	}
	return x.end()
}

func newExplainer(c *cli.Context, wanted string) (*explainer, error) {
	on, err := routing(c)
	if err != nil {
		return nil, err
	}
	all, faults, err := loadAll(c)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f.Error())
	}
	x := &explainer{out: c.App.Writer, routing: on, wanted: wanted}
	rules := all.Rules
	if wanted != "" {
		var cors []*sigma.Correlation
		if rules, cors = named(all, wanted); len(rules) == 0 {
			return nil, frame.Usagef("--rule: no rule %q among those loaded; `detect rules list` names them", wanted)
		}
		x.only, x.correlation = map[string]bool{}, len(cors) > 0
		for _, one := range cors {
			x.only[place(&one.Meta)] = true
		}
		for _, one := range rules {
			if len(cors) == 0 {
				x.only[place(&one.Meta)] = true
			}
		}
	}
	x.rules = len(rules)
	if x.x, err = detect.NewExplainer(rules, all.Fields); err != nil {
		return nil, err
	}
	if len(all.Correlations) == 0 && !slices.ContainsFunc(all.Rules, func(r *sigma.Rule) bool { return r.Suppress != nil }) {
		return x, nil
	}
	cfg, err := ruleConfig(c)
	if err != nil {
		return nil, err
	}
	cfg.Routing = on
	x.s, err = detect.New(cfg)
	return x, err
}

// named finds the rules that are meant: a correlation brings along those that it refers to, however far below.
func named(all *detect.Loaded, wanted string) (rules []*sigma.Rule, cors []*sigma.Correlation) {
	is := func(m *sigma.Meta) bool {
		return m.ID == wanted || m.Name == wanted || strings.EqualFold(m.Title, wanted) || strings.Contains(m.File, wanted)
	}
	for _, r := range all.Rules {
		if is(&r.Meta) {
			rules = append(rules, r)
		}
	}
	var below func(sc *sigma.Correlation)
	below = func(sc *sigma.Correlation) {
		cors = append(cors, sc)
		for i := range sc.Rules {
			switch ref := &sc.Rules[i]; {
			case ref.Correlation != nil:
				below(ref.Correlation)
			case !slices.Contains(rules, ref.Rule):
				rules = append(rules, ref.Rule)
			}
		}
	}
	for _, sc := range all.Correlations {
		if is(&sc.Meta) {
			below(sc)
		}
	}
	return rules, cors
}

func place(m *sigma.Meta) string { return fmt.Sprintf("%s:%d", m.File, m.Line) }

// event explains one event; of a stream only what matches, unless a rule is named.
func (x *explainer) event(n int, line []byte, stream bool) error {
	var e event.Event
	e.Reset(line)
	if err := e.Parse(); err != nil {
		return frame.Usage(fmt.Errorf("read the event (number %d): %w", n, err))
	}
	found, err := x.x.Explain(&e)
	if err != nil {
		return err
	}
	if stream {
		fmt.Fprintf(x.out, "event %d, ", n)
	}
	fmt.Fprintf(x.out, "log sources of the event: %s\n", x.x.Sources(&e))
	shown := 0
	for i := range found {
		if found[i].Raises(x.routing) || x.wanted != "" && !stream {
			found[i].Write(x.out, x.routing)
			shown++
		}
	}
	if shown == 0 {
		fmt.Fprintf(x.out, "none of %d rules matches; name one with --rule to see why not\n", x.rules)
	}
	return x.correlations(line)
}

// correlations says what became of an event in them.
func (x *explainer) correlations(line []byte) error {
	if x.s == nil {
		return nil
	}
	var b event.Batch
	e := b.Push(line)
	if err := e.Parse(); err != nil {
		return err
	}
	if err := x.s.Process(&b); err != nil {
		return err
	}
	for _, t := range x.s.Trace(e) {
		var of *sigma.Meta
		if t.Correlation != nil {
			of = &t.Correlation.Meta
		} else {
			of = &t.Rule.Meta
		}
		// Of a rule that is named, also the correlations that take it.
		if x.only == nil || x.only[place(of)] || t.Correlation != nil && !x.correlation {
			t.Write(x.out)
		}
	}
	return nil
}

// end says which windows were decided at the end of the stream.
func (x *explainer) end() error {
	if x.s == nil {
		return nil
	}
	var b event.Batch
	if err := x.s.Flush(&b); err != nil {
		return err
	}
	for _, e := range b.Events {
		if err := e.Parse(); err != nil {
			return err
		}
		fmt.Fprintf(x.out, "at the end of the stream: %s\n", e.Get(event.MustPath("message")).String())
	}
	return nil
}

// openEvents opens what arg names.
func openEvents(arg string) (in io.Reader, done func(), err error) {
	switch {
	case arg == "-":
		return bufio.NewReader(os.Stdin), func() {}, nil
	case strings.HasPrefix(arg, "@"):
		f, err := os.Open(arg[1:])
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReader(f), func() { f.Close() }, nil
	}
	return strings.NewReader(arg), func() {}, nil
}

// nextEvent returns the next JSON value on one line.
func nextEvent(dec *json.Decoder) ([]byte, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	if len(raw) > maxEvent {
		return nil, fmt.Errorf("an event of more than %d bytes", maxEvent)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
