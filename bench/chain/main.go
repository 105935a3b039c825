// Command chain is the light end of the benchmark's five stages, and the same five in one process. Nothing is written to a lake:
// what is measured is the way there.
//
//	ingest FILE | normalize ... | enrich ... | detect ... | chain            the fifth process of a pipe
//	chain -fused -mappings DIR -enrich FILE -rules DIR FILE                   ingest to sink in one process
//
// The sink is shaped as persist is in front of its writer: it parses each event, reads the eight fields that most columns are
// made of, and counts. With -hash it also prints the SHA-256 of the lines that it took, so that both forms can be compared.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"

	"leat/pkg/detect"
	"leat/pkg/enrich"
	"leat/pkg/event"
	"leat/pkg/ingest"
	"leat/pkg/normalize"
	"leat/pkg/stage"
)

// options are the command line.
type options struct {
	fused, hash             bool
	mappings, enrich, rules string
	file                    string
}

func main() {
	var o options
	flag.BoolVar(&o.fused, "fused", false, "run all five stages here; the argument is the file to read")
	flag.BoolVar(&o.hash, "hash", false, "print the SHA-256 of the lines")
	flag.StringVar(&o.mappings, "mappings", "", "folder of the mapping")
	flag.StringVar(&o.enrich, "enrich", "", "enrich.yaml")
	flag.StringVar(&o.rules, "rules", "", "folder of the rule")
	flag.Parse()
	o.file = flag.Arg(0)
	if err := run(&o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chain:", err)
		os.Exit(1)
	}
}

func run(o *options, in io.Reader, out io.Writer) error {
	end := newSink(o.hash)
	if err := o.pump(in, end); err != nil {
		return err
	}
	return end.report(out)
}

// pump runs into end what comes on in, or all five stages.
func (o *options) pump(in io.Reader, end stage.Sink) error {
	if !o.fused {
		return stage.Pump(context.Background(), &stage.Lines{In: in, Stage: "chain", Counters: stage.NewCounters("chain")}, end)
	}
	count := stage.NewCounters("fused")
	src, err := ingest.New(ingest.Config{Sources: []string{o.file}, Counters: count, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	stages, err := o.stages(count)
	if err != nil {
		return err
	}
	return stage.Pump(context.Background(), src, stage.NewChain(end, stages...))
}

// stages makes the three in the middle, as their commands do.
func (o *options) stages(count *stage.Counters) ([]stage.Stage, error) {
	m, err := normalize.Load(o.mappings)
	if err != nil {
		return nil, err
	}
	cfg, err := enrich.Load(o.enrich)
	if err != nil {
		return nil, err
	}
	e, err := enrich.New(cfg, enrich.Options{})
	if err != nil {
		return nil, err
	}
	d, err := detect.New(detect.Config{Rules: []string{o.rules}, Routing: true})
	if err != nil {
		return nil, err
	}
	return []stage.Stage{normalize.New(normalize.Config{Mappings: m, Original: normalize.DropOriginal, Counters: count.Set()}), e, d}, nil
}

// sink reads what persist's columns are made of.
type sink struct {
	fields *event.Fields
	vals   []event.Value
	events int
	found  int // values
	bytes  int // of the values
	sum    hash.Hash
	buf    []byte
}

func newSink(hashed bool) *sink {
	s := &sink{fields: event.MustFields("@timestamp", "event.id", "event.kind", "event.dataset", "event.action", "user.id", "source.ip", "host.name")}
	s.vals = make([]event.Value, s.fields.Len())
	if hashed {
		s.sum = sha256.New()
	}
	return s
}

// Batch counts the events of b.
func (s *sink) Batch(b *event.Batch) error {
	for _, e := range b.Events {
		if err := e.Parse(); err != nil {
			return err
		}
		s.fields.Read(e, s.vals)
		for _, v := range s.vals {
			if v.Exists() {
				s.found++
				s.bytes += len(v.Raw)
			}
		}
		s.events++
	}
	if s.sum != nil {
		s.buf = b.AppendLines(s.buf[:0])
		s.sum.Write(s.buf)
	}
	return nil
}

// Hello, Mark and Close are those of an unmarked stream.
func (s *sink) Hello(stage.Hello) error { return nil }
func (s *sink) Mark(stage.Mark) error   { return nil }
func (s *sink) Close() error            { return nil }

func (s *sink) report(out io.Writer) error {
	sum := ""
	if s.sum != nil {
		sum = fmt.Sprintf(`,"sha256":"%x"`, s.sum.Sum(nil))
	}
	_, err := fmt.Fprintf(out, `{"events":%d,"values":%d,"bytes":%d%s}`+"\n", s.events, s.found, s.bytes, sum)
	return err
}
