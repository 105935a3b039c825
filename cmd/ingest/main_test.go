package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"leat/internal/cli"
	"leat/internal/cli/ingestcmd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ingest": func() { os.Exit(cli.Main(ingestcmd.Command(), os.Args)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
