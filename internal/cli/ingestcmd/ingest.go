// Package ingestcmd is the command `ingest`.
package ingestcmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/ingest"
	"leat/pkg/ingest/journal"
	"leat/pkg/lake"
	"leat/pkg/stage"
)

const description = `Reads records from sources and writes each as one JSON event: {"event":{"id":…,"original":"<the record>"},…}. A line is a record.

A SOURCE is
   a path or glob            gzip, zstd and Windows event logs (EVTX) are recognised; a FIFO is read as a stream
   evtx:PATH                 the same, and what is no EVTX log is an error
   -                         standard input
   syslog+udp://ADDR         syslog datagrams (default port 514)
   syslog+tcp://ADDR         syslog streams, framed by octet count or line feed
   syslog+tls://ADDR?cert=FILE&key=FILE[&client_ca=FILE]        the same over TLS (default port 6514)
   http://ADDR/PATH, https://ADDR/PATH?cert=FILE&key=FILE       POSTed lines or JSON, gzip too; 2xx says that they are kept
   journald:[DIR]            the system's journal, or one in a folder, by journalctl
   exec:PROGRAM ARGS         what a program prints, without a shell; with --follow it is started again when it ends

-c names a file of sources, each with its own dataset, options and rule for records of several lines:

   sources:
     - source: /var/log/app/*.log
       dataset: app.java
       multiline: {start: '^\d{4}-'}
     - source: https://0.0.0.0:8088/logs
       options: {cert: cert.pem, key: key.pem, token: env:LOGS_TOKEN}

With --resume the stream is marked: every event reaches the lake exactly once, whatever is killed, and reading goes on where
the lake's last commit stands. What can't be read again (standard input, syslog, HTTP, a program) then goes through a
journal in --state.

   ingest /var/log/auth.log | normalize | persist --lake ./lake
   ingest Security.evtx | normalize | detect -r sigma/rules
   ingest --resume ./lake --follow '/var/log/*.log' | normalize | persist --lake ./lake
   ingest --resume ./lake syslog+udp://127.0.0.1:5514 syslog+tcp://127.0.0.1:5514 | normalize | persist --lake ./lake
   ingest --follow journald: http://127.0.0.1:8088/logs | normalize
   ingest --resume ./lake --follow -c sources.yaml | normalize | persist --lake ./lake`

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:        "ingest",
		Usage:       "read records from files, programs, standard input, syslog and HTTP senders",
		UsageText:   "ingest [options] SOURCE...",
		ArgsUsage:   "SOURCE...",
		Description: description,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "resume", Usage: "go on where `LAKE` stands, and mark the stream for it (made if there is none)"},
			&cli.StringFlag{Name: "pipeline", Value: ingest.DefaultPipeline, Usage: "`NAME` under which the lake keeps the positions"},
			&cli.StringFlag{Name: "mark-every", Value: "10s|1GiB", Usage: "mark after a time, a size or a number of events (`LIMITS` joined by |)"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on reading files as they grow, are rotated or appear"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "`FILE` of sources, beside those that are arguments"},
			&cli.StringFlag{Name: "dataset", Usage: "`NAME` of the records' dataset, where it is known"},
			&cli.StringFlag{Name: "state", Usage: "`DIR` of the journal (default: LAKE.state beside the lake)"},
			&cli.StringFlag{Name: "journal-max", Value: "1GiB", Usage: "`SIZE` of the journal at which senders are held back"},
			&cli.DurationFlag{Name: "poll", Value: ingest.DefaultPoll, Usage: "look at followed files every `TIME`, also where no file event came"},
		}, frame.CommonFlags()...),
		Action: func(c *cli.Context) error {
			return frame.RunSource(c, "ingest", func(env *frame.Env) (stage.Source, error) { return build(c, env) })
		},
	}
}

func build(c *cli.Context, env *frame.Env) (stage.Source, error) {
	every, err := ingest.ParseMarkEvery(c.String("mark-every"), frame.ParseSize)
	if err != nil {
		return nil, frame.Usagef("--mark-every: %w", err)
	}
	journal, err := frame.ParseSize(c.String("journal-max"))
	if err != nil {
		return nil, frame.Usagef("--journal-max: %w", err)
	}
	if c.Duration("poll") <= 0 {
		return nil, frame.Usagef("--poll: %s is no time above 0", c.Duration("poll"))
	}
	sources := c.Args().Slice()
	if in := c.String("in"); in != "-" {
		return nil, frame.Usagef("--in %s: sources of ingest are arguments", in)
	}
	var inputs []ingest.Input
	if path := c.String("config"); path != "" {
		if inputs, err = ingest.LoadInputs(path); err != nil {
			return nil, err
		}
	}
	for _, s := range sources {
		inputs = append(inputs, ingest.Input{Source: s, Dataset: c.String("dataset")})
	}
	for _, in := range inputs {
		if in.Source == "-" && frame.IsTerminal(os.Stdin) {
			return nil, frame.Usagef("standard input is a terminal; try `cat FILE | ingest -`, or `ingest FILE`")
		}
	}
	src, err := ingest.New(ingest.Config{
		Inputs: inputs, Follow: c.Bool("follow"),
		Resume: c.String("resume"), Pipeline: c.String("pipeline"), MarkEvery: every,
		State: c.String("state"), JournalMax: journal, Poll: c.Duration("poll"),
		MaxLine: env.MaxLine, Spool: env.Spool, Stdin: os.Stdin, Counters: env.Counters, Log: env.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w (see ingest --help)", err)
	}
	return attended{src}, nil
}

// attended ends with exit status 3 where a person has to look: another process holds the journal or took over the pipeline, or the
// lake's log is damaged, or records were lost; and with 2 where an address can't be listened on (in use, it is 1: its holder may end).
type attended struct{ *ingest.Source }

func (a attended) Run(ctx context.Context, sink stage.Sink) error {
	err := a.Source.Run(ctx, sink)
	var address *ingest.ListenError
	switch {
	case errors.As(err, &address):
		return frame.Usage(err)
	case errors.Is(err, journal.ErrBusy), errors.Is(err, lake.ErrSuperseded), errors.Is(err, lake.ErrChain), errors.Is(err, ingest.ErrLost):
		return frame.Attention(err)
	}
	return err
}
