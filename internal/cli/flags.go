package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// CommonFlags are the options that every stage has.
func CommonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "in", Value: "-", Usage: "read from `FILE` (-: standard input)", Category: "Common"},
		&cli.StringFlag{Name: "out", Value: "-", Usage: "write to `FILE` (-: standard output)", Category: "Common"},
		&cli.StringFlag{Name: "metrics-addr", Usage: "serve Prometheus metrics at http://`ADDR`/metrics", Category: "Common"},
		&cli.StringFlag{Name: "log-format", Value: "auto", Usage: "`FORMAT` of messages on stderr: text, json, or auto (text on a terminal)", Category: "Common"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least `LEVEL` of messages: debug, info, warn, error", Category: "Common"},
		&cli.StringFlag{Name: "max-line", Value: "16MiB", Usage: "longest line (`SIZE`); a longer one is spooled to a file and goes on as a pipeline_error", Category: "Common"},
		&cli.StringFlag{Name: "spool", Usage: "`DIR` for lines longer than --max-line (default: beside --state, else a folder under $TMPDIR)", Category: "Common"},
		&cli.IntFlag{Name: "workers", Value: 1, Usage: "process batches in `N` parts side by side, order kept (helps stages above 10 µs an event)", Category: "Common"},
	}
}

// ParseSize reads a number of bytes: 4096, 64KiB, 16MiB, 1GiB, 2TB (KB, MB, GB, TB are powers of 1000).
func ParseSize(s string) (int64, error) {
	units := []struct {
		suffix string
		factor int64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
	for _, u := range units {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.factor {
			break
		}
		return n * u.factor, nil
	}
	return 0, fmt.Errorf("%q is no size; expected a number with an optional unit, such as 65536, 64KiB or 1GiB", s)
}

// NewLogger makes the logger that --log-format and --log-level ask for.
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, Usagef("--log-level: %q is none of debug, info, warn, error", level)
	}
	opts := &slog.HandlerOptions{Level: l}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "auto":
		if f, ok := w.(*os.File); ok && IsTerminal(f) {
			return slog.New(slog.NewTextHandler(w, opts)), nil
		}
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, Usagef("--log-format: %q is none of auto, text, json", format)
}
