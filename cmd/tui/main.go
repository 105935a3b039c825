// Command tui shows alerts live in a terminal.
package main

import (
	"os"

	frame "leat/internal/cli"
	"leat/internal/cli/tuicmd"
)

func main() { os.Exit(frame.Main(tuicmd.Command(), os.Args)) }
