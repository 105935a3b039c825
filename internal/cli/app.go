package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"leat/pkg/stage"
)

// Set by the linker: see Makefile.
var (
	version = "0.1.0-dev"
	commit  = "unknown"
)

// Version returns the version with the commit that the program was built from.
func Version() string {
	return fmt.Sprintf("%s (commit %s, %s)", version, commit, runtime.Version())
}

const exitStatus = `
EXIT STATUS:
   0    fine
   1    failed at run time
   2    usage or configuration
   3    finished, but something needs a person
   130  interrupted
`

// helpBody is what every help has between its usage and the exit codes.
const helpBody = `
{{if .Description}}
DESCRIPTION:
   {{trim .Description}}
{{end}}{{if .VisibleCommands}}
COMMANDS:{{range .VisibleCommands}}
   {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}
{{end}}{{if .VisibleFlags}}
OPTIONS:{{range .VisibleFlags}}
   {{.}}{{end}}
{{end}}`

// appHelp is the help of a program that is one stage.
const appHelp = `NAME:
   {{.Name}} - {{.Usage}}

USAGE:
   {{.UsageText}}` + helpBody + exitStatus

// commandHelp is the help of one command of a program.
const commandHelp = `NAME:
   {{.HelpName}} - {{.Usage}}

USAGE:
   {{if .UsageText}}{{.UsageText}}{{else}}{{.HelpName}} [options] {{.ArgsUsage}}{{end}}` + helpBody + exitStatus

// Main runs the program that consists of one command and returns its exit code. Subcommands of cmd become the program's.
func Main(cmd *cli.Command, args []string) int {
	app := newApp(cmd.Name, cmd.Usage)
	app.UsageText = cmd.UsageText
	app.ArgsUsage = cmd.ArgsUsage
	app.Description = cmd.Description
	app.Flags = cmd.Flags
	app.Commands = cmd.Subcommands
	app.Action = checked(cmd.Action)
	return run(app, args)
}

// MainAll runs the program `leat`, in which every command is a subcommand.
func MainAll(name, usage, description string, cmds []*cli.Command, args []string) int {
	app := newApp(name, usage)
	app.UsageText = name + " COMMAND [options] [arguments]"
	app.Description = description
	app.Commands = cmds
	app.Action = func(c *cli.Context) error {
		if c.Args().Present() {
			return Usagef("no command %q; `%s --help` lists them", c.Args().First(), name)
		}
		_ = cli.ShowAppHelp(c)
		return &exitError{errors.New("which command?"), ExitUsage}
	}
	return run(app, args)
}

func newApp(name, usage string) *cli.App {
	return &cli.App{
		Name: name, HelpName: name, Usage: usage, Version: Version(),
		HideHelpCommand: true, DisableSliceFlagSeparator: true, Suggest: false,
		CustomAppHelpTemplate: appHelp,
		OnUsageError:          usageError,
		// The library would end the process; Main's caller does.
		ExitErrHandler:  func(*cli.Context, error) {},
		CommandNotFound: nil,
		Writer:          os.Stdout,
		ErrWriter:       io.Discard,
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	msg := err.Error()
	if flag, ok := strings.CutPrefix(msg, "flag provided but not defined: "); ok {
		msg = "no option " + "-" + strings.TrimPrefix(flag, "-")
		if len(strings.TrimLeft(flag, "-")) > 1 {
			msg = "no option --" + strings.TrimLeft(flag, "-")
		}
		if near := nearest(strings.TrimLeft(flag, "-"), c); near != "" {
			msg += "; did you mean --" + near + "?"
		}
	}
	return Usagef("%s (see %s --help)", msg, c.App.Name)
}

// nearest returns the option whose name differs least from a mistyped one, if by two letters at most.
func nearest(typed string, c *cli.Context) string {
	flags := c.App.Flags
	if c.Command != nil {
		flags = append(flags[:len(flags):len(flags)], c.Command.Flags...)
	}
	best, least := "", 3
	for _, f := range flags {
		for _, n := range f.Names() {
			if d := distance(typed, n); len(n) > 1 && d < least {
				best, least = n, d
			}
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}

// frame gives a command and those below it the house's behaviour.
func frame(cmd *cli.Command) {
	cmd.OnUsageError = usageError
	cmd.HideHelpCommand = true
	cmd.CustomHelpTemplate = commandHelp
	if cmd.Action != nil {
		cmd.Action = checked(cmd.Action)
	} else {
		cmd.Action = func(c *cli.Context) error {
			if c.Args().Present() {
				return Usagef("no command %q; see %s --help", c.Args().First(), c.Command.HelpName)
			}
			_ = cli.ShowSubcommandHelp(c)
			return &exitError{errors.New("which command?"), ExitUsage}
		}
	}
	for _, sub := range cmd.Subcommands {
		frame(sub)
	}
}

// terminator is the key of App.Metadata that tells whether the command line has "--", behind which all are arguments.
const terminator = "terminator"

// checked refuses options behind the first argument: the library would take them for arguments without a word.
func checked(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		terminated, _ := c.App.Metadata[terminator].(bool)
		for _, a := range c.Args().Slice() {
			if len(a) > 1 && a[0] == '-' && !terminated {
				return Usagef("option %s stands behind an argument; options come first", a)
			}
		}
		if action == nil {
			return nil
		}
		return action(c)
	}
}

func run(app *cli.App, args []string) int {
	for _, cmd := range app.Commands {
		frame(cmd)
	}
	app.Metadata = map[string]any{terminator: slices.Contains(args, "--")}
	// A reader that has gone is told by the write, not by a signal that kills.
	signal.Ignore(syscall.SIGPIPE)
	err := app.Run(args)
	if err != nil && !errors.Is(err, stage.ErrClosed) {
		name := app.Name
		if len(args) > 1 && app.Command(args[1]) != nil && len(app.Commands) > 0 {
			name += " " + args[1] // which stage of a pipe spoke?
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, err)
	}
	return Code(err)
}
