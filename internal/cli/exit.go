package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"leat/pkg/stage"
)

// The exit codes of every command (docs/11-formats).
const (
	ExitOK          = 0
	ExitRuntime     = 1
	ExitUsage       = 2
	ExitAttention   = 3
	ExitInterrupted = 130
)

// errInterrupted ends a run on a second signal, or when draining took too long.
var errInterrupted = errors.New("interrupted")

// exitError is an error with the exit code that it asks for.
type exitError struct {
	err  error
	code int
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// Usagef makes an error of usage or configuration (exit 2).
func Usagef(format string, args ...any) error {
	return &exitError{fmt.Errorf(format, args...), ExitUsage}
}

// Usage marks err as one of usage or configuration (exit 2), unless the machine was the cause: a full or failing disk, or an
// address that a process which ends still has, is mended elsewhere, and then the same command goes on.
func Usage(err error) error {
	for _, machine := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EADDRINUSE} {
		if errors.Is(err, machine) {
			return Runtime(err)
		}
	}
	return withCode(err, ExitUsage)
}

// Runtime marks err as a failure at run time (exit 1), where it would count as one of configuration otherwise.
func Runtime(err error) error { return withCode(err, ExitRuntime) }

// Attention marks err as: finished, but something needs a person (exit 3).
func Attention(err error) error { return withCode(err, ExitAttention) }

func withCode(err error, code int) error {
	if err == nil {
		return nil
	}
	var e *exitError
	if errors.As(err, &e) {
		return err
	}
	return &exitError{err, code}
}

// Code returns the exit code for what a command returned.
func Code(err error) int {
	var e *exitError
	switch {
	case err == nil, errors.Is(err, stage.ErrClosed):
		return ExitOK
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, stage.ErrTail):
		return ExitAttention
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitRuntime
}
