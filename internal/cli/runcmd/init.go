package runcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/lake"
)

// wellKnown are the logs that `leat init` looks for.
var wellKnown = []string{
	"/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages",
	"/var/log/nginx/access.log", "/var/log/nginx/error.log",
	"/var/log/apache2/access.log", "/var/log/apache2/error.log",
	"/var/log/audit/audit.log",
}

// InitCommand returns the command `leat init`.
func InitCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "make a lake and a pipeline.yaml for this machine's own logs",
		UsageText: "leat init DIR",
		Description: `Writes DIR/pipeline.yaml, which follows the logs that this user can read here, and DIR/lake. Nothing that is there is
written over.

   leat init ./mylake && leat run ./mylake/pipeline.yaml`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return frame.Usagef("expected one folder")
			}
			return initialize(c, c.Args().First(), wellKnown)
		},
	}
}

func initialize(c *cli.Context, dir string, logs []string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := lake.Init(filepath.Join(dir, "lake")); err != nil {
		return err
	}
	var found []string
	for _, p := range logs {
		if f, err := os.Open(p); err == nil {
			found = append(found, p)
			_ = f.Close()
		}
	}
	path := filepath.Join(dir, "pipeline.yaml")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return frame.Usagef("%s is there already; it was left as it is", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(pipelineFile(found)); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "wrote %s (%d logs of this machine) and %s\nnext: leat run %s\n", path, len(found), filepath.Join(dir, "lake"), path)
	return nil
}

func pipelineFile(logs []string) []byte {
	var b bytes.Buffer
	b.WriteString(`# leat run pipeline.yaml: this machine's own logs into ./lake, alerts at ./state/alerts.sock
name: default
lake: lake
state: state
ingest:
  follow: true
  sources:
`)
	for _, p := range logs {
		fmt.Fprintf(&b, "    - %s\n", p)
	}
	if len(logs) == 0 {
		b.WriteString("    # no readable log was found here; any syslog sender can write to this address:\n")
		b.WriteString("    - syslog+udp://127.0.0.1:5514\n")
	} else {
		b.WriteString("    # - syslog+tcp://127.0.0.1:5514     # take messages from other senders too\n")
	}
	b.WriteString(`# enrich: {config: enrich.yaml}          # add people, hosts and places from your own tables
# detect: {rules: [rules]}               # your own Sigma rules instead of the built-in ones
# respond: {config: playbook.yaml}       # guarded actions; dry run until enforce: true
`)
	return b.Bytes()
}
