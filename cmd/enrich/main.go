// Command enrich adds to events what directories, inventories and address databases know.
package main

import (
	"os"

	"leat/internal/cli"
	"leat/internal/cli/enrichcmd"
)

func main() { os.Exit(cli.Main(enrichcmd.Command(), os.Args)) }
