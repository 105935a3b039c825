package querycmd_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/internal/cli/persistcmd"
	"leat/internal/cli/querycmd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"persist": func() { os.Exit(leatcli.Main(persistcmd.Command(), os.Args)) },
		"leat": func() {
			cmds := []*cli.Command{querycmd.Command(), querycmd.FilesCommand(), persistcmd.Command()}
			os.Exit(leatcli.MainAll("leat", "test", "test", cmds, os.Args))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
