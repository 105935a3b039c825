// Command ingest reads records from their sources and writes them as events.
package main

import (
	"os"

	frame "leat/internal/cli"
	"leat/internal/cli/ingestcmd"
)

func main() { os.Exit(frame.Main(ingestcmd.Command(), os.Args)) }
