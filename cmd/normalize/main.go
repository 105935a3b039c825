// Command normalize gives every source's records the names of the Elastic Common Schema.
package main

import (
	"os"

	"leat/internal/cli"
	"leat/internal/cli/normalizecmd"
)

func main() { os.Exit(cli.Main(normalizecmd.Command(), os.Args)) }
