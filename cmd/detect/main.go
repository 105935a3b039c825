// Command detect matches events against Sigma rules.
package main

import (
	"os"

	"leat/internal/cli"
	"leat/internal/cli/detectcmd"
)

func main() { os.Exit(cli.Main(detectcmd.Command(), os.Args)) }
