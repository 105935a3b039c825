// Command persist writes events to a lake of Parquet files.
package main

import (
	"os"

	"leat/internal/cli"
	"leat/internal/cli/persistcmd"
)

func main() { os.Exit(cli.Main(persistcmd.Command(), os.Args)) }
