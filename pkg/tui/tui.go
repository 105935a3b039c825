package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/stage"
)

// Config is what Run needs. Exactly one of Follow, Connect and History may be set; with none it reads In.
type Config struct {
	// In is read where no other source is given. It is the pipe, never the keyboard.
	In io.Reader
	// Follow is the path of a file that is read and followed as it grows.
	Follow string
	// Connect is the path of a tap's Unix socket.
	Connect string
	// History polls a lake.
	History History
	// Tee gets every byte that is read (nil = none). It is then read to its end, whatever the user does.
	Tee io.Writer
	// Plain writes one line of text an alert to Out instead of drawing.
	Plain bool
	Out   io.Writer
	// All shows every event, not only alerts.
	All bool
	// Filter is in effect from the start.
	Filter string
	// MaxRows and MaxBytes bound what is kept (defaults 10,000 and 64 MiB).
	MaxRows  int
	MaxBytes int
	Palette  Palette
	// Zone is that of the times shown (default: local).
	Zone *time.Location
	// Command is how the program was called, for copying a view's command.
	Command string
	// Counters counts lines and bytes read; nil = nothing.
	Counters *stage.Counters
	// Notice gets words for people when the screen is closed and the stream goes on.
	Notice io.Writer
}

// CheckFilter tells whether a filter can be read.
func CheckFilter(text string) error {
	_, err := parseFilter(text)
	return err
}

// Run shows alerts until the user quits (plain: until the end of input) or ctx ends.
func Run(ctx context.Context, cfg Config) error {
	f, err := parseFilter(cfg.Filter)
	if err != nil {
		return err
	}
	if cfg.MaxRows == 0 {
		cfg.MaxRows = 10_000
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.Zone == nil {
		cfg.Zone = time.Local
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src, title, err := cfg.source(ctx)
	if err != nil {
		return err
	}
	in := &intake{all: cfg.All, tee: cfg.Tee, counters: cfg.Counters}
	var keys, out *os.File
	done := func() {}
	if !cfg.Plain {
		if keys, out, done, err = openTerminal(title == "stdin", cfg.Tee != nil); err != nil {
			return err
		}
	}
	defer done()
	stop := make(chan struct{})
	go func() {
		in.end(in.read(ctx, src))
		close(stop)
	}()
	if cfg.Plain {
		return plain(ctx, in, f, cfg.Palette, cfg.Zone, cfg.Out, stop)
	}
	m := newModel(title, cfg.Palette, cfg.MaxRows, cfg.MaxBytes, cfg.Zone, time.Now())
	m.command = cfg.Command
	m.setFilter(f)
	if f.text != "" {
		m.prompt.filter.open(f.text)
		m.prompt.filter.done()
	}
	err = show(ctx, m, in, keys, out)
	if cfg.Tee == nil {
		return errors.Join(err, in.result())
	}
	return errors.Join(err, cfg.goOn(stop, in))
}

// goOn waits until all of the stream has been passed on.
func (cfg *Config) goOn(stop <-chan struct{}, in *intake) error {
	select {
	case <-stop:
	default:
		if cfg.Notice != nil {
			_, _ = io.WriteString(cfg.Notice, "tui: the screen is closed; the stream still passes (^C ends it)\n")
		}
		<-stop
	}
	return in.result()
}

func (cfg *Config) source(ctx context.Context) (io.Reader, string, error) {
	switch {
	case cfg.Follow != "":
		f, err := follow(ctx, cfg.Follow)
		return f, filepath.Base(cfg.Follow), err
	case cfg.Connect != "":
		c, err := dial(ctx, cfg.Connect)
		return c, filepath.Base(cfg.Connect), err
	case cfg.History != nil:
		return &lake{ctx: ctx, history: cfg.History, every: 2 * time.Second}, "lake", nil
	}
	return cfg.In, "stdin", nil
}
