package normalizecmd

import (
	"errors"
	"io"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// steps are stages that work one behind the other as one stage of the command: what normalize writes is watched, redacted and turned
// into OCSF. Each of them works side by side on its own where it can (--workers): it is none that the frame could clone.
type steps []stage.Stage

// link makes one stage of several.
func link(workers int, list ...stage.Stage) stage.Stage {
	if len(list) == 1 {
		return list[0]
	}
	for i, s := range list {
		list[i] = stage.Parallel(s, workers)
	}
	return steps(list)
}

// Process takes b through every step.
func (s steps) Process(b *event.Batch) error {
	for i, one := range s {
		b.Reread = i+1 < len(s)
		if err := one.Process(b); err != nil {
			return err
		}
		b.Compact()
	}
	return nil
}

// Hello tells the steps with state.
func (s steps) Hello(h stage.Hello) error {
	for _, one := range s {
		if m, ok := one.(stage.Marker); ok {
			if err := m.Hello(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mark likewise.
func (s steps) Mark(m stage.Mark) error {
	for _, one := range s {
		if mk, ok := one.(stage.Marker); ok {
			if err := mk.Mark(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush takes what the steps held back through those behind them.
func (s steps) Flush(b *event.Batch) error {
	return s.own(b, func(one stage.Stage) error {
		if f, ok := one.(stage.Flusher); ok {
			return f.Flush(b)
		}
		return nil
	})
}

// own lets each step push into b, and takes what is there through the next. b is empty before the first.
func (s steps) own(b *event.Batch, push func(one stage.Stage) error) error {
	for i, one := range s {
		if len(b.Events) > 0 {
			b.Reread = i+1 < len(s)
			if err := one.Process(b); err != nil {
				return err
			}
			b.Compact()
		}
		if err := push(one); err != nil {
			return err
		}
		b.Compact()
	}
	return nil
}

// Tick tells the steps that act as time goes on.
func (s steps) Tick(now time.Time) error {
	for _, one := range s {
		if t, ok := one.(stage.Ticker); ok {
			if err := t.Tick(now); err != nil {
				return err
			}
		}
	}
	return nil
}

// Release is Flush for what time alone lets go.
func (s steps) Release(b *event.Batch) error {
	return s.own(b, func(one stage.Stage) error {
		if r, ok := one.(stage.Releaser); ok {
			return r.Release(b)
		}
		return nil
	})
}

// Close closes the steps that hold something.
func (s steps) Close() error {
	var errs []error
	for _, one := range s {
		if c, ok := one.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
