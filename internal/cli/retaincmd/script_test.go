package retaincmd_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	leatcli "leat/internal/cli"
	"leat/internal/cli/persistcmd"
	"leat/internal/cli/retaincmd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"persist": func() { os.Exit(leatcli.Main(persistcmd.Command(), os.Args)) },
		"retain":  func() { os.Exit(leatcli.Main(retaincmd.Command(), os.Args)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
