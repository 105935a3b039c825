// Command retain decides what must stay in a lake, and takes the rest out.
package main

import (
	"os"

	"leat/internal/cli"
	"leat/internal/cli/retaincmd"
)

func main() { os.Exit(cli.Main(retaincmd.Command(), os.Args)) }
