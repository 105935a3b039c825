// Command leat is every stage in one program, and what runs and reads a whole pipeline.
package main

import (
	"os"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/internal/cli/detectcmd"
	"leat/internal/cli/enrichcmd"
	"leat/internal/cli/ingestcmd"
	"leat/internal/cli/normalizecmd"
	"leat/internal/cli/persistcmd"
	"leat/internal/cli/querycmd"
	"leat/internal/cli/respondcmd"
	"leat/internal/cli/retaincmd"
	"leat/internal/cli/runcmd"
	"leat/internal/cli/tapcmd"
	"leat/internal/cli/tuicmd"
	"leat/internal/cli/viacmd"
)

const description = `The stages are filters: JSON events in on standard input, out on standard output.

   leat ingest /var/log/auth.log | leat normalize | leat detect | leat persist --lake ./lake
   leat query --lake ./lake "SELECT count(*) FROM alerts"

   leat init ./mylake && leat run ./mylake/pipeline.yaml      the same, kept running, exactly once`

func main() {
	commands := []*cli.Command{
		ingestcmd.Command(), normalizecmd.Command(), enrichcmd.Command(), detectcmd.Command(), respondcmd.Command(),
		persistcmd.Command(), retaincmd.Command(), tuicmd.Command(),
		runcmd.Command(), runcmd.InitCommand(), querycmd.Command(), querycmd.FilesCommand(), tapcmd.Command(), viacmd.Command(),
	}
	os.Exit(frame.MainAll("leat", "security events from their sources to a lake, on plain pipes", description, commands, os.Args))
}
