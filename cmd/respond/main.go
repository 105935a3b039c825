// Command respond runs guarded actions for alerts.
package main

import (
	"os"

	frame "leat/internal/cli"
	"leat/internal/cli/respondcmd"
)

func main() { os.Exit(frame.Main(respondcmd.Command(), os.Args)) }
